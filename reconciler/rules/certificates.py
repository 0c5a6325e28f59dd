"""Certificates that clients sign with, and the JWT bearer flow that one switches on."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from reconciler.model.address import Address
from reconciler.rules import Broken, Example, Verdicts, rule
from reconciler.rules.addresses import OAUTH_SETTINGS
from reconciler.rules.flows import gives_refresh_tokens
from reconciler.rules.unknowns import unknowns
from reconciler.schema.paths import get
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path
from reconciler.world.apps import ADMIN_APPROVED, CERTIFICATE, PERMITTED_USERS, SCOPES, App
from reconciler.world.world import UNKNOWN, World

MAX_CHARACTERS = 4000
MAX_BYTES = 4096
SOON = 30
"""Days before the end in which a warning is due."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class NoCertificateError(ValueError):
    """The text is no X.509 certificate; its message says what it is."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What rules look at of a certificate."""

    begins: date
    ends: date
    rsa: bool


@lru_cache(maxsize=4096)
def read(text: str) -> Certificate:
    """A certificate in PEM, or in Base64 without the lines around it, which is how orgs give it back.

    Raises NoCertificateError.
    """
    if "PRIVATE KEY-----" in text:
        raise NoCertificateError("it holds a private key")
    if "-----BEGIN" in text and _BEGIN not in text:
        raise NoCertificateError("it is PEM, of something else than a certificate")
    inner = text.partition(_BEGIN)[2].partition(_END)[0] if _BEGIN in text else text
    # Loaded by those who have a certificate; the others do not wait for it.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

    try:
        found = x509.load_der_x509_certificate(b64decode("".join(inner.split()), validate=True))
        begins, ends = found.not_valid_before_utc.date(), found.not_valid_after_utc.date()
    except (ValueError, x509.InvalidVersion) as error:
        raise NoCertificateError("it is neither PEM nor Base64 of a certificate") from error
    try:
        return Certificate(begins, ends, isinstance(found.public_key(), RSAPublicKey))
    except (ValueError, UnsupportedAlgorithm):
        return Certificate(begins, ends, rsa=False)


JWT_BEARER = Example(
    """\
kind: ExternalClientApplication
name: billing_service
label: Billing service
contactEmail: iam@acme.example
distributionState: Local
globalOauthSettings:
  callbackUrl: [https://billing.acme.example/callback]
  certificate: |
    -----BEGIN CERTIFICATE-----
    MIICuTCCAaGgAwIBAgIBATANBgkqhkiG9w0BAQsFADAfMR0wGwYDVQQDDBRiaWxs
    aW5nLmFjbWUuZXhhbXBsZTAgFw0yNjAxMDEwMDAwMDBaGA8yMDU2MDEwMTAwMDAw
    MFowHzEdMBsGA1UEAwwUYmlsbGluZy5hY21lLmV4YW1wbGUwggEiMA0GCSqGSIb3
    DQEBAQUAA4IBDwAwggEKAoIBAQCk4kfxkCZX2sZkhS4p000WXjngdiOyqVh9zlv6
    VDT22VCva6mX/rWDQOE3zF4CHu6k7vp4lFchBN0M28VdCu/bsgVh+7nC1ewO6Xdd
    jz2i82NcrHWWFb+99X7ZLHLpbvfJCEffLJtKb2cbTDgrv0DS89G2O4wx4aY9bLtm
    tU/tlbieNarD9G/mVVKmJsJeipnPteGPQJ6nqfDEGdcqjmrl4X07K2XHXvBBZsu5
    vlDqgZvuC3rZt4dxzgUWfsJwRdnMzhAtyE9Qf3ZYvgJW8CSbiVWiFY5uiURx2wQL
    68sZJBkDeKuVzdcSQe4uMLzI74EbO6jofrLrsD2XmVMmZ+oXAgMBAAEwDQYJKoZI
    hvcNAQELBQADggEBAIr9WYmYuX3cVYLlo+lxUdHIM7OdKNnLQ2V42ZFArMNHk/gs
    n/7npf7QLjmk+fBt95YLgLGII++YtqaVvJZhYsSGBv18+JX0B5MURaCuEm+khd06
    1gHMlqn3zBQ7C+315PI4BolZc6QFjDqaplg+6yw+tvfCwVq+NwKWvABgUYiTNr0e
    77ghClE2A9QvCmvCtooUfwTJ7+vaqJwG5rDlTiH6t33j0f56wp1d7EkbyJDKW4WM
    1VSQZwzBE5dRIaYY1LSozx5b2YJBQvlCaQ7PTvM6Wb//5sQzJQvD6cDNqoFcjeR0
    MC5nZhNWuCrqP7+GJIX2dF1Nc+1E20GEq2Ak69A=
    -----END CERTIFICATE-----
  isConsumerSecretOptional: false
  isSecretRequiredForRefreshToken: true
  isPkceRequired: true
  isRefreshTokenRotationEnabled: true
oauthSettings:
  commaSeparatedOauthScopes: [Api, RefreshToken]
oauthPolicies:
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  commaSeparatedPermissionSet: [Billing_API]
  ipRelaxationPolicyType: Enforce
  refreshTokenPolicyType: SpecificInactivity
  refreshTokenValidityPeriod: 30
  refreshTokenValidityUnit: Days
policies:
  isEnabled: true
  isOauthPluginEnabled: true
---
kind: OauthOidcSettings
blockOAuthUnPwFlow: true
blockOAuthUsrAgtFlow: true
"""
)
"""A program that signs its requests, valid until 2056, as users whom an admin approved."""

