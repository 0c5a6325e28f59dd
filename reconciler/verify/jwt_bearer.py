"""What a configuration promises of the JWT bearer flow. Source: Salesforce Help, "OAuth 2.0 JWT Bearer Flow for
Server-to-Server Integration"."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.schema.severity import Severity
from reconciler.verify.probe import Assertion, Flow, Part, Probe, Refused, Text
from reconciler.verify.subject import APP_OFF, GRANT, NEVER_ASKED, USER, Subject
from reconciler.world.apps import ADMIN_APPROVED, CERTIFICATE, PERMITTED_USERS
from reconciler.world.world import UNKNOWN

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ELSEWHERE = "https://somebody-else.invalid"
"""An audience that no org is."""


def jwt_bearer(of: Subject, *, sandbox: bool) -> Iterator[Probe]:
    """Yield what the JWT bearer flow must grant and refuse: by the key, by the user, and by the org that is named."""
    certificate = of.says(CERTIFICATE)
    if certificate is UNKNOWN or not certificate:
        return
    audience = of.given.text("audience") or f"https://{'test' if sandbox else 'login'}.salesforce.com"
    user = Text("username")
    form: dict[str, Part] = {"grant_type": GRANT_TYPE, "assertion": Assertion(of.consumer_key, user, audience)}
    if of.off is not None:
        yield of.probe(
            Flow.JWT_BEARER,
            "jwt_bearer.off",
            "with the right key, although the app is switched off",
            Refused(APP_OFF),
            form,
            f"{of.off[1][0]} is false",
            Severity.HIGH,
            of.off,
        )
        return
    yield of.probe(
        Flow.JWT_BEARER,
        "jwt_bearer",
        "with the key of the certificate",
        replace(of.granted, user=of.given.text("username")),
        form,
        "the app has a certificate",
        Severity.HIGH,
        CERTIFICATE,
    )
    nobodys = Assertion(of.consumer_key, user, audience, right_key=False)
    elsewhere = Assertion(of.consumer_key, user, ELSEWHERE)
    wrong: tuple[tuple[str, str, Assertion, str], ...] = (
        ("wrong_key", "with another key", nobodys, "only one key fits the certificate"),
        ("wrong_audience", "for another audience", elsewhere, "the assertion is not meant for this org"),
    )
    for id, what, assertion, because in wrong:
        yield of.probe(
            Flow.JWT_BEARER,
            f"jwt_bearer.{id}",
            what,
            Refused(GRANT | {"invalid_client"}),
            {**form, "assertion": assertion},
            because,
            Severity.CRITICAL,
            CERTIFICATE,
            control="jwt_bearer",
        )
    if of.says(PERMITTED_USERS) in ADMIN_APPROVED:
        other = Assertion(of.consumer_key, Text("not_preauthorised_username"), audience)
        yield of.probe(
            Flow.JWT_BEARER,
            "jwt_bearer.not_preauthorised",
            "for a user who is not pre-authorised",
            Refused(USER, unclear=NEVER_ASKED),
            {**form, "assertion": other},
            "only users whom an admin has approved may use the app",
            Severity.CRITICAL,
            PERMITTED_USERS,
            control="jwt_bearer",
        )
