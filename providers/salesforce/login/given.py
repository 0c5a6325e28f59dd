"""The keys of `login` in the project file, with secrets looked for at the last moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import Complaint, InputError
from reconciler.kind import SecretRef
from reconciler.provider import Secrets


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
        if isinstance(value, SecretRef):
            return self.secrets(value)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool | None:
        """True or false, or `None` if the key is absent."""
        value = self.keys.get(name)
        return value if isinstance(value, bool) else None
