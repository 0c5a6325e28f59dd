"""Who we are to an org: an access token, got when the first call needs it and got anew when its session has died."""

from collections.abc import Callable
from typing import TypeVar

from providers.salesforce.wire.refusals import SessionDiedError
from reconciler.redaction import hold

T = TypeVar("T")


class Credentials:
    """Logs in when the first call needs a token, and again when it has expired. Before that nothing is looked up."""

    def __init__(self, log_in: Callable[[], str], *, renewable: bool = True) -> None:
        self._log_in, self._renewable = log_in, renewable
        self._token = ""

    @classmethod
    def fixed(cls, token: str) -> "Credentials":
        """Return credentials with a token that cannot be renewed."""
        return cls(lambda: token, renewable=False)

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def token(self) -> str:
        """The access token. The first time this logs in: raises what the login raises."""
        self._token = self._token or hold(self._log_in())
        return self._token

    def alive(self, call: Callable[[str], T]) -> T:
        """What the call returns; if the org says that the session has died, once more with a new one.

        An org that says so has done nothing else, so this is safe for calls that change it, too.
        """
        token = self.token
        try:
            return call(token)
        except SessionDiedError:
            if not self._renewable:
                raise
            if self._token == token:
                self._token = ""
            return call(self.token)
