"""What a finding is about and what happened there, in words on one line."""

from reconciler.model.changes import Plan
from reconciler.model.finding import Finding
from reconciler.render.words import value_text
from reconciler.render.words.safe import line
from reconciler.schema.severity import Direction

WORDS = 4_000
"""So many characters are shown of one value or sentence, where nothing else bounds them."""


def where(finding: Finding) -> str:
    """What a finding is about, on one line: `ConnectedApp/Portal.oauthConfig.callbackUrl`"""
    return line(".".join([str(finding.address), *finding.path]), WORDS)


def moved(finding: Finding) -> str:
    """How the value of a finding changed: `true → false`; empty if it is no drift or has no values. Secrets are hidden."""
    if not finding.is_drift or (finding.old is None and finding.new is None):
        return ""
    schema = value_text.schema(finding.address)
    return line(value_text.difference(schema, finding.path, finding.old, finding.new), WORDS)


def way(finding: Finding) -> str:
    """Return the direction of a finding in words: `weakens`, `tightens`, with `unmanaged` where no file declares the
    resource."""
    direction = [] if finding.direction is Direction.NEUTRAL else [str(finding.direction)]
    return ", ".join([*direction, *(["unmanaged"] if finding.unmanaged else [])])


def what(finding: Finding) -> str:
    """What happened, on one line: `true → false (weakens)`, or the finding's message."""
    told = moved(finding)
    if not told:
        return line(finding.message or finding.id, WORDS) + (" (unmanaged)" if finding.unmanaged else "")
    return f"{told} ({way(finding)})" if way(finding) else told


def undeclared_beside(plan: Plan) -> str:
    """The words about apps that are in no file, which are added to the last line of a plan."""
    return undeclared(plan.undeclared_apps, plan.managed + len(plan.changes) + len(plan.adopted))


def undeclared(apps: int | None, managed: int = 1) -> str:
    """How many apps are in no file, to be added to a last line: ` 33 apps are in no file; …`.

    Empty if there are none, or if that is not known.
    """
    if not apps:
        return ""
    are, them = ("is", "it") if apps == 1 else ("are", "them")
    are = f"{value_text.count(apps, 'app')} {are} in no file; reconciler pull takes {them} in."
    return f" {are}" if managed else f" Nothing is managed: {are}"
