"""What an org says when it says no to a whole call, turned into our errors with its own words kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import Complaint, NotAllowedError, ReconcilerError, RefusedError, UnreachableError

_LOGIN = ("INVALID_SESSION_ID", "SESSION_EXPIRED", "INVALID_AUTH_HEADER", "INVALID_LOGIN", "LOGIN_", "BAD_OAUTH_TOKEN")
_DIED = ("INVALID_SESSION_ID", "SESSION_EXPIRED")
_PERMISSION = (
    "INSUFFICIENT_ACCESS",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "FUNCTIONALITY_NOT_ENABLED",
    "FORBIDDEN",
)
_LATER = ("REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "EXCEEDED_MAX_SEMAPHORE")


class SessionDiedError(NotAllowedError):
    """The session is over, or never was one: another login may help, and the call has done nothing."""


def refusal(host: str, code: str, text: str) -> ReconcilerError:
    """The error for a fault or a REST error of an org."""
    quote = text if text.startswith(code) or not code else f"{code}: {text}"
    if "JWT-based" in text:
        return NotAllowedError(
            Complaint(
                f"{host} does not take this token for its SOAP API, which reading needs",
                mend="switch off JWT-based access tokens (isNamedUserJwtEnabled) for the app that we log in with",
                quote=quote,
            )
        )
    if code.startswith(_LOGIN):
        kind = SessionDiedError if code in _DIED else NotAllowedError
        return kind(
            Complaint(
                f"{host} does not accept the login",
                mend="log in again: the access token is wrong or expired",
                quote=quote,
            )
        )
    if code.startswith(_PERMISSION):
        return NotAllowedError(
            Complaint(
                f"{host} does not allow this to our user",
                mend="the user needs API Enabled and Modify Metadata Through Metadata API Functions",
                quote=quote,
            )
        )
    if code.startswith(_LATER):
        return UnreachableError(Complaint(f"{host} takes no more calls now", mend="try again later", quote=quote))
    return ReconcilerError(Complaint(f"{host} refused the call", quote=quote))


@contextmanager
def noting(unknown: dict[str, str], topic: str) -> Iterator[None]:
    """Note the org's words under `topic` where it does not let us ask; what concerns more than the topic goes on up.

    What a user may not see does not exist for the query API (INVALID_TYPE), so any refusal of a query counts.
    """
    try:
        yield
    except (UnreachableError, RefusedError):
        raise
    except ReconcilerError as no:
        words = next((complaint.quote for complaint in no.complaints if complaint.quote), str(no))
        if words.startswith(_LOGIN):
            raise
        unknown[topic] = words
