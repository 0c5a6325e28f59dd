"""Two bodies of one kind -> the fields that differ, each with its direction and severity. The only user of DeepDiff."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.model.changes import FieldChange
from reconciler.schema.body import aligned, canonical, canonical_value
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Default, Keyed, WriteOnly
from reconciler.schema.paths import at, field_at, is_secret
from reconciler.schema.severity import Direction, Severity, Verdict, Weaker
from reconciler.schema.values import Body, Path


def field_changes(kind: type[Struct], old: Body, new: Body) -> tuple[FieldChange, ...]:
    """The fields in which two records differ, in Salesforce's order. Equal bodies cost one comparison."""
    if old == new:
        return ()
    before = canonical(kind, old)
    after = aligned(kind, canonical(kind, new), to=before)
    if before == after:
        return ()
    order = {name: index for index, name in enumerate(kind.fields())}
    paths = sorted(_paths(before, after), key=lambda path: (order.get(path[0], len(order)), path))
    return tuple(_field_change(kind, path, before, after) for path in paths)


def new_fields(struct: type[Struct], body: Body, path: Path = ()) -> tuple[FieldChange, ...]:
    """The fields of a record that is created, in Salesforce's order. They have no direction: there was nothing."""
    found: list[FieldChange] = []
    for name, field in struct.fields().items():
        if name not in body:
            continue
        value, here = body[name], _below(path, name)
        if field.struct is not None and not field.repeated and isinstance(value, dict):
            found += new_fields(field.struct, value, here)
        else:
            new = canonical_value(field, value) if field.compared else value
            found.append(FieldChange(here, None, new, secret=field.has(WriteOnly)))
    return tuple(found)


@cache
def _below(path: Path, name: str) -> Path:
    """The path of a field in a section: one object for all records, of which an apply may create fifty thousand."""
    return (*path, name)


def _paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[Path]:
    # Half of our start-up time, and most runs find nothing to compare.
    from deepdiff import DeepDiff  # noqa: PLC0415

    # With its default threshold DeepDiff gives up on two mappings that share few keys and reports one change for the
    # whole; we want one per field.
    tree = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0)
    found = (level.path(output_format="list") for levels in tree.values() for level in levels)
    # An entry of a set has no place of its own: the field is what changed.
    return {tuple(part for part in path if part is not None) for path in found}


def _field_change(kind: type[Struct], path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> FieldChange:
    old, new = at(before, path), at(after, path)
    direction, severity = verdict(kind, path, before, after)
    return FieldChange(path, old, new, direction, severity, secret=is_secret(kind, path))


def verdict(kind: type[Struct], path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Verdict:
    """Direction and severity of one difference between two canonical bodies."""
    for group in kind.groups:
        if path[0] in group.fields:
            values = [tuple(body.get(name) for name in group.fields) for body in (before, after)]
            return group.weaker.judge(*values) or (Direction.NEUTRAL, Severity.LOW)
    for depth, field in reversed(_along(kind, path)):
        weaker = field.mark(Weaker)
        if weaker is not None:
            judged = weaker.judge(*(_judged(field, at(body, path[:depth])) for body in (before, after)))
            return judged or (Direction.NEUTRAL, Severity.LOW)
    return Direction.NEUTRAL, Severity.LOW


def _along(kind: type[Struct], path: Path) -> list[tuple[int, Field]]:
    """Yield the fields along a path, each with the length of the path up to it."""
    found, depth = [], 0
    for field in field_at(kind, path):
        depth = path.index(field.name, depth) + 1
        found.append((depth, field))
    return found


def _judged(field: Field, value: Any) -> Any:
    """What a mark judges: the default for nothing, for a keyed list the tuples of its keys."""
    default = field.mark(Default)
    if value is None and default is not None:
        return default.value
    keyed = field.mark(Keyed)
    if keyed is None or not isinstance(value, Mapping):
        return value
    return frozenset(
        tuple(str(item.get(name, "")) for name in keyed.fields) for item in value.values() if isinstance(item, Mapping)
    )
