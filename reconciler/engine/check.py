"""Checks: rules on files, or on an org as it is. Nothing here writes."""

from datetime import datetime

from reconciler.desired.load import undeclared
from reconciler.engine.session import (
    Session,
    ask_facts,
    identified,
    read_live,
    stamp,
    time_of,
)
from reconciler.model.applied import Baseline
from reconciler.model.declared import Snapshot
from reconciler.model.live import NOT_RECORDED
from reconciler.model.reports import CheckReport
from reconciler.rules import judging
from reconciler.rules.settings import RuleSettings


def check_files(desired: Snapshot, rules: RuleSettings, now: datetime) -> CheckReport:
    """What the rules say of the files. What only an org can tell is not checked, and said so."""
    findings, unchecked = judging.files(desired, rules, now.date())
    return CheckReport(
        judging.placed(findings, desired),
        (*undeclared(desired), *unchecked),
        tuple(sorted(desired.resources)),
        bodies={address: want.body for address, want in desired.resources.items()},
        created=stamp(now),
    )


def check_org(session: Session, *, secrets: bool = False) -> CheckReport:
    """Judge an org as it is by the rules. What could not be read is in the report: see `refuse_unread`.

    `secrets` asks when the apps' consumer secrets were made, which brings the secrets along: not every login should.
    """
    identified(session)
    live = read_live(session.provider, session.desired, Baseline(), session.progress)
    bodies = {address: have.body for address, have in live.resources.items()}
    apps = [address.name for address in bodies if address.kind == "ExternalClientApplication"] if secrets else []
    facts = ask_facts(session, judging.users(bodies), apps)
    findings, unchecked = judging.org(live, facts, session.rules, session.now().date())
    return CheckReport(
        judging.placed(findings, session.desired, bodies),
        unchecked,
        tuple(sorted(live.resources)),
        live.org,
        # A class that only files name is not of the org as it is.
        unreadable={what: why for what, why in live.hidden.items() if why != NOT_RECORDED},
        notes=live.not_comparable,
        bodies=bodies,
        created=time_of(session),
    )
