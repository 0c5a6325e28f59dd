"""What a configuration promises of the client credentials flow. Source: Salesforce Help, "Configure an External Client App
for the OAuth 2.0 Client Credentials Flow" and "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration"."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.schema.severity import Severity
from reconciler.verify.probe import Flow, Part, Probe, Refused, WrongSecret
from reconciler.verify.subject import APP_OFF, GRANT, PAST_THE_FLOW, SECRET, Subject
from reconciler.world.apps import CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_POLICY, CLIENT_CREDENTIALS_USER


def client_credentials(of: Subject) -> Iterator[Probe]:
    """Yield what the client credentials flow must grant and refuse: a token of the declared user, with the secret and
    not without."""
    switched = of.switched(CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_POLICY)
    form: dict[str, Part] = {"grant_type": "client_credentials", **of.credentials()}
    if of.off is not None:
        if switched:
            yield _off(of, form, f"{of.off[1][0]} is false", APP_OFF)
    elif switched is None and of.manages(CLIENT_CREDENTIALS):
        yield _off(of, form, "no file switches the flow on", GRANT)
    elif switched is False:
        yield _off(of, form, "the flow is switched off", GRANT)
    elif switched:
        yield from _on(of, form)


def _off(of: Subject, form: dict[str, Part], because: str, codes: frozenset[str]) -> Probe:
    return of.probe(
        Flow.CLIENT_CREDENTIALS,
        "client_credentials.off",
        "with the secret, although the flow is closed",
        Refused(codes - PAST_THE_FLOW, betrayed_by=PAST_THE_FLOW),
        form,
        because,
        Severity.HIGH,
        of.off or of.app.spot(CLIENT_CREDENTIALS),
    )


def _on(of: Subject, form: dict[str, Part]) -> Iterator[Probe]:
    user = of.says(CLIENT_CREDENTIALS_USER)
    yield of.probe(
        Flow.CLIENT_CREDENTIALS,
        "client_credentials",
        f"as {user}" if isinstance(user, str) else "with the secret",
        # Whether JWTs are for users alone who are named in Setup as such, no source tells.
        replace(of.granted, user=user if isinstance(user, str) else "", jwt=None),
        form,
        "the flow is switched on",
        Severity.HIGH,
        CLIENT_CREDENTIALS_USER if isinstance(user, str) else CLIENT_CREDENTIALS,
    )
    tried: tuple[tuple[str, str, dict[str, Part]], ...] = (
        ("no_secret", "without the client secret", of.without(form, "client_secret")),
        ("wrong_secret", "with a wrong client secret", of.without(form, client_secret=WrongSecret())),
    )
    for id, what, changed in tried:
        yield of.probe(
            Flow.CLIENT_CREDENTIALS,
            f"client_credentials.{id}",
            what,
            Refused(SECRET),
            changed,
            "the secret is all that this flow asks for",
            Severity.CRITICAL,
            CLIENT_CREDENTIALS,
            control="client_credentials",
        )
