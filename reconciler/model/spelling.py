"""Spells the names of records as the files spell them. Pure.

Orgs compare names of records without letter case, and addresses differ by every letter: so names of the org and of the
baseline are spelled alike before anything is compared.

What is sent is not touched by this: a record keeps the name that the org has for it (`LiveResource.record`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TypeVar

from reconciler.kinds import ENABLEMENT, satellites
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.live import LiveState

T = TypeVar("T")

_APP = "ExternalClientApplication"
_APPS = (_APP, "ConnectedApp")
_SATELLITES = frozenset(kind.__name__ for kind in satellites().values())
_PART = f"{ENABLEMENT}/"


def folded(address: Address) -> Address:
    """Return the address with its names in small letters, so that all its spellings are equal."""
    return Address(address.kind, address.name.casefold(), address.part.casefold())


def fits(address: Address, pattern: str) -> bool:
    """Whether an address matches the `pattern` that a person typed, in any letters; the kind's name is exact where it is
    given. `*` and `?` stand for any text and any character, as in the names of files."""
    kind, slash, rest = pattern.partition("/")
    text = str(address)
    if not slash:
        return fnmatchcase(text.casefold(), pattern.casefold())
    return fnmatchcase(f"{address.kind}{text[len(address.kind) :].casefold()}", f"{kind}/{rest.casefold()}")


class Spelling:
    """The one spelling of each name: the one met first. A record's own name goes before those that refer to it."""

    def __init__(self, *known: Iterable[Address]) -> None:
        self._names: dict[tuple[str, str], str] = {}
        for addresses in known:
            self.learn(addresses)

    def learn(self, addresses: Iterable[Address]) -> None:
        """Take in the spellings of further addresses; those that are known already stay."""
        later: list[Address] = []
        for address in addresses:
            if address.part or address.kind in _SATELLITES:
                later.append(address)
            else:
                self._names.setdefault((address.kind, address.name.casefold()), address.name)
        for address in later:
            self._names.setdefault((_named(address.kind), address.name.casefold()), address.name)
            if address.part:
                app = address.app
                if self._app(app) is None:
                    self._names[ENABLEMENT, app.casefold()] = app

    def _app(self, name: str) -> str | None:
        key = name.casefold()
        for kind in (*_APPS, ENABLEMENT):
            if (found := self._names.get((kind, key))) is not None:
                return found
        return None

    def address(self, address: Address) -> Address:
        """The address in the known spelling."""
        name = self._names.get((_named(address.kind), address.name.casefold()), address.name)
        part = address.part
        if part:
            app = part.removeprefix(_PART)
            part = f"{_PART}{self._app(app) or app}"
        if name == address.name and part == address.part:
            return address
        return Address(address.kind, name, part)

    def text(self, what: str) -> str:
        """Return an address that is written as a text in the known spelling; a kind alone stays as it is."""
        return str(self.address(Address.parse(what))) if "/" in what else what

    def keys(self, found: Mapping[Address, T]) -> Mapping[Address, T]:
        """Return a mapping with its addresses in the known spellings. Of two that become equal, the first is kept."""
        if all(self.address(address) is address for address in found):
            return found
        again: dict[Address, T] = {}
        for address, value in found.items():
            again.setdefault(self.address(address), value)
        return again

    def live(self, state: LiveState) -> LiveState:
        """Return what an org has, with all addresses in the known spellings."""
        resources = self.keys(state.resources)
        if resources is not state.resources:
            resources = {
                address: one if one.address == address else replace(one, address=address)
                for address, one in resources.items()
            }
        unreadable = {self.text(what): why for what, why in state.unreadable.items()}
        return replace(state, resources=resources, unreadable=unreadable, scrubbed=self.keys(state.scrubbed))

    def baseline(self, known: Baseline) -> Baseline:
        """Return a baseline with all addresses in the known spellings."""
        resources = self.keys(known.resources)
        unmanaged = frozenset(map(self.text, known.unmanaged))
        if resources is known.resources and unmanaged == known.unmanaged:
            return known
        return replace(known, resources=resources, unmanaged=unmanaged)


def _named(kind: str) -> str:
    """Return the kind that the name in an address belongs to: a satellite's address holds its app's name."""
    return _APP if kind in _SATELLITES else kind
