"""What a configuration promises of the web server flow, as far as it can be seen without a login.

An org looks at the client, the callback URL and PKCE before it asks who is there: `redirect_uri_mismatch` (Salesforce
Help, "OAuth 2.0 Authorization Errors"), and `invalid_request` with "missing required code challenge"
(https://github.com/pgonzaleznetwork/HappySoup.io/issues/252, https://github.com/activepieces/activepieces/issues/15615).
"""

from collections.abc import Iterator

from reconciler.rules.flows import ORG_FLOWS
from reconciler.schema.severity import Severity
from reconciler.verify.client_secret import of_codes
from reconciler.verify.probe import Flow, Granted, Part, Probe, Refused
from reconciler.verify.subject import APP_OFF, Subject
from reconciler.world.apps import CALLBACKS, PKCE

NOBODYS = "https://reconciler-verify.invalid/callback"
"""A callback URL that no one has: the domain does not exist (RFC 2606)."""
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWBuGJSstw-cM"
"""The example of RFC 7636, appendix B: no code will ever come for it."""
CALLBACK = frozenset({"redirect_uri_mismatch", "redirect_uri_missing", "invalid_request"})
CLOSED = APP_OFF | {"OAUTH_APPROVAL_ERROR_GENERIC"}


def web_server(of: Subject) -> Iterator[Probe]:
    """Yield what the authorize endpoint must grant and refuse: declared callback URLs and no others, and nothing
    without PKCE."""
    declared = of.says(CALLBACKS)
    if not isinstance(declared, frozenset) or not declared:
        return
    urls = sorted(declared)
    form: dict[str, Part] = {
        "response_type": "code",
        "client_id": of.consumer_key,
        "redirect_uri": urls[0],
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    if of.off is not None:
        yield of.probe(
            Flow.WEB_SERVER,
            "web_server.off",
            "although the app is switched off",
            Refused(CLOSED),
            form,
            f"{of.off[1][0]} is false",
            Severity.HIGH,
            of.off,
        )
        return
    for number, url in enumerate(urls):
        yield of.probe(
            Flow.WEB_SERVER,
            f"web_server{f'.{number + 1}' if number else ''}",
            f"to {url}",
            Granted(),
            {**form, "redirect_uri": url},
            "the callback URL is declared",
            Severity.MEDIUM,
            CALLBACKS,
        )
    yield of.probe(
        Flow.WEB_SERVER,
        "web_server.unregistered",
        "to a callback URL that nobody has",
        Refused(CALLBACK),
        {**form, "redirect_uri": NOBODYS},
        "the callback URL is not declared",
        Severity.CRITICAL,
        CALLBACKS,
        control="web_server",
    )
    held = of.live.value(CALLBACKS)
    for number, url in enumerate(sorted(held - declared) if isinstance(held, frozenset) else ()):
        yield of.probe(
            Flow.WEB_SERVER,
            f"web_server.undeclared{f'.{number + 1}' if number else ''}",
            f"to {url}, which the org has and no file",
            Refused(CALLBACK),
            {**form, "redirect_uri": url},
            "the callback URL is not declared",
            Severity.CRITICAL,
            CALLBACKS,
            control="web_server",
        )
    by_app = of.says(PKCE) is True
    if by_app or of.app.world.value(ORG_FLOWS, ("isPkceRequired",)) is True:
        yield of.probe(
            Flow.WEB_SERVER,
            "web_server.no_pkce",
            "without a code challenge",
            Refused(frozenset({"invalid_request", "invalid_grant"})),
            of.without(form, "code_challenge", "code_challenge_method"),
            "isPkceRequired is true",
            Severity.HIGH,
            of.app.spot(PKCE) if by_app else (ORG_FLOWS, ("isPkceRequired",)),
            control="web_server",
        )
    yield from of_codes(of)
