"""What rules look at: every resource as it would be, and what the org says besides. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Any, Final

from reconciler.kinds import all_kinds, satellites
from reconciler.model.address import Address
from reconciler.model.declared import Resource
from reconciler.model.facts import Facts
from reconciler.model.live import OrgInfo, reason_unreadable
from reconciler.schema.body import canonical
from reconciler.schema.paths import at, get
from reconciler.schema.values import Body, Path, RawXml
from reconciler.world.apps import EXTERNAL, App


class Unknown(Enum):
    """The type of UNKNOWN, the value of what no file says and no org was asked about."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        # `if value` would take it for false; a rule has to say what it does with it.
        raise TypeError("a value that is not known is neither true nor false: compare with UNKNOWN first")


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class World:
    """Every resource, as the files, the org or both together have it.

    `complete` is true where the org was read: what is absent is then really absent, and an unset field holds the
    platform's default. With files alone both are UNKNOWN: another file or the org may say it.
    """

    bodies: Mapping[Address, Body]
    complete: bool
    today: date
    org: OrgInfo | None = None
    facts: Facts | None = None
    """What the org says of users and the like; `None`: no one asked."""
    declared: Mapping[Address, Resource] = field(default_factory=dict)
    """What the files say, for rules about files."""
    live: Mapping[Address, Body] = field(default_factory=dict)
    """What the org has now, for rules that compare the two."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Kinds or addresses (text) that the org did not show -> its reason."""
    scrubbed: Mapping[Address, Collection[Path]] = field(default_factory=dict)
    """Fields of the org that a recording does not tell."""
    only: Collection[str] | None = None
    """Names of the apps that this run is about; `None`: all. Others are still there to be compared with."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_canonical", {})

    # -- resources ----------------------------------------------------------------------------------------------------

    def has(self, address: Address) -> bool | Unknown:
        """Whether a resource of that address exists in this world."""
        if address in self.bodies:
            return True
        return False if self.complete and self.reason_unreadable(address) is None else UNKNOWN

    def reason_unreadable(self, address: Address) -> str | None:
        return reason_unreadable(self.unreadable, address)

    def of_kind(self, kind: str) -> Iterator[Address]:
        """The resources of a kind, by name."""
        yield from self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Address, ...]]:
        found: dict[str, list[Address]] = {name: [] for name in all_kinds()}
        for address in sorted(self.bodies):
            if not address.part:
                found[address.kind].append(address)
        return {kind: tuple(addresses) for kind, addresses in found.items()}

    def enablements(self) -> Iterator["Enablement"]:
        """All enablements of all handlers, by handler and app."""
        yield from self._enablements

    @cached_property
    def _enablements(self) -> tuple["Enablement", ...]:
        return tuple(Enablement(self, address) for address in sorted(self.bodies) if address.part)

    def apps(self) -> Iterator[App]:
        """The apps that this run is about: connected ones and external client ones."""
        yield from (app for app in self.all_apps if self.only is None or app.name in self.only)

    @cached_property
    def all_apps(self) -> tuple[App, ...]:
        """Every app, for comparing across the org. An app of which only satellites are declared is one too."""
        names = {a.name for a in self.bodies if a.kind == EXTERNAL or a.is_satellite}
        found = [App(self, Address(EXTERNAL, name)) for name in sorted(names)]
        return (*(App(self, address) for address in self.of_kind("ConnectedApp")), *found)

    def enablements_of(self, app: Address) -> tuple["Enablement", ...]:
        """The enablements of an app, over all handlers. The org compares names without regard to case."""
        return self.enablements_by_app.get((app.kind, app.name.casefold()), ())

    @cached_property
    def enablements_by_app(self) -> Mapping[tuple[str, str], tuple["Enablement", ...]]:
        """(kind, name in small letters) of an app -> its enablements, whether there is such an app or not."""
        found: dict[tuple[str, str], list[Enablement]] = {}
        for one in self._enablements:
            for kind, name in one.named:
                found.setdefault((kind, name.casefold()), []).append(one)
        return {app: tuple(enablements) for app, enablements in found.items()}

    def app(self, name: str, *, connected: bool = False) -> App:
        return App(self, Address("ConnectedApp" if connected else EXTERNAL, name))

    def why_unknown(self, address: Address) -> str:
        """Return why a value is not known, in words that follow "is not known: "."""
        reason = self.reason_unreadable(address)
        if reason is not None:
            return f"it could not be read ({reason})"
        if address in self.scrubbed:
            return "it was scrubbed from the recording"
        return "what the org holds could not be understood" if self.complete else "no file says it, and the org may"

    # -- values -------------------------------------------------------------------------------------------------------

    def body(self, address: Address) -> Mapping[str, Any]:
        """A resource in canonical form (`body.canonical`): sets are frozensets, keyed lists are mappings from their key,
        defaults are filled in. Empty if there is none."""
        cache: dict[Address, Mapping[str, Any]] = self.__dict__["_canonical"]
        if address not in cache:
            raw = self.bodies.get(address)
            cache[address] = canonical(address.struct, raw) if raw is not None else {}
        return cache[address]

    def value(self, address: Address, path: Path) -> Any:
        """Return a field's value in canonical form, `None` where there is nothing, UNKNOWN where it is not known.

        A value of another shape than its schema's (an element that could not be decoded) is UNKNOWN too.
        """
        if self.has(address) is UNKNOWN:
            return UNKNOWN
        if not self.complete and not _says(self.bodies.get(address, {}), path):
            return UNKNOWN
        if self.is_scrubbed(address, path):
            return UNKNOWN
        value = at(self.body(address), path)
        return UNKNOWN if isinstance(value, RawXml) else value

    def is_scrubbed(self, address: Address, path: Path) -> bool:
        """Whether a field, or something in it or around it, is what a recording does not tell. What a plan changes is
        known: the files say it."""
        for hidden in self.scrubbed.get(address, ()):
            if hidden[: len(path)] == path or path[: len(hidden)] == hidden:
                now, before = self.bodies.get(address, {}), self.live.get(address, {})
                if get(address.struct, now, hidden) == get(address.struct, before, hidden):
                    return True
        return False


def _says(body: object, path: Path) -> bool:
    """Whether a declared body says anything about the field."""
    for part in path:
        if not isinstance(body, dict):
            return True  # an item of a list: the list itself is said
        if part not in body:
            return False
        body = body[part]
    return True


@dataclass(frozen=True)
class Enablement:
    """One app's enablement for one handler."""

    world: World
    address: Address

    @property
    def handler(self) -> Address:
        return self.address.component

    @property
    def app(self) -> App:
        """The address of the app that the enablement names, whether or not there is such an app."""
        body = self.world.bodies[self.address]
        connected = bool(body.get("connectedApp"))
        known = self.address.app
        name = str(body.get("connectedApp") or body.get("externalClientApp") or known)
        # The address spells it as the app itself does; its field may be in other letters.
        return self.world.app(known if name.casefold() == known.casefold() else name, connected=connected)

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of what the enablement names: one app, if all is well."""
        body = self.world.bodies[self.address]
        kinds = (("connectedApp", "ConnectedApp"), ("externalClientApp", EXTERNAL))
        return tuple((kind, str(body[field])) for field, kind in kinds if body.get(field))

    def value(self, field: str) -> Any:
        return self.world.value(self.address, (field,))


def section(name: str) -> str:
    """The kind behind the section of an app's document: `oauthPolicies` -> `ExtlClntAppOauthConfigurablePolicies`."""
    return satellites()[name].__name__
