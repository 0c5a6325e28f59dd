"""Asking for a token: one POST to a token endpoint, within the limits of any session, and what a no means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from providers.salesforce.login.place import Access, org_at
from providers.salesforce.wire.oauth_endpoints import TOKEN, hold_tokens, no_answer, told
from providers.salesforce.wire.polling import Patience, never_sent, not_busy, unreachable
from providers.salesforce.wire.session import OrgSession, token_of
from reconciler.errors import Complaint, NotAllowedError, ReconcilerError, UnreachableError

MAX_ANSWER_BYTES = 1024 * 1024
_SKEW_SECONDS = 60.0
"""More than this, and the clock is worth a word where a login fails."""

OpenSession = Callable[[str], OrgSession]


def open_session(origin: str) -> OrgSession:
    """A session for a login alone: bound to its host, so that nothing of it mixes with what goes to the org."""
    session = OrgSession(max_bytes=MAX_ANSWER_BYTES)
    session.bind(origin)
    return session


@dataclass(frozen=True, slots=True)
class Door:
    """How logins are sent: in sessions of their own, with pauses while there is no answer."""

    open: OpenSession = open_session
    patience: Patience = field(default_factory=lambda: Patience(tries=3))

    def ask(
        self,
        origin: str,
        form: Mapping[str, str],
        flow: str,
        pinned: str,
        *,
        basic: tuple[str, str] | None = None,
        audience: str = "",
        once: bool = False,
    ) -> tuple[Access, Mapping[str, Any]]:
        """Ask the token endpoint of a host, which has been checked, for an access token; `basic` is sent as the client's
        name and secret. Returns it with the whole answer. `once` is for what may be used up by asking: it is asked again
        only if the request certainly never arrived.

        Raises NotAllowedError with what Salesforce said, UnreachableError, RefusedError if the answer names another org.
        """
        session = self.open(origin)

        def call() -> tuple[int, bytes, float | None]:
            headers = {"Accept": "application/json"}
            sign = None if basic is None else HTTPBasicAuth(basic[0].encode(), basic[1].encode())
            # `auth=None` would take what the session has, which is nothing: see OrgSession.
            try:
                answer = session.post(f"{origin}{TOKEN}", data=dict(form), headers=headers, auth=sign)
            except requests.RequestException as lost:
                if once and not never_sent(lost):
                    raise unreachable(origin, lost) from None
                raise
            not_busy(answer)
            return answer.status_code, answer.content, session.ahead

        status, content, ahead = self.patience.insist(call, origin)
        found = told(content)
        if "access_token" in found and status < 300:
            hold_tokens(found)
            token = token_of(found["access_token"], f"the answer of {origin}")
            return Access(token, org_at(str(found.get("instance_url") or ""), origin, pinned)), found
        if not isinstance(found.get("error"), str):
            raise no_answer(origin, content)
        raise refusal(origin, flow, found["error"], str(found.get("error_description") or ""), ahead, audience)


_NEW_APP = "an app that was created or changed just now is known everywhere after up to 10 minutes"
_APPROVE = (
    "in the app's OAuth policies set Permitted Users to `Admin approved users are pre-authorized`, and give the app to the"
    " user's profile or to a permission set of theirs; where all users may authorize themselves, the user has to have done"
    " it once in a browser, with the scope RefreshToken"
)
_INSTALL = (
    "the app is not in this org (a new sandbox has none of those that were made after it): check instance_url and client_id,"
    " or install or create the app there"
)
_MENDS: tuple[tuple[str, str, str], ...] = (
    # flow (any if empty), a part of `error: description` in small letters, what to do
    ("", "hasn't approved this consumer", _APPROVE),
    ("", "invalid_app_access", _APPROVE),
    ("", "not admin approved", _APPROVE),
    ("jwt", "audience", "the audience is {audience}: set `sandbox: true` for a sandbox or scratch org, `sandbox: false` for"
     " production, or `audience:` for a host of your own"),
    ("jwt", "expired", "check this machine's clock; the assertion that we sign is good for three minutes"),
    ("jwt", "invalid assertion", "check that the certificate in the app belongs to private_key, and this machine's clock"),
    ("sfdx_url", "expired", "the refresh token is over, was revoked, or was exchanged for a new one (refresh token"
     " rotation): log in again with the Salesforce CLI and store what `sf org auth show-sfdx-auth-url` shows"),
    ("client_credentials", "no client credentials user", "choose the user to run as in the app's policies"),
    ("client_credentials", "not supported on this domain", "set instance_url to the org's My Domain"),
    ("client_credentials", "no valid scopes", "give the app the scope Api: Full, Web and RefreshToken do not count here"),
    ("", "ip restricted", "the app or the profile takes logins from some networks only: see IP Relaxation and Login IP Ranges"),
    ("", "invalid login hours", "the user's profile takes no logins at this hour"),
    ("", "app is blocked", "an admin has blocked or not installed the app: see Connected Apps OAuth Usage in Setup"),
    ("", "inactive_user", "the user is inactive: activate them, or log in as another"),
    ("", "inactive_org", "the org is locked, closed or suspended: look at it in a browser"),
    ("", "rate_limit_exceeded", "too many logins: wait, and log in less often"),
    ("", "not installed", _INSTALL),
    ("", "invalid_client_id", f"check client_id; {_NEW_APP}"),
    ("", "client identifier invalid", f"check client_id; {_NEW_APP}"),
    ("jwt", "invalid_client", f"check client_id, and that the app is in this org and has the certificate of private_key;"
     f" {_NEW_APP}"),
    ("sfdx_url", "invalid_client", "the app of this SFDX auth URL is not taken here, or its secret was replaced: log in again"
     " with the Salesforce CLI and store what `sf org auth show-sfdx-auth-url` shows"),
    ("", "invalid_client", f"check the client secret, which a rotation replaces; {_NEW_APP}"),
    ("", "unsupported_grant_type", "switch this flow on in the app's OAuth settings, and in its policies"),
    ("", "invalid_scope", "the app has no scope that this login needs: it needs Api, and to renew itself RefreshToken"),
    ("", "authentication failure", "check username and credentials; look at the user's Login History in Setup"),
    ("", "invalid_grant", "look at the user's Login History in Setup: it says why"),
)  # fmt: skip
"""Sources: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm; rotation of refresh
tokens: https://help.salesforce.com/apex/HTViewHelpDoc?id=remoteaccess_oauth_refresh_token_flow.htm; ten minutes:
https://developer.salesforce.com/blogs/2026/02/jp-access-the-salesforce-api-from-externalclientapp; users who have not
approved: https://help.salesforce.com/s/articleView?id=001121341."""


def refusal(origin: str, flow: str, error: str, said: str, ahead: float | None, audience: str = "") -> ReconcilerError:
    """The error for a token endpoint's no, with its own words and a mend for those that are common."""
    quote = f"{error}: {said}" if said else error
    words = quote.casefold()
    mend = next((mend for of, part, mend in _MENDS if of in ("", flow) and part in words), "look at the app in Setup")
    if flow == "jwt" and ahead is not None and abs(ahead) > _SKEW_SECONDS:
        mend = f"{clock(ahead)}: set it right, or the assertion counts as expired; otherwise {mend}"
    kind = UnreachableError if error == "rate_limit_exceeded" else NotAllowedError
    return kind(
        Complaint(f"{origin} refuses the login by {flow}", mend=mend.replace("{audience}", audience), quote=quote)
    )


def clock(ahead: float) -> str:
    """How far our clock is off, in words."""
    far = f"{abs(ahead) / 60:.0f} minutes" if abs(ahead) >= 120 else f"{abs(ahead):.0f} seconds"
    return f"this machine's clock is {far} {'ahead of' if ahead > 0 else 'behind'} Salesforce's"