_EXPIRED = """\
    -----BEGIN CERTIFICATE-----
    MIICtzCCAZ+gAwIBAgIBATANBgkqhkiG9w0BAQsFADAfMR0wGwYDVQQDDBRiaWxs
    aW5nLmFjbWUuZXhhbXBsZTAeFw0yNDAxMDEwMDAwMDBaFw0yNTAxMDEwMDAwMDBa
    MB8xHTAbBgNVBAMMFGJpbGxpbmcuYWNtZS5leGFtcGxlMIIBIjANBgkqhkiG9w0B
    AQEFAAOCAQ8AMIIBCgKCAQEAvyj1qyc2/xB61+4gnvRPcNrXZzvRiyUBIfPYgXGj
    zGzIt0IofSGZGSmnASQkXe/Yq1oI2URQX4y7/+VMDEzei4OaVvq/m7v2e0t1o9Iy
    Xh/VPBxIM9gaOCY/VPreVL/moJ0OZwEl33Wl4D6CmaZV0aBBkmhCfZLkgWX0auLt
    zQwn3dlZI8k9yR9wWFg4hFUq2TrFfzrPzoiEcFgf+RGyZuScYTEaju/kZRAybMq6
    Cz8/937crC0stLrBYks4rOxGXnqDhEmdzCY92ArQD29zYLmd0qu3vmLU+hHVBeWl
    TZd/WPF3usWb/v2nt3wVVPtFrKTY0CbaA0BhYOA5xKZ+PQIDAQABMA0GCSqGSIb3
    DQEBCwUAA4IBAQCjJPQoqGMIhh4HoFc2tQuBs45chgzGb7Iv4/2shpGQ2aAgDonN
    iMY2Xj3NSXNaSIq8C77RkuHAp1xGsfFB2AWETngubDWtK74O4c4Z/lq14zRQNnxx
    nJ03NIqyFGcDk1IFXm03FtuRgXOLkqpGBG4dUwaE6khnq0n4z1nHMHVUDtp051OR
    F54axEEXJyooWeL3K+T5VH9qbqJqF1r8mM4w+N0tBlEdqwSaQaYk6xiwnkQpi/ZF
    3olS1fMrCwujQnaCxbOC6mQlPc6b/YfhI/xya84npTOPd100y+WHVBYXlkY/1VWH
    NGLVgvaH0l+a3UthZH4Nt67V5Re6y4y60nLg
    -----END CERTIFICATE-----
"""
"""The same program's certificate before, valid until 2025."""


def _with_certificate(pem: str) -> Example:
    """The example with another certificate in it."""
    before, _, rest = JWT_BEARER.files.partition("    -----BEGIN")
    return Example(before + pem + rest.partition("END CERTIFICATE-----\n")[2])


