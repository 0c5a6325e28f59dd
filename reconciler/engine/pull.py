"""Pull: read baseline → read org → decide → edit the files in memory → plan with them → write → write the baseline.

What is written was read back and planned with before: a pull after which the plan would not be empty writes nothing.
"""

import re
import secrets as randomness
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from reconciler.adoption.decision import Asked, Decision, Left, decide
from reconciler.adoption.placing import Contents, Folder, placed
from reconciler.adoption.writing import Writing
from reconciler.baseline.accept import accepted
from reconciler.baseline.advance import advanced, at_version, seen
from reconciler.desired.document import Overlaid
from reconciler.desired.sources import Sources
from reconciler.drift import compare
from reconciler.drift.as_of import dated
from reconciler.engine.plan import ignored
from reconciler.engine.session import Session, identified, read, time_of
from reconciler.errors import Complaint, InputError, Place, RefusedError, suggestion
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.declared import Resource, Snapshot
from reconciler.model.live import LiveState
from reconciler.model.reports import PulledField, PulledFile, PullReport
from reconciler.model.spelling import fits
from reconciler.plan.diff import verdict
from reconciler.plan.draft import draft
from reconciler.schema.body import canonical
from reconciler.schema.paths import at, is_secret
from reconciler.yaml.editing import Edit, edited


def pull(session: Session, sources: Sources, asked: Asked, *, check: bool = False) -> PullReport:
    """Take what the org has into the files, and into the baseline. With `check` nothing is written.

    Raises InputError for a pattern that nothing fits, and where a person has to decide first; RefusedError while an apply
    that was cut off is not settled.
    """
    with session.baselines.lock(identified(session).id):
        if session.baselines.journal(identified(session).id) is not None:
            mend = "carry it on with reconciler apply --resume, then pull"
            raise RefusedError(Complaint("an apply was cut off, and what became of it is not known yet", mend=mend))
        baseline, live = read(session)
        _refuse_unknown(asked, session.desired, live)
        drift = tuple(compare.findings(baseline, live, ignored(session.desired))) if baseline.exists else ()
        decision = decide(session.desired, live, baseline, drift, asked)
        pulled = _written(session, sources, asked, decision, live)
        managed = baseline.managed
        baseline = _advanced(session, pulled, baseline, live, asked)
        report = _report(session, pulled, live, check=check, adopted=len(baseline.managed - managed))
        if not check:
            sources.write(pulled.contents.files, pulled.before)
            if pulled.advanced:
                session.baselines.save(baseline)
        return report


@dataclass(slots=True)
class _Pulled:
    """What a pull is going to write, and the desired state that the files then declare."""

    decision: Decision
    contents: Contents
    writing: Writing
    before: Mapping[str, bytes]
    desired: Snapshot
    left: tuple[Left, ...] = ()
    changed_variables: frozenset[str] = frozenset()
    advanced: bool = False


def _refuse_unknown(asked: Asked, desired: Snapshot, live: LiveState) -> None:
    known = [*live.resources, *desired.resources]
    unknown = [pattern for pattern in asked.patterns if not any(fits(address, pattern) for address in known)]
    if unknown:
        raise InputError(
            *(
                Complaint(
                    f"nothing in the org or in the files fits {pattern}",
                    mend=suggestion(pattern, map(str, known)) or "write Kind/name; * and ? stand for any text",
                )
                for pattern in unknown
            )
        )


def _written(session: Session, sources: Sources, asked: Asked, decision: Decision, live: LiveState) -> _Pulled:
    """Edit the files in memory, and read them back.

    A variable whose new value would change more than what is pulled keeps its value, and what it stands in is left alone.
    Raises InputError where the plan would not be empty all the same.
    """
    fixed = dict.fromkeys(sources.fixed, "which is set in the environment")
    pulled = _edited(session, sources, asked, decision, live, fixed)
    complaints = _unproven(session, pulled, live, asked)
    if complaints and pulled.changed_variables:
        shared = "which other values depend on as well"
        fixed |= dict.fromkeys(pulled.changed_variables, shared)
        pulled = _edited(session, sources, asked, decision, live, fixed)
        complaints = _unproven(session, pulled, live, asked)
    if complaints:
        raise InputError(*complaints)
    return pulled


def _edited(
    session: Session,
    sources: Sources,
    asked: Asked,
    decision: Decision,
    live: LiveState,
    fixed: Mapping[str, str],
) -> _Pulled:
    resources = session.desired.resources
    chosen = [resources[a] for a in (*(one.address for one in decision.fields), *decision.gone)]
    touched = {file for one in (resources.values() if decision.new else chosen) for file in _files_of(one)}
    before = {name: sources.read(name) for name in sorted(touched)}
    moved = [name for name, data in before.items() if sha256(data).hexdigest() != session.desired.files.get(name)]
    if moved:
        message = "this file was changed while the org was read; nothing was written"
        raise InputError(*(Complaint(message, Place(name), "pull again") for name in moved))
    inside, is_metadata, packaged = sources.folder(session.desired)
    into = inside.relative_to(sources.root).as_posix()
    taken = sources.names(inside) if decision.new else frozenset()
    folder = Folder(into, before, taken, sources.variables, is_metadata, packaged, fixed)
    names = _Names(sources.variables)
    writing = Writing(asked.style, names.lift)
    contents = placed(decision, session.desired, live, folder, writing)
    changed = frozenset(contents.variables)
    contents.variables.update(names.new)
    used = {name: before[name] for name in contents.files if name in before}
    if contents.variables:
        used[sources.project_file] = sources.read(sources.project_file)
        path = (0, "orgs", sources.org, "variables")
        edits = [Edit((*path, name), value) for name, value in contents.variables.items()]
        contents.files[sources.project_file] = edited(used[sources.project_file], edits)
    desired = sources.load(contents.files, contents.variables)
    left = (*decision.left, *contents.left)
    return _Pulled(decision, contents, writing, used, desired, left, changed)


