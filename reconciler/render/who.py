"""Who changed something, when, and how sure that is, in words."""

from reconciler.model import Attribution, Confidence, Finding
from reconciler.render.safe import line

_SURE = {
    Confidence.HIGH: "the audit trail agrees",
    Confidence.MEDIUM: "medium confidence",
    Confidence.UNKNOWN: "not certain",
}


def who(finding: Finding) -> str:
    """`jane@acme.example at 2026-11-22T07:14:00Z (the audit trail agrees)`; empty if nothing at all is known."""
    found = finding.attribution
    if found is None:
        modified = finding.modified
        return line(modified) if modified.by or modified.date else ""
    if not (found.by or found.by_id or found.date):
        return "somebody whom the org does not name"
    words = f"{line(found.by or found.by_id or 'unknown')} at {line(found.date or 'an unknown time')}"
    return f"{words} ({', '.join(_how(found))})"


def _how(found: Attribution) -> list[str]:
    told = [_SURE[found.confidence]]
    if found.delegate:
        told.append(f"{line(found.delegate)} had logged in as that user")
    if found.deployment:
        told.append(f"by {'our own ' if found.ours else ''}deployment {line(found.deployment)}")
    return told


def uncounted(finding: Finding) -> str:
    """Why a finding is shown and not counted; empty if it counts."""
    if finding.waived:
        return f"waived: {line(finding.waived)}"
    if finding.deferred:
        return f"deployment {line(finding.deferred)} is under way"
    return "ignored by lifecycle.ignore" if finding.ignored else ""