@rule(
    "OA12",
    Severity.HIGH,
    "A certificate is one, is valid for 30 more days, and has at most 4,000 characters in less than 4 KB",
    hurts="On the day that the certificate ends, every request that the client signs is refused, often in the night.",
    source=f"{OAUTH_SETTINGS}, step 5; RFC 5280 §4.1.2.5. The 30 days are our own judgement",
    good=JWT_BEARER,
    bad=_with_certificate(_EXPIRED),
)
def certificates(world: World) -> Verdicts:
    for app in world.apps():
        text = app.value(CERTIFICATE)
        if text is UNKNOWN:
            yield from unknowns(app, CERTIFICATE)
        elif text:
            address, path = app.spot(CERTIFICATE)
            raw = get(address.struct, world.bodies[address], path)
            yield from _size(address, path, str(raw).strip())
            yield from _validity(address, path, str(text), world.today)


def _size(address: Address, path: Path, text: str) -> Iterator[Broken]:
    size = len(text.encode(errors="replace"))
    if len(text) > MAX_CHARACTERS or size >= MAX_BYTES:
        message = (
            f"the certificate has {len(text):,} characters in {size:,} bytes, of {MAX_CHARACTERS:,} in less than 4 KB"
        )
        mend = "give the client's certificate alone, without those that signed it, or one with a shorter key"
        yield Broken(address, message, path, mend, subject="size")


def _validity(address: Address, path: Path, text: str, today: date) -> Iterator[Broken]:
    try:
        certificate = read(text)
    except NoCertificateError as error:
        private = "private key" in str(error)
        mend = "give the text between BEGIN CERTIFICATE and END CERTIFICATE, those two lines included"
        if private:
            mend += "; whoever can read this file has the private key, so make a new one"
        severity = Severity.CRITICAL if private else None
        yield Broken(address, f"this is no certificate: {error}", path, mend, subject="text", severity=severity)
        return
    left = (certificate.ends - today).days
    renew = "give the client's next certificate, in agreement with whoever runs the client"
    if left < 0:
        yield Broken(address, f"the certificate ended on {certificate.ends}", path, renew, subject="validity")
    elif certificate.begins > today:
        message = f"the certificate begins on {certificate.begins} only"
        yield Broken(address, message, path, "keep the one before until then", subject="validity")
    elif left <= SOON:
        message = f"the certificate ends on {certificate.ends}, in {left} day{'' if left == 1 else 's'}"
        yield Broken(address, message, path, renew, subject="validity", severity=Severity.MEDIUM)


@rule(
    "OA13",
    Severity.HIGH,
    "An app with a certificate, which is what switches the JWT bearer flow on, has the scope RefreshToken, pre-authorised "
    "users and an RSA key",
    hurts="The client signs its request rightly and is told that the user has not approved it; nobody sees why.",
    source="Salesforce Help, OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration; Metadata API Developer Guide, "
    "ExtlClntAppGlobalOauthSettings (certificate). An org may keep an external client app's certificate to itself (field "
    "reports disagree): then there is nothing to see",
    good=JWT_BEARER,
    bad=JWT_BEARER.but("[Api, RefreshToken]", "[Api]"),
)
def jwt_bearer(world: World) -> Verdicts:
    for app in world.apps():
        text = app.value(CERTIFICATE)
        if text is UNKNOWN:
            yield from unknowns(app, CERTIFICATE)
        elif text:
            yield from unknowns(app, SCOPES, PERMITTED_USERS)
            yield from _prerequisites(app, str(text))


def _prerequisites(app: App, text: str) -> Iterator[Broken]:
    address, path = app.spot(CERTIFICATE)
    if gives_refresh_tokens(app) is False:
        where = app.spot(SCOPES)
        message = "the JWT bearer flow needs the scope RefreshToken, and the app does not have it"
        yield Broken(where.address, message, where.path, f"add RefreshToken to {where.path[-1]}", also=(address,))
    users = app.value(PERMITTED_USERS)
    if users is not UNKNOWN and users not in ADMIN_APPROVED:
        where = app.spot(PERMITTED_USERS)
        value = "true" if app.is_connected else "AdminApprovedPreAuthorized"
        message = "the JWT bearer flow asks nobody for approval, and no user is pre-authorised"
        mend = (
            f"write {app.write(PERMITTED_USERS, value)}; until then each user has to approve the app once in a browser"
        )
        yield Broken(where.address, message, where.path, mend, also=(address,))
    try:
        rsa = read(text).rsa
    except NoCertificateError:
        return  # OA12 says so.
    if not rsa:
        message = (
            "the certificate holds no RSA key, and the JWT bearer flow takes only assertions that are signed by one"
        )
        yield Broken(address, message, path, "make an RSA key (2,048 bits) and its certificate")
