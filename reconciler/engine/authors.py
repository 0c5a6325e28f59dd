"""Adds to drift who caused it, as the org's own records say. Nothing here writes."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from reconciler.baseline.accept import accepted
from reconciler.drift import compare
from reconciler.drift.attribution import attributed
from reconciler.engine.session import Session, time_of
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.facts import History
from reconciler.model.finding import CHANGED, DESIRED, UNMANAGED, Finding
from reconciler.model.live import LiveResource, LiveState, Modified
from reconciler.model.record_identity import has_identity
from reconciler.schema.record_id import same_id, short_id

KEPT_DEPLOYMENTS = 200


def with_ids(deployments: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of our latest deployments with new ones added, at most `KEPT_DEPLOYMENTS`."""
    return (*deployments, *(one for one in ids if one not in deployments))[-KEPT_DEPLOYMENTS:]


def ours(session: Session, baseline: Baseline) -> tuple[str, ...]:
    """The ids of our own deployments, with the id of the deployment that was cut off, if there is one."""
    journal = session.baselines.journal(baseline.org_id)
    ids = [journal.sent.id] if journal is not None and journal.sent is not None and journal.sent.id else []
    return with_ids(baseline.deployments, ids)


def with_authors(
    session: Session, baseline: Baseline, live: LiveState, found: Sequence[Finding]
) -> tuple[tuple[Finding, ...], History]:
    """Return the findings with who caused them and when, and the org's history that this is taken from.

    A field that is not as declared was changed by a person only if it is not as it was last applied either: the files may
    be what moved. An org in which nothing changed is only asked what is under way. Raises NotAllowedError, UnreachableError.
    """
    enablements = any(finding.address.is_enablement for finding in found)
    since = baseline.begun if found else time_of(session)
    history = session.provider.history(since, session.progress, enablements=enablements)
    records = {address: applied.record for address, applied in baseline.resources.items()}
    records |= {address: have.record for address, have in live.resources.items()}
    deployments = ours(session, baseline)
    known = attributed(found, history, deployments, records, baseline.as_of)
    if not any(finding.id == DESIRED for finding in found):
        return known, history
    moved = attributed(compare.findings(baseline, live), history, deployments, records, baseline.as_of)
    drifted = {(finding.address, finding.path): finding for finding in moved}
    named = (
        replace(finding, attribution=other.attribution, deferred=other.deferred)
        if (other := drifted.get((finding.address, finding.path))) is not None
        else finding
        for finding in known
    )
    return tuple(named), history


def by_others(
    session: Session, baseline: Baseline, live: LiveState, found: Sequence[Finding], sent: Collection[Address]
) -> tuple[Baseline, tuple[Finding, ...]]:
    """Separate what others changed from what the org itself added because of our own deployment.

    The org fills in values, and makes policies for an app.

    The second kind is only seen on records that were `sent`, or beside them, and only where their last change falls into
    one of our deployments: who touches a record later is named there instead. Returns the baseline with it, and the rest
    with who.
    """
    if not found:
        return baseline, ()
    named, history = with_authors(session, baseline, live, found)
    others = []
    new = baseline
    apps = {address.name for address in sent if address.is_satellite or has_identity(address)}
    for finding in named:
        have = live.resources.get(finding.address)
        filled_in = finding.id == CHANGED and finding.address in sent and finding.path
        made_along = finding.id == UNMANAGED and finding.address.is_satellite and finding.address.name in apps
        if have is not None and (
            (filled_in and brought(have.modified, history, baseline.deployments, have))
            or (made_along and brought(have.created, history, baseline.deployments, have))
        ):
            new = accepted(new, live, finding.address, finding.path, watch_all=session.watch_all)
        else:
            others.append(finding)
    return (baseline if new is baseline else replace(new, serial=baseline.serial + 1)), tuple(others)


def brought(what: Modified, history: History, deployments: Collection[str], have: LiveResource) -> bool:
    """True if a record was made or changed by one of our deployments: by its user, between its begin and its end.

    Where the org does not tell its deployments, one that was not touched since it was made counts as ours.
    """
    if "deployments" in history.unknown:
        return not have.touched
    mine = {short_id(id) for id in deployments}
    # An org's dates are of whole seconds, and texts of one form sort like dates.
    return any(
        short_id(one.id) in mine
        and same_id(one.by_id, what.by_id)
        and one.started[:19] <= what.date[:19] <= (one.completed or "9")[:19]
        for one in history.deployments
    )
