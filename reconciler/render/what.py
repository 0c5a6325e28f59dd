"""What a finding is about and what happened there, in words on one line."""

from reconciler.model import Finding
from reconciler.render import values
from reconciler.render.safe import line
from reconciler.security import Direction

WORDS = 4_000
"""So many characters are shown of one value or sentence, where nothing else bounds them."""


def where(finding: Finding) -> str:
    """`ConnectedApp/Portal.oauthConfig.callbackUrl`"""
    return line(".".join([str(finding.address), *finding.path]), WORDS)


def moved(finding: Finding) -> str:
    """`true → false`; empty where no value moved, or where the message says it better. Secrets are hidden."""
    if not finding.is_drift or (finding.old is None and finding.new is None):
        return ""
    schema = values.schema(finding.address)
    return line(values.difference(schema, finding.path, finding.old, finding.new), WORDS)


def way(finding: Finding) -> str:
    """`weakens`, `tightens`, or nothing."""
    return "" if finding.direction is Direction.NEUTRAL else str(finding.direction)


def what(finding: Finding) -> str:
    """`true → false (weakens)`, or the message."""
    told = moved(finding)
    if not told:
        return line(finding.message or finding.id, WORDS)
    return f"{told} ({way(finding)})" if way(finding) else told
