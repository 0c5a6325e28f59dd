"""What a command found or did, as a value: drift, check, apply, pull."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.address import Address
from reconciler.model.changes import Change, Plan, Step
from reconciler.model.deployment import Deployed, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body, Path, Value


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What changed in an org without the files, and what the org was compared with."""

    org: OrgInfo
    findings: tuple[Finding, ...] = ()
    against: str = "baseline"
    """`baseline` or `desired`."""
    compared: tuple[Address, ...] = ()
    """The resources that were compared."""
    in_flight: tuple[Deployment, ...] = ()
    """Deployments that are under way: what they change is not drift."""
    notes: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read -> why, in the org's words. Neither fine nor gone: not judged."""
    resolved: tuple[str, ...] = ()
    """Addresses and fields of findings that an earlier report had and that are gone."""
    undeclared_apps: int | None = None
    """How many apps of the org are in no file; `None` if the files could not be read."""
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    """What the org has, for drawing it. Not shown otherwise."""
    created: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the rules say of the files, or of an org as it is."""

    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    checked: tuple[Address, ...] = ()
    """The resources that were looked at."""
    org: OrgInfo | None = None
    """`None` for files alone."""
    notes: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read -> why, in the org's words. Neither fine nor gone: not judged."""
    resolved: tuple[str, ...] = ()
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    created: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of an apply, and what became of it."""

    step: Step
    landing: Landing
    deployed: Deployed | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an apply did."""

    plan: Plan
    steps: tuple[StepResult, ...] = ()
    left: tuple[Change, ...] = ()
    """What the second plan still wants. Empty if all is well."""
    seconds: float = 0.0
    unread: str = ""
    """Why the org could not be read back after a step landed. The baseline then holds what was sent."""
    interrupted: bool = False
    """True if someone stopped it (Ctrl-C, SIGTERM)."""
    meanwhile: tuple[Finding, ...] = ()
    """Drift that came about while the apply was under way: what others changed, and what the org made of what was sent."""
    baseline_written: bool = False
    """True if the baseline is not what it was before."""


@dataclass(frozen=True, slots=True)
class PulledField:
    """One field of a file that a pull gave the org's value."""

    address: Address
    path: Path
    old: Value
    """Canonical, as the file had it; `None` where it said nothing."""
    new: Value
    file: str
    secret: bool = False
    direction: Direction = Direction.NEUTRAL
    """What the change does to the security of the org, from what the file had to what the org has."""
    severity: Severity = Severity.LOW


@dataclass(frozen=True, slots=True)
class PulledFile:
    """One file that a pull writes."""

    name: str
    """Relative to the project folder."""
    action: str
    """`create`, `change` or `remove`."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull took from the org into the files, or would."""

    org: OrgInfo
    checked: bool = False
    """Whether nothing was written, since only that was asked."""
    files: tuple[PulledFile, ...] = ()
    taken: Mapping[Address, str] = field(default_factory=dict)
    """Records that no file declared -> the file that they stand in now."""
    fields: tuple[PulledField, ...] = ()
    gone: tuple[Address, ...] = ()
    """Records that were taken out of the files, since the org has them no more."""
    accepted: tuple[tuple[Address, Path], ...] = ()
    """Drift that no file has to say anything about."""
    left: tuple[tuple[str, str, str], ...] = ()
    """What differs and was left alone: what, why, and what to do about it."""
    omitted: tuple[tuple[Address, Path, str], ...] = ()
    """What of the records no file can hold, and why."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the org that are new, or have another value."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What of the org could not be read, and is in no file for that -> the org's reason."""
    adopted: int = 0
    """How many records the baseline holds as ours since then, and did not before."""
    created: str = ""
    """ISO 8601, UTC."""

    @property
    def anything(self) -> bool:
        """Whether the pull had anything to change, in the files or in the baseline."""
        return bool(self.files or self.accepted or self.adopted)
