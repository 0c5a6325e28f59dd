"""Whether the org asks for the client secret, found out without a real code or refresh token.

An org that looks at the client first refuses a made-up code with a wrong secret for the secret (`invalid_client`). If it
then refuses the same code without any secret for the code (`invalid_grant`), it did without. An org that looks at the
code first proves nothing that way, and is not judged.

Source: Salesforce Help, "Enable OAuth Settings for API Integration", steps 8 and 9.
"""

from collections.abc import Iterator, Mapping

from reconciler.schema.severity import Severity
from reconciler.verify.probe import Flow, Part, Probe, Refused, WrongSecret
from reconciler.verify.subject import Subject
from reconciler.world.apps import CALLBACKS, REFRESH_SECRET, SECRET_OPTIONAL, Setting

MADE_UP = "made.up.by.reconciler.verify"
CLIENT = frozenset({"invalid_client", "invalid_client_credentials"})


def of_codes(of: Subject) -> Iterator[Probe]:
    """Yield the probe that the web server flow asks for the client secret."""
    urls = of.says(CALLBACKS)
    if of.says(SECRET_OPTIONAL) is False and isinstance(urls, frozenset) and urls:
        form = {"grant_type": "authorization_code", "code": MADE_UP, "redirect_uri": min(urls)}
        because = "isConsumerSecretOptional is false"
        yield from _made_up(of, Flow.WEB_SERVER, "web_server.code", "a made-up code", form, because, SECRET_OPTIONAL)


def of_refreshing(of: Subject) -> Iterator[Probe]:
    """Yield the probe that the refresh token flow asks for the client secret."""
    if of.says(REFRESH_SECRET) is True and of.off is None:
        form = {"grant_type": "refresh_token", "refresh_token": MADE_UP}
        because = "isSecretRequiredForRefreshToken is true"
        yield from _made_up(of, Flow.REFRESH, "refresh.made_up", "a made-up token", form, because, REFRESH_SECRET)


def _made_up(
    of: Subject, flow: Flow, id: str, what: str, form: Mapping[str, Part], because: str, setting: Setting
) -> Iterator[Probe]:
    asked: dict[str, Part] = {**form, **of.credentials(secret=False)}
    yield of.probe(
        flow,
        f"{id}.wrong_secret",
        f"with {what} and a wrong client secret",
        Refused(CLIENT),
        {**asked, "client_secret": WrongSecret()},
        because,
        Severity.CRITICAL,
        setting,
    )
    yield of.probe(
        flow,
        f"{id}.no_secret",
        f"with {what} and no client secret",
        Refused(CLIENT | {"invalid_request"}, betrayed_by=frozenset({"invalid_grant"})),
        asked,
        because,
        Severity.HIGH,
        setting,
        control=f"{id}.wrong_secret",
    )
