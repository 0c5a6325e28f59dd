"""Decides what of an org is taken into the files: whole records that no file declares, fields that differ, what is gone.

Nothing is decided about what could not be read. What a person wrote since the last apply or pull is left alone: it is no
drift, and the org does not have it yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.adoption.writing import Style
from reconciler.kinds import APP
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.declared import Resource, Snapshot
from reconciler.model.finding import CHANGED, Finding
from reconciler.model.live import LiveResource, LiveState
from reconciler.model.record_identity import is_another
from reconciler.model.spelling import fits
from reconciler.plan.diff import field_changes
from reconciler.plan.draft import without
from reconciler.schema.body import aligned, alike, canonical, overlaid
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Default, Immutable, OrgBound, SourceText
from reconciler.schema.paths import at, field_at, references
from reconciler.schema.values import Path

UNAPPLIED = "the file was edited since the last apply or pull, and the org does not have that yet"
OTHER_RECORD = "the org has another record of that name: the one that was applied is gone"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked to be pulled."""

    patterns: tuple[str, ...] = ()
    """Addresses, which may hold `*` and `?`; none: everything."""
    style: Style = field(default_factory=Style)
    overwrite: bool = False
    """Whether what a person wrote and did not apply is overwritten."""

    def means(self, address: Address) -> bool:
        """Whether an address is asked for: itself, its app or its handler."""
        return not self.patterns or self.names(address)

    def names(self, address: Address) -> bool:
        """Whether an address is asked for by name, and not only because everything is."""
        owners = [address.component] if address.part else [Address(APP, address.name)] if address.is_satellite else []
        return any(fits(one, pattern) for one in (address, *owners) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Left:
    """Something that differs and is not taken in, and why."""

    address: Address
    path: Path
    why: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """One field of a declared record that the file is to have as the org has it."""

    address: Address
    path: Path


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written, and what is left alone."""

    fields: tuple[Taken, ...] = ()
    new: tuple[Address, ...] = ()
    """In the org, and in no file."""
    gone: tuple[Address, ...] = ()
    """Declared and applied, and no longer in the org."""
    seen: tuple[Taken, ...] = ()
    """Drift that no file has to say anything about: the field is at its default and not declared."""
    left: tuple[Left, ...] = ()


def decide(desired: Snapshot, live: LiveState, baseline: Baseline, drift: Sequence[Finding], asked: Asked) -> Decision:
    """`drift` is what `drift.compare` finds between the baseline and the org."""
    fields: list[Taken] = []
    gone: list[Address] = []
    seen: list[Taken] = []
    left: list[Left] = []
    for address in sorted(desired.resources):
        if not asked.means(address) or live.reason_unreadable(address) is not None:
            continue
        have, known = live.resources.get(address), baseline.resources.get(address)
        if have is None:
            if known is not None and not known.watched:
                gone.append(address)
        elif is_another(address, baseline, live) and not asked.overwrite:
            left.append(Left(address, (), OTHER_RECORD, f"reconciler baseline accept {address}, then pull again"))
        else:
            _compare(desired.resources[address], have, baseline, asked, fields, left)
    for finding in drift:
        want = desired.resources.get(finding.address)
        if finding.id == CHANGED and want is not None and asked.means(finding.address) and not finding.ignored:
            path = _whole(want.address.struct, finding.path)
            if not want.declares(path) and not any(one.address == want.address and not one.path for one in left):
                fits_default = _at_default(want.address.struct, path, live.resources[want.address])
                (seen if fits_default else fields).append(Taken(want.address, path))
    taken: list[Address] = []
    for address in sorted(live.resources):
        # An app comes before its satellites in this order, a handler before its enablements.
        new = address not in desired.resources and asked.means(address)
        if new and _takes(live.resources[address], desired, baseline, asked, taken, left):
            taken.append(address)
    taken += _classes(taken, live, desired)
    return Decision(
        tuple(dict.fromkeys(fields)), tuple(taken), tuple(gone), tuple(dict.fromkeys(seen)), tuple(dict.fromkeys(left))
    )


def _compare(
    want: Resource, have: LiveResource, baseline: Baseline, asked: Asked, fields: list[Taken], left: list[Left]
) -> None:
    """Note each declared field that the org has otherwise: to be taken in, or left alone."""
    address, struct = want.address, want.address.struct
    after = overlaid(struct, have.body, without(struct, want.body, want.lifecycle.ignore))
    known = baseline.resources.get(address)
    base = canonical(struct, known.body) if known is not None else None
    for change in field_changes(struct, have.body, after):
        if any(one.has(Immutable, OrgBound) for one in field_at(struct, change.path)):
            left.append(
                Left(address, change.path, "the org never changes it", "write the org's value, or leave it out")
            )
            continue
        is_applied = base is not None and alike(
            struct, change.path, at(aligned(struct, base, to=canonical(struct, after)), change.path), change.new
        )
        if is_applied or asked.overwrite:
            fields.append(Taken(address, change.path))
        else:
            left.append(Left(address, change.path, UNAPPLIED, "apply it, or pull with --overwrite"))


def _takes(
    have: LiveResource,
    desired: Snapshot,
    baseline: Baseline,
    asked: Asked,
    taken: Sequence[Address],
    left: list[Left],
) -> bool:
    """Whether a record that no file declares is taken in; if a person may wonder why not, that is noted."""
    address, known = have.address, baseline.resources.get(have.address)
    if address.kind == "ApexClass":
        return False
    if have.installed or "__" in address.name:
        if asked.names(address):
            left.append(Left(address, (), "it came with an installed package, which is read-only", ""))
        return False
    if known is not None and not known.watched and not asked.overwrite:
        mend = "apply that, or pull with --overwrite"
        left.append(Left(address, (), "it was removed from the files, and that is not applied yet", mend))
        return False
    owner = Address(APP, address.name)
    if address.is_satellite and owner not in taken and not any(fits(address, one) for one in asked.patterns):
        if owner not in desired.resources:
            return False
        if not asked.names(address):
            # What is not written is not managed: a person left this section out.
            left.append(Left(address, (), "no file has this section of a declared app", f"reconciler pull {address}"))
            return False
    return True


def _classes(taken: Sequence[Address], live: LiveState, desired: Snapshot) -> Iterator[Address]:
    """The Apex classes of new handlers and apps, which decide whom they let in, where no file declares them."""
    bodies = ((one, live.resources[one].body) for one in taken)
    named = {name.casefold() for one, body in bodies for _, _, name in references(one.struct, body, _CLASS)}
    for address in sorted(live.resources):
        if address.kind == "ApexClass" and address.name.casefold() in named and address not in desired.resources:
            yield address


_CLASS = frozenset({"ApexClass"})


def _whole(struct: type[Struct], path: Path) -> Path:
    """The path up to the first list of structures in it: a list is declared as a whole, or not at all."""
    for one in field_at(struct, path):
        if one.repeated and one.struct is not None:
            return path[: path.index(one.name) + 1]
    return path


def _at_default(struct: type[Struct], path: Path, have: LiveResource) -> bool:
    value = at(canonical(struct, have.body), path)
    fields = list(field_at(struct, path))
    if not fields or any(one.has(Immutable, OrgBound, SourceText) for one in fields):
        return True
    default = fields[-1].mark(Default)
    return value in (None, "", frozenset(), {}) or (default is not None and value == default.value)