def _files_of(resource: Resource) -> Iterator[str]:
    """Yield the files that declare a resource: several where overlays change the document of another file."""
    find = resource.origin.find
    if isinstance(find, Overlaid):
        yield from _files_of(find.over)
        yield from _files_of(find.under)
    else:
        yield resource.origin.file


def _unproven(session: Session, pulled: _Pulled, live: LiveState, asked: Asked) -> list[Complaint]:
    """Complaints about what a plan would still change after the pull.

    Left out is what was left alone, and what the plan changed before and was not pulled.
    """
    planned = {change.address for change in draft(session.desired, live, Baseline()).changes}
    excused = {left.address for left in pulled.left} | {one for one in planned if not asked.means(one)}
    made = draft(pulled.desired, live, Baseline())
    wrong = [change for change in made.changes if change.address not in excused and change.address in live.resources]
    complaints = [problem.complaint() for problem in made.problems if problem.origin.file in pulled.contents.files]
    complaints += [
        Complaint(f"{address} would be written into {file}, and not be read from there", mend="name that folder, too")
        for address, file in pulled.contents.placed.items()
        if address not in pulled.desired.resources
    ]
    return complaints + [
        Complaint(
            f"{change.address} cannot be pulled: with the files as they would be, the plan would still change "
            f"{', '.join(one.name for one in change.fields[:5]) or 'it'}",
            _place(session.desired, change.address),
            "edit the file by hand, or pull other addresses; nothing was written",
        )
        for change in wrong
    ]


def _place(desired: Snapshot, address: Address) -> Place | None:
    want = desired.resources.get(address)
    return want.origin.at() if want is not None else None


class _Names:
    """Gives each username a variable, because usernames differ from org to org and must not stand in the files."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._by_value = {value.casefold(): name for name, value in known.items()}
        self._taken = {name.casefold() for name in known}
        self.new: dict[str, str] = {}

    def lift(self, username: str) -> str:
        name = self._by_value.get(username.casefold())
        if name is None:
            name = self._unused(re.sub(r"\W+", "_", username.partition("@")[0], flags=re.ASCII).strip("_") or "user")
            self._by_value[username.casefold()] = name
            self.new[name] = username
        return f"${{var.{name}}}"

    def _unused(self, stem: str) -> str:
        stem = stem if stem[0].isalpha() else f"user_{stem}"
        name, number = stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name.casefold())
        return name


def _advanced(session: Session, pulled: _Pulled, baseline: Baseline, live: LiveState, asked: Asked) -> Baseline:
    """The baseline after the pull: what was taken into the files counts as it should be."""
    before, old = seen(live, baseline), baseline
    baseline = at_version(baseline, live)
    baseline = replace(baseline, salt=baseline.salt or randomness.token_hex(16))
    spots = {(left.address, left.path) for left in pulled.left}
    whole = {left.address for left in pulled.left if not left.path}
    partly = {left.address for left in pulled.left}
    for address in pulled.decision.gone:
        if address in baseline.resources:
            baseline = accepted(baseline, live, address, watch_all=session.watch_all)
    for one in (*pulled.decision.fields, *pulled.decision.seen):
        taken = (one.address, one.path) not in spots and one.address not in whole
        if taken and one.address in baseline.resources:
            baseline = accepted(baseline, live, one.address, one.path, watch_all=session.watch_all)
    chosen = [
        address
        for address in pulled.desired.resources
        if asked.means(address)
        and address in live.resources
        and address not in partly
        and live.reason_unreadable(address) is None
    ]
    baseline = advanced(baseline, pulled.desired, before, live, (), chosen=chosen, watch_all=session.watch_all)
    if baseline.resources == old.resources and baseline.unmanaged == old.unmanaged and old.exists:
        return old
    pulled.advanced = True
    baseline = replace(
        baseline, serial=old.serial + 1, begun=baseline.begun or ("" if old.exists else time_of(session))
    )
    return dated(old, baseline, live)


def _report(session: Session, pulled: _Pulled, live: LiveState, *, check: bool, adopted: int) -> PullReport:
    contents, decision = pulled.contents, pulled.decision
    refused = {(left.address, left.path) for left in pulled.left}
    files = [
        PulledFile(name, "remove" if data is None else "create" if name in contents.created else "change")
        for name, data in sorted(contents.files.items())
        if data is None or data != pulled.before.get(name)
    ]
    fields = []
    for one in decision.fields:
        if (one.address, one.path) in refused:
            continue
        struct, want = one.address.struct, session.desired.resources[one.address]
        old, new = (canonical(struct, body) for body in (want.body, live.resources[one.address].body))
        direction, severity = verdict(struct, one.path, old, new)
        values = at(old, one.path), at(new, one.path)
        secret = is_secret(struct, one.path)
        fields.append(PulledField(one.address, one.path, *values, want.origin.file, secret, direction, severity))
    left = tuple(
        (f"{one.address}.{'.'.join(one.path)}" if one.path else str(one.address).lstrip("/"), one.why, one.mend)
        for one in pulled.left
    )
    return PullReport(
        live.org,
        check,
        tuple(files),
        contents.placed,
        tuple(fields),
        decision.gone,
        tuple((one.address, one.path) for one in decision.seen),
        left,
        tuple(pulled.writing.omitted),
        contents.variables,
        live.hidden,
        adopted,
        time_of(session),
    )
