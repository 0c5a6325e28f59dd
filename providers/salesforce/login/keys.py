"""The keys of `login` in the project file, with secrets looked for at the last moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import Complaint, InputError
from reconciler.provider import Secrets
from reconciler.schema.values import SecretRef

NAMES = ("client_id", "client_secret", "username", "alias")
"""What never has blanks or quotes around it. The org would only say that it does not know it. (A password may have.)"""


def _odd(text: str) -> str:
    """What is odd about a name, in words: it stands in quotes, or blanks surround it; empty if nothing is."""
    if text != text.strip():
        return "begins or ends with a blank or a line break"
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'`":
        return "stands in quotes"
    return ""


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """What the project file says of one login. Nothing in it is shown."""

    flow: str
    keys: Mapping[str, object]
    secrets: Secrets

    def need(self, *names: str) -> None:
        """Raise InputError if a key is missing. Looks for no secret."""
        missing = [name for name in names if self.keys.get(name) in (None, "")]
        if missing:
            raise InputError(
                *(Complaint(f"login: {name} is missing", mend=f"the flow {self.flow} needs it") for name in missing)
            )

    def text(self, name: str) -> str:
        """The value of a key, a secret's too: call it only when it is known where the value goes. Empty if absent."""
        value = self.keys.get(name)
        text = self.secrets(value) if isinstance(value, SecretRef) else "" if value is None else str(value)
        if name in NAMES and (problem := _odd(text)):
            raise InputError(Complaint(f"login: {name} {problem}", mend="see where it comes from, and take that away"))
        return text

    def flag(self, name: str) -> bool | None:
        """True or false, or `None` if the key is absent."""
        value = self.keys.get(name)
        return value if isinstance(value, bool) else None
