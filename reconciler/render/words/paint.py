"""Colours, or none: the same words either way, because a pipe and a colour-blind reader must not lose anything."""

from dataclasses import dataclass

from reconciler.model.changes import Action
from reconciler.schema.severity import Severity

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "alarm": "1;31"}
_SEVERITIES = {
    Severity.CRITICAL: "alarm",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_ACTIONS = {
    Action.CREATE: ("  +", "green"),
    Action.UPDATE: ("  ~", "yellow"),
    Action.DELETE: ("  -", "red"),
    Action.REPLACE: ("-/+", "alarm"),
}


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps words in colours if `on`, else leaves them as they are. Give it only text that is safe already."""

    on: bool = False

    def __call__(self, text: str, colour: str) -> str:
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.on and text else text

    def severity(self, severity: Severity, text: str = "") -> str:
        return self(text or str(severity), _SEVERITIES[severity])

    def symbol(self, action: Action) -> str:
        """The symbol of an action, three characters wide: `+`, `~`, `-` or `-/+`."""
        return self(*_ACTIONS[action])
