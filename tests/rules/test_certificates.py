"""Rules on certificates, beyond their two examples: dates, forms, keys, and what the JWT bearer flow needs."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.rules import Broken
from reconciler.rules.certificates import JWT_BEARER, NoCertificateError, read
from reconciler.schema.severity import Severity
from tests.rules.apps import TODAY, Bodies, broken, connected, external, in_org, verdicts

GLOBAL = "ExtlClntAppGlobalOauthSettings/shop certificate"
KEY = ec.derive_private_key(4242, ec.SECP256R1())
RSA = JWT_BEARER.files.partition("certificate: |\n")[2].partition("  isConsumer")[0]


def der(begins: date = date(2026, 1, 1), ends: date = date(2030, 1, 1)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "erp.acme.example")])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key()).serial_number(1)
    )
    first, last = (datetime(d.year, d.month, d.day, 12, tzinfo=UTC) for d in (begins, ends))
    signed = builder.not_valid_before(first).not_valid_after(last).sign(KEY, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def bare(data: bytes) -> str:
    return b64encode(data).decode()


def shop(certificate: str) -> Bodies:
    return external(flows={"certificate": certificate})


def test_orgs_give_certificates_back_without_the_lines_around_them():
    """Each live certificate would be reported as none."""
    text = bare(der())
    lines = "\r\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    assert (
        date(2030, 1, 1) == read(text).ends == read(lines).ends == read(pem).ends == read(f"Subject: erp\n{pem}").ends
    )


@pytest.mark.parametrize(
    ("left", "severity", "words"),
    [
        (-1, None, "ended on 2026-11-21"),
        (0, Severity.MEDIUM, "ends on 2026-11-22, in 0 days"),
        (1, Severity.MEDIUM, "ends on 2026-11-23, in 1 day"),
        (30, Severity.MEDIUM, "ends on 2026-12-22, in 30 days"),
    ],
)
def test_the_end_is_told_thirty_days_before_and_is_graver_once_it_is_past(
    left: int, severity: Severity | None, words: str
):
    """Somebody has to talk to the client's owners before the night in which everything stops."""
    (found,) = verdicts("OA12", in_org(shop(bare(der(ends=TODAY + timedelta(left))))))
    assert isinstance(found, Broken)
    assert (severity, f"the certificate {words}") == (found.severity, found.message)


def test_thirty_one_days_are_enough():
    """A warning that is always there is read by nobody."""
    assert [] == verdicts("OA12", in_org(shop(bare(der(ends=TODAY + timedelta(31))))))


def test_a_certificate_that_has_not_begun_is_found():
    """The client is locked out until it does."""
    expected = [f"{GLOBAL}: the certificate begins on 2026-12-01 only"]
    assert expected == broken("OA12", in_org(shop(bare(der(begins=date(2026, 12, 1))))))


@pytest.mark.parametrize(
    "text",
    [
        "Billing_Certificate",
        "AAAA",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----",
        "ä",
        bare(der()[:-40]),
    ],
)
def test_what_is_no_certificate_is_said_to_be_none(text: str):
    """The name of one is what people write."""
    with pytest.raises(NoCertificateError):
        read(text)
    (line,) = broken("OA12", in_org(shop(text)))
    assert line.startswith(f"{GLOBAL}: this is no certificate: ")


def test_a_private_key_is_the_worst_and_is_not_repeated():
    """It is in the repository already; the report goes to more people still."""
    text = "-----BEGIN PRIVATE KEY-----\nMIIsecretsecret\n-----END PRIVATE KEY-----"
    (found,) = verdicts("OA12", in_org(shop(text)))
    assert isinstance(found, Broken)
    assert Severity.CRITICAL == found.severity
    assert "MIIsecret" not in repr(found)


def test_a_chain_is_too_long_and_still_read():
    """The whole file of the authority is what people paste."""
    pem = f"-----BEGIN CERTIFICATE-----\n{bare(der(ends=date(2026, 1, 2)))}\n-----END CERTIFICATE-----\n"
    found = verdicts("OA12", in_org(shop(pem * 12)))
    assert ["size", "validity"] == [one.subject for one in found if isinstance(one, Broken)]


FIT = {"isAdminApproved": True, "scopes": ["Api", "RefreshToken"], "callbackUrl": "https://erp.acme.example"}


def test_the_jwt_bearer_flow_wants_an_rsa_key():
    """Its assertions are signed by RS256; whoever made a modern key finds out from nobody."""
    (line,) = broken("OA13", in_org(connected(certificate=bare(der()), **FIT)))
    assert "no RSA key" in line
    assert [] == verdicts("OA13", in_org(connected(certificate=RSA, **FIT)))


def test_an_app_that_everybody_may_approve_for_himself_has_no_users_that_a_machine_can_be():
    """The client is told that the user has not approved it; no browser ever asks."""
    app = connected(certificate=RSA, **FIT | {"isAdminApproved": False})
    (line,) = broken("OA13", in_org(app))
    assert line.startswith("ConnectedApp/erp oauthConfig.isAdminApproved: ")


def test_a_certificate_that_is_none_is_one_finding():
    """Two rules on one typo make a reader look for two."""
    app = in_org(connected(certificate="no", **FIT))
    assert (1, 0) == (len(broken("OA12", app)), len(broken("OA13", app)))


def test_without_a_certificate_there_is_no_such_flow():
    """Every other app would have to have RefreshToken."""
    assert [] == verdicts("OA13", in_org(connected(**FIT | {"scopes": []}), external(flows={"certificate": ""})))
