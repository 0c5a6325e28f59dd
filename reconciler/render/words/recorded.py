"""The heading of the output of a replay, a run that reads a recording instead of an org. Pure."""

from datetime import timedelta

from reconciler.model.facts import moment
from reconciler.model.live import OrgInfo
from reconciler.render.words import value_text
from reconciler.render.words.safe import line


def heading(org: OrgInfo | None, created: str) -> str:
    """Return the heading of a replay, `REPLAY of a recording made at 2026-11-19T08:00:00Z, 3 days ago. …`; empty where
    the org was asked."""
    if org is None or not org.recorded:
        return ""
    made = age(org.recorded, created)
    return (
        f"REPLAY of a recording made at {line(org.recorded, 40)}{f', {made}' if made else ''}."
        " The org itself was not asked, and this cannot be applied."
    )


def age(recorded: str, created: str) -> str:
    """How long ago a moment was: `3 days ago`; empty where one of the two is no date."""
    then, now = moment(recorded), moment(created)
    if then is None or now is None:
        return ""
    passed = now - then
    if passed < timedelta(0):
        return "in the future"
    if passed >= timedelta(days=2):
        return f"{value_text.count(passed.days, 'day')} ago"
    if passed >= timedelta(hours=2):
        return f"{value_text.count(int(passed.total_seconds() // 3600), 'hour')} ago"
    return f"{value_text.count(int(passed.total_seconds() // 60), 'minute')} ago"
