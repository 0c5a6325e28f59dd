"""What a project makes of the rules: severities of its own, and waivers. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.finding import Finding
from reconciler.model.spelling import fits
from reconciler.schema.severity import Severity

EXPIRED, UNUSED = "waiver.expired", "waiver.unused"
OWN = {EXPIRED: Severity.MEDIUM, UNUSED: Severity.LOW}
"""Findings about waivers themselves."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A broken rule that an owner answers for, until a day."""

    rule: str
    address: Address
    """Its name may end in `*`, and is in any letters."""
    reason: str
    owner: str
    expires: date
    """The last day that it holds."""
    place: Place | None = None

    def covers(self, finding: Finding) -> bool:
        return finding.id == self.rule and self.names(finding.address)

    def names(self, address: Address) -> bool:
        """Whether the waiver is about that resource."""
        pattern = str(self.address).replace("[", "[[]").replace("?", "[?]")
        return address.kind == self.address.kind and fits(address, pattern)

    def __str__(self) -> str:
        return f"{self.reason} ({self.owner}, until {self.expires.isoformat()})"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Severities and waivers that hold for one org of a project."""

    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    """Rule id -> severity; `None` for a rule that is switched off."""
    waivers: tuple[Waiver, ...] = ()


def waived(
    findings: Iterable[Finding], settings: RuleSettings, today: date, *, seen: Callable[[Waiver], bool]
) -> tuple[Finding, ...]:
    """Mark what is waived, and add what is wrong with the waivers: expired ones, and those that nothing needs.

    `seen` tells whether all that a waiver is about was looked at: only then is one that covers nothing known to be unused.
    """
    found: list[Finding] = []
    used: set[Waiver] = set()
    for finding in findings:
        covering = [waiver for waiver in settings.waivers if waiver.covers(finding)]
        used.update(covering)
        holding = next((waiver for waiver in covering if waiver.expires >= today), None)
        found.append(replace(finding, waived=str(holding)) if holding is not None else finding)
    for waiver in settings.waivers:
        if waiver in used and waiver.expires < today:
            message = f"the waiver of {waiver.rule} ended on {waiver.expires.isoformat()}: {waiver.reason}"
            found += _about(EXPIRED, waiver, settings, message, "mend what it covered, or have its owner renew it")
        elif waiver not in used and seen(waiver):
            message = f"nothing breaks {waiver.rule} here: the waiver is not needed"
            found += _about(UNUSED, waiver, settings, message, "remove it from reconciler.yaml")
    return tuple(found)


def _about(id: str, waiver: Waiver, settings: RuleSettings, message: str, mend: str) -> Iterable[Finding]:
    severity = settings.severities.get(id, OWN[id])
    if severity is not None:
        meaning = "Waivers that nobody looks after hide the next mistake."
        yield Finding(
            id, severity, waiver.address, message, place=waiver.place, mend=mend, meaning=meaning, subject=waiver.rule
        )
