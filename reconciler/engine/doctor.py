"""`doctor`: looks whether we can work with an org: reads everything, changes nothing, and goes on where something fails."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from reconciler.doctor import DoctorEntry, DoctorReport, Surroundings, of_answers, of_error, of_surroundings
from reconciler.engine.session import Session, stamp, utc_now
from reconciler.errors import Complaint, ReconcilerError
from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.declared import Snapshot
from reconciler.model.live import OrgInfo
from reconciler.schema.values import SecretRef


def doctor(
    opened: Callable[[], AbstractContextManager[Session]], *, files: bool = True, pinned_version: str = ""
) -> DoctorReport:
    """Look at everything that plan and apply will need of an org. What fails becomes an entry of the report, never an error.

    `opened` opens the session; `files=False` says that its desired state is empty because the files are broken.
    """
    org: OrgInfo | None = None
    found: list[DoctorEntry] = []
    created = stamp(utc_now())
    try:
        with opened() as session:
            kinds = {name: float(kind.since) for name, kind in all_kinds().items()}
            secrets = _secrets(session) if files else None
            around = Surroundings(session.pinned_org_id, pinned_version, kinds, secrets)
            try:
                doctor_answers = session.provider.doctor_answers(session.progress)
            except ReconcilerError as stopped:
                return DoctorReport((*of_error(stopped), *of_surroundings(around)), None, created)
            org = doctor_answers.org
            words, trouble, held = _baseline(session, org)
            around = replace(
                around,
                baseline=words,
                baseline_trouble=trouble,
                needed=_read_by_a_plan(session.desired.resources, held) if files and not trouble else None,
            )
            found += [*of_answers(doctor_answers, around), *of_surroundings(around)]
    except ReconcilerError as stopped:
        # Of the project file or of a host: nothing was asked, so nothing else is known.
        found += of_error(stopped)
    return DoctorReport(tuple(found), org, created)


def _secrets(session: Session) -> dict[str, str]:
    """Map every secret reference of the files to why it cannot be read, or to an empty text. No secret is kept."""
    found: dict[str, str] = {}
    for ref in sorted(set(_references(session.desired)), key=str):
        try:
            session.secret(ref)
            found[str(ref)] = ""
        except ReconcilerError as wrong:
            found[str(ref)] = str(wrong)
    return found


def _references(desired: Snapshot) -> Iterator[SecretRef]:
    for resource in desired.resources.values():
        yield from _within(resource.body)


def _within(value: object) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _within(inner)


def _read_by_a_plan(*addresses: Iterable[Address]) -> frozenset[str]:
    return frozenset(text for some in addresses for one in some for text in (one.kind, str(one.component)))


def _baseline(session: Session, org: OrgInfo) -> tuple[str, tuple[Complaint, ...], Collection[Address]]:
    """Return the baseline described in words, the troubles with its file, and its addresses."""
    try:
        baseline = session.baselines.load(org.id)
        if not baseline.exists:
            return "none yet for this org: the first apply makes it", (), ()
        # Only where there is one: a look must not make folders.
        with session.baselines.lock(org.id):
            words = f"serial {baseline.serial}, {len(baseline.resources)} resources; nobody holds its lock"
            return words, (), baseline.resources.keys()
    except ReconcilerError as wrong:
        return "", tuple(wrong.complaints), ()
