"""What the org has: its resources, what could not be read, and the org itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.schema.record_id import same_id, short_id
from reconciler.schema.values import Body, Path


@dataclass(frozen=True, slots=True)
class Modified:
    """Who last changed a record, and when (ISO 8601, UTC), as the org says."""

    by: str = ""
    by_id: str = ""
    date: str = ""

    def __str__(self) -> str:
        return f"{self.by or 'unknown'} at {self.date or 'an unknown time'}"


@dataclass(frozen=True, slots=True)
class LiveResource:
    """One record as the org has it."""

    address: Address
    body: Body
    record: str
    """The record's name in the org (`fullName`)."""
    modified: Modified = Modified()
    installed: bool = False
    """True for a component of a managed package: read-only, except policies."""
    id: str = ""
    """The record's id in the org; empty where the org does not give one."""
    created: Modified = Modified()
    """Who made it, and when; empty where the org does not say."""

    @property
    def touched(self) -> bool:
        """True if the record was changed after it was made: by another user, or at another second."""
        made, changed = self.created, self.modified
        if not (made.by_id and changed.by_id):
            return False
        return not same_id(made.by_id, changed.by_id) or made.date[:19] != changed.date[:19]


@dataclass(frozen=True, slots=True)
class OrgInfo:
    """Which org this is. Shown first in every output, and compared with what is pinned."""

    id: str
    name: str = ""
    instance: str = ""
    is_sandbox: bool = False
    organization_type: str = ""
    api_version: str = ""
    username: str = ""
    recorded: str = ""
    """When the recording was made that stands for the org (ISO 8601, UTC); empty: the org itself was asked."""
    alias: str = ""
    """What the project file calls it; empty where none was read."""

    @property
    def called(self) -> str:
        """The org as people call it, `prod (Acme)`: its name in the project file, and its own, which several orgs may
        have."""
        return f"{self.alias} ({self.name})" if self.alias and self.name else self.alias or self.name

    @property
    def short_id(self) -> str:
        """The 15 characters that identify the org; the last three of 18 are only a checksum."""
        return short_id(self.id)


NOT_RECORDED = "the org has it, and the recording does not: record again"
"""Why nothing is known of what a recording does not hold."""


def reason_unreadable(
    unreadable: Mapping[str, str], address: Address, resources: "Mapping[Address, LiveResource] | None" = None
) -> str | None:
    """Return why an address could not be read (itself, its handler or its whole kind), or `None` if it could.

    `resources` are what could be read: a kind of which something is missing hides nothing of what came, and no record of
    an app that is not there.
    """
    if not unreadable:
        return None
    own = unreadable.get(str(address.component))
    if own is not None or (why := unreadable.get(address.kind)) is None:
        return own
    if resources is None:
        return why
    if address.component in resources:
        return None
    if address.is_satellite and "__" not in address.name:
        app = Address("ExternalClientApplication", address.name)
        if app not in resources and reason_unreadable(unreadable, app) is None:
            return None
    return why


_NAMED = 10
"""So many fields that cannot be compared are named."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """What the org has now, as far as it could be read."""

    org: OrgInfo
    resources: Mapping[Address, LiveResource]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Kinds (or single addresses, as text) that could not be read -> the org's reason. Absence is not concluded."""
    scrubbed: Mapping[Address, Mapping[Path, tuple[str, ...]]] = field(default_factory=dict)
    """Fields that were scrubbed from the recording that this was read from -> what is left of their texts, before,
    between and after what is gone. Not comparable: never a change, never drift, not judged."""

    def reason_unreadable(self, address: Address) -> str | None:
        """Return why this address could not be read, or `None` if it could."""
        return reason_unreadable(self.unreadable, address, self.resources)

    @property
    def too_new(self) -> frozenset[str]:
        """The kinds that the API version does not have."""
        version = float(self.org.api_version or 0)
        return frozenset(name for name, schema in all_kinds().items() if version and schema.since > version)

    @property
    def hidden(self) -> Mapping[str, str]:
        """What the login could not read, without kinds that the API version does not have."""
        too_new = self.too_new if self.unreadable else frozenset()
        return {what: why for what, why in self.unreadable.items() if what.partition("/")[0] not in too_new}

    @property
    def not_comparable(self) -> tuple[str, ...]:
        """What a recording lacks and so cannot be judged or compared, a line each; empty if it lacks nothing."""
        missing = sorted(what for what, why in self.unreadable.items() if why == NOT_RECORDED)
        told = tuple(f"{what} is not judged: {NOT_RECORDED}" for what in missing)
        fields = [f"{address}.{'.'.join(path)}" for address in sorted(self.scrubbed) for path in self.scrubbed[address]]
        if not fields:
            return told
        more = f" and {len(fields) - _NAMED:,} more" if len(fields) > _NAMED else ""
        number = "1 field is" if len(fields) == 1 else f"{len(fields):,} fields are"
        return (*told, f"{number} not comparable, scrubbed from the recording: {', '.join(fields[:_NAMED])}{more}")
