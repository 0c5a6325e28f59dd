"""Two orgs side by side: where the second differs from the first, once what belongs to one org alone is set aside. Pure.

Set aside are the names of satellites' records, keys and links that an org generates, and usernames that mean the same
person: the values of one variable, or a production username and the one that a sandbox makes of it.
"""

from collections.abc import Iterator, Mapping

from reconciler.model.address import Address
from reconciler.model.changes import FieldChange
from reconciler.model.finding import DIFFERS, Finding
from reconciler.model.live import LiveState
from reconciler.model.spelling import Spelling
from reconciler.plan.diff import field_changes
from reconciler.schema.kind import Field, Kind
from reconciler.schema.marks import Immutable, OrgBound, Ref
from reconciler.schema.paths import field_at
from reconciler.schema.severity import Severity

Variables = Mapping[str, str]


def differences(
    first: LiveState, second: LiveState, variables: tuple[Variables, Variables], names: tuple[str, str]
) -> Iterator[Finding]:
    """Yield what differs, ordered by address. `names` are those of the orgs, for messages. What could not be read in one of
    them is not compared."""
    second = Spelling(first.resources).live(second)
    for address in sorted(first.resources.keys() | second.resources.keys()):
        if first.reason_unreadable(address) is not None or second.reason_unreadable(address) is not None:
            continue
        one, other = first.resources.get(address), second.resources.get(address)
        if one is None or other is None:
            if _belongs(address, (second if one is None else first), (first if one is None else second)):
                continue
            here, there = (names[1], names[0]) if one is None else names
            yield Finding(DIFFERS, Severity.MEDIUM, address, f"is in {here} and not in {there}")
            continue
        for change in field_changes(address.struct, one.body, other.body):
            fields = list(field_at(address.struct, change.path))
            if any(field.has(Immutable, OrgBound) for field in fields) or _is_name(address.schema, change):
                continue
            if fields and _is_user(fields[-1]) and same_person(change.old, change.new, variables):
                continue
            yield Finding(
                DIFFERS,
                change.severity,
                address,
                f"{change.name} differs",
                change.path,
                change.old,
                change.new,
                change.direction,
            )


def _belongs(address: Address, there: LiveState, missing: LiveState) -> bool:
    """Whether a record is missing only because its app or handler is: then that says it."""
    return any(owner in there.resources and owner not in missing.resources for owner in address.owners)


def _is_name(kind: type[Kind], change: FieldChange) -> bool:
    """Whether the label of a satellite differs, which Setup makes of the record's name."""
    return bool(kind.section) and change.path == ("label",)


def _is_user(field: Field) -> bool:
    ref = field.mark(Ref)
    return ref is not None and ref.kind == "User"


def same_person(one: object, other: object, variables: tuple[Variables, Variables]) -> bool:
    """Whether two usernames are one person's in two orgs. A sandbox adds its name to the usernames of production.

    Source: Salesforce Help, "Create a Sandbox": usernames are appended with the sandbox name.
    """
    left, right = str(one or "").casefold(), str(other or "").casefold()
    if left.startswith(f"{right}.") or right.startswith(f"{left}."):
        return bool(left) and bool(right)
    named = (name for name, value in variables[0].items() if value.casefold() == left)
    return any(variables[1].get(name, "").casefold() == right for name in named)
