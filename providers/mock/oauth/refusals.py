"""The refusals of the token endpoint, with Salesforce's error codes; each refusal is one function.

"Flow errors" gives the codes. Most descriptions are quoted in public issues and runbooks, named beside them; "ours" where
no one quotes one. No text repeats what a client sent: it may be a secret.
"""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 (it is an answer of the org, not a failure of ours)
    """The org issues no token; `error` and `description` are what the client reads.

    With `leaves_traces` what the flow wrote until then stays: a reused refresh token ends its whole family.
    """

    def __init__(self, error: str, description: str, *, leaves_traces: bool = False, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.leaves_traces, self.status = error, description, leaves_traces, status


def unknown_client(*, propagating: bool = False) -> Refused:
    # The pair is quoted in many issues, e.g. github.com/pozil/salesforce-react-integration/issues/15.
    return Refused("invalid_client_id", "client identifier invalid", leaves_traces=propagating)


def wrong_secret() -> Refused:
    # github.com/restforce/restforce/issues/338
    return Refused("invalid_client", "invalid client credentials")


def blocked() -> Refused:
    # github.com/n8n-io/n8n/issues/21589 shows the pair at authorize; that the token endpoint says the same is ours.
    return Refused("OAUTH_APP_BLOCKED", "this app is blocked by admin")


def not_approved() -> Refused:
    # github.com/forcedotcom/cli/issues/3260
    return Refused("invalid_app_access", "user is not admin approved to access this app")


def never_approved() -> Refused:
    # github.com/JitendraZaa/OAuthFlows/issues/1
    return Refused("invalid_grant", "user hasn't approved this consumer")


def unsupported_grant() -> Refused:
    # github.com/aaronhuggins/sf-jwt-token/issues/1
    return Refused("unsupported_grant_type", "grant type not supported")


def scope_too_wide() -> Refused:
    # github.com/jetstreamapp/jetstream/issues/1462
    return Refused("invalid_scope", "the requested scope is not allowed")


def scope_not_taken() -> Refused:
    # Reported for client credentials and JWT bearer by several public runbooks.
    return Refused("invalid_request", "scope parameter not supported")


def inactive_user() -> Refused:
    # The code is in "flow errors"; the description is ours.
    return Refused("inactive_user", "user is inactive")


def authentication_failure() -> Refused:
    # github.com/jsforce/jsforce/issues/482
    return Refused("invalid_grant", "authentication failure")


def expired_token(*, leaves_traces: bool = False) -> Refused:
    # "Flow errors" shows this very answer of the refresh token flow.
    return Refused("invalid_grant", "expired access/refresh token", leaves_traces=leaves_traces)


def expired_code() -> Refused:
    # salesforce.stackexchange.com/questions/282513 quotes it, there for a JWT whose time is over.
    return Refused("invalid_grant", "expired authorization code")


def redirect_missing() -> Refused:
    # The code is in "flow errors"; the description is ours.
    return Refused("redirect_uri_missing", "redirect_uri is required")


def redirect_mismatch() -> Refused:
    # The pair is quoted in the sources of several clients.
    return Refused("redirect_uri_mismatch", "redirect_uri must match configuration")


def missing_challenge() -> Refused:
    # github.com/pgonzaleznetwork/HappySoup.io/issues/252
    return Refused("invalid_request", "missing required code challenge")


def wrong_verifier() -> Refused:
    # salesforce.stackexchange.com/questions/330168
    return Refused("invalid_grant", "invalid code verifier")


def flow_is_off(flow: str) -> Refused:
    # Ours. Reports name invalid_grant, unauthorized_client and unsupported_grant_type for a flow that is off.
    return Refused("invalid_grant", f"{flow} flow is not enabled for this app")


def wrong_request(text: str) -> Refused:
    """The refusal of a request with a missing or odd parameter; `text` is ours."""
    return Refused("invalid_request", text)


def invalid_grant(text: str) -> Refused:
    return Refused("invalid_grant", text)
