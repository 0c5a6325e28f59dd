"""What a configuration promises of refresh tokens. Source: Salesforce Help, "Enable OAuth Settings for API Integration",
steps 9 and 13; "OAuth 2.0 Refresh Token Flow for Renewed Sessions"."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.schema.severity import Severity
from reconciler.verify.probe import Flow, Part, Probe, RefreshToken, Refused, WrongSecret
from reconciler.verify.subject import GRANT, SECRET, Subject
from reconciler.world.apps import REFRESH_POLICY, REFRESH_SECRET, ROTATION


def refresh(of: Subject, source: str, through: str) -> Iterator[Probe]:
    """The refresh token that the probe `source` brought, if the files promise one."""
    if not of.refreshable:
        return
    form: dict[str, Part] = {
        "grant_type": "refresh_token",
        "refresh_token": RefreshToken(source),
        **of.credentials(secret=of.says(REFRESH_SECRET) is True or of.has_secret),
    }
    if of.says(REFRESH_SECRET) is False:
        form = of.without(form, "client_secret")
    if of.refresh_ends_at_once:
        yield of.probe(
            Flow.REFRESH,
            "refresh.zero",
            f"with the refresh token of {through}",
            Refused(GRANT),
            form,
            "refresh tokens expire at once",
            Severity.HIGH,
            REFRESH_POLICY,
            control=source,
        )
        return
    # Before the token is used, so that it is still the one that would be taken.
    if of.says(REFRESH_SECRET) is True:
        tried: tuple[tuple[str, str, dict[str, Part]], ...] = (
            ("no_secret", "without the client secret", of.without(form, "client_secret")),
            ("wrong_secret", "with a wrong client secret", of.without(form, client_secret=WrongSecret())),
        )
        for id, what, changed in tried:
            yield of.probe(
                Flow.REFRESH,
                f"refresh.{id}",
                what,
                Refused(SECRET),
                changed,
                "isSecretRequiredForRefreshToken is true",
                Severity.HIGH,
                REFRESH_SECRET,
                control=source,
                refreshes=source,
            )
    rotates = of.says(ROTATION) is True
    yield of.probe(
        Flow.REFRESH,
        "refresh",
        f"with the refresh token of {through}",
        replace(of.granted, user=of.given.text("user"), new_refresh_token=rotates),
        form,
        "isRefreshTokenRotationEnabled is true" if rotates else "the scope RefreshToken is declared",
        Severity.HIGH,
        ROTATION if rotates else REFRESH_SECRET,
        control=source,
        refreshes=source,
    )
    if rotates:
        yield of.probe(
            Flow.REFRESH,
            "refresh.rotated",
            "once more with the same refresh token",
            Refused(GRANT),
            of.without(form, refresh_token=RefreshToken(source, first=True)),
            "isRefreshTokenRotationEnabled is true",
            Severity.HIGH,
            ROTATION,
            control="refresh",
        )
