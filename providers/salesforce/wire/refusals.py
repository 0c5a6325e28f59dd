"""What an org says when it says no to a whole call, turned into our errors with its own words kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.salesforce.wire.polling import PassingError
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
LOCKED = ("UNABLE_TO_LOCK_ROW", "ALREADY_IN_PROCESS", "ENTITY_IS_LOCKED", "RECORD_LOCKED")
"""Another user was at it: what was asked for was not done, and may be asked for again a little later."""
_BROKEN = "UNKNOWN_EXCEPTION"
"""Something went wrong in the org: it says neither what, nor how far it got."""
_LATER = ("SERVER_UNAVAILABLE", "EXCEEDED_MAX_SEMAPHORE", "QUERY_TIMEOUT", _BROKEN, *LOCKED)
"""Over soon, mostly."""
_UNLISTED = ("INVALID_CROSS_REFERENCE_KEY", "INVALID_ID_FIELD", "INVALID_ID", "MALFORMED_ID")
_TEXTS = ("query cursor", "internal servlet state", "bad message 400")
"""Of passing troubles without a code of their own, as the Salesforce CLI's source-deploy-retrieve knows them."""


class SessionDiedError(NotAllowedError):
    """The session is over, or never was one: another login may help, and the call has done nothing."""


class LimitError(UnreachableError):
    """The org has had all the calls that it takes in a day. Asking again would only make it worse."""


class UnknownJobError(ReconcilerError):
    """The org does not know a deployment or a retrieve of that id."""


def refusal(host: str, code: str, text: str) -> ReconcilerError:
    """Return our error for a SOAP fault or REST error of an org."""
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
    if code == "REQUEST_LIMIT_EXCEEDED":
        mend = "wait: the limit counts the last 24 hours; see Setup, Company Information, API Requests"
        return LimitError(Complaint(f"{host} takes no more calls: the daily limit is used up", mend=mend, quote=quote))
    if code.startswith(_LATER) or any(known in text.casefold() for known in _TEXTS):
        if code == _BROKEN:
            mend = "try again; if it stays, give Salesforce support the ErrorId"
            return PassingError(Complaint(f"{host} had an error of its own", mend=mend, quote=quote))
        return PassingError(Complaint(f"{host} is too busy now", mend="try again later", quote=quote))
    error = UnknownJobError if code in _UNLISTED else ReconcilerError
    return error(Complaint(f"{host} refused the call", quote=quote))


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
