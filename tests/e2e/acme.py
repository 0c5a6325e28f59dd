"""The example of `desired/` in a project of its own, applied to its mock org, with all that `verify` can be given."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.e2e.build import DANA, INTEGRATION
from tests.e2e.project import Project, Result

EXAMPLE = Path(__file__).parents[2] / "desired"
ELI, NORA = "eli@acme.example", "nora@acme.example"
"""Who may use the portals, and who may not."""
ISSUER, AUDIENCE = "https://idp.partners.acme.example/", "https://acme.my.salesforce.com"
"""As the example's class has them."""
PORTALS = ("order_portal", "Partner_Portal")
APPS = (*PORTALS, "reporting_service", "Legacy_ERP")
TYPES = ("access_token", "id_token", "refresh_token", "saml2")


class Acme(Project):
    """`verify` runs the command with everything given; `dana` changes something behind the files' back."""

    secrets: dict[str, str]
    key: str

    def prepare(self) -> None:
        self.example()
        for name, holds in ((NORA, ("Reporting_API",)),):
            self.org.add_user(name, "Nora Smit", permission_sets=holds, federation_identifier="nora.smit")
        self.org.set_rule("PartnerIdpTokenHandler", issuer=ISSUER, audience=AUDIENCE, creates=True)
        self.apply()
        self.secrets = self._secrets()

    def example(self) -> None:
        """Copy the files, with a certificate whose key we have."""
        shutil.rmtree(self.root / "desired")
        shutil.copytree(EXAMPLE, self.root / "desired")
        erp = self.root / "desired" / "apps" / "legacy_erp.yaml"
        self.key, certificate = signer()
        indented = "".join(f"    {line}\n" for line in certificate.splitlines())
        before, _, rest = erp.read_text(encoding="utf-8").partition("    -----BEGIN CERTIFICATE-----\n")
        after = rest.partition("    -----END CERTIFICATE-----\n")[2]
        erp.write_text(before + indented + after, encoding="utf-8")
        self.settings()

    def settings(self, **given: dict[str, Any]) -> None:
        """The project file; `given` replaces what is given for an app."""
        tokens = ("subject_token", "wrong_audience", "expired", "forged", "not_preauthorised", "unknown_user", *TYPES)
        secrets = {name: {"secret": {"env": name.upper()}} for name in tokens}
        portals = {
            app: {"client_secret": {"secret": {"env": f"SECRET_{app.upper()}"}}, **secrets, "user": ELI}
            for app in PORTALS
        }
        sections: dict[str, Any] = {
            **portals,
            "reporting_service": {"client_secret": {"secret": {"env": "SECRET_REPORTING_SERVICE"}}},
            "Legacy_ERP": {
                "client_secret": {"secret": {"env": "SECRET_LEGACY_ERP"}},
                "private_key": {"secret": {"env": "ERP_KEY"}},
                "username": INTEGRATION,
                "not_preauthorised_username": ELI,
            },
            **given,
        }
        org = {"mock": ".reconciler/orgs/dev.db", "variables": {"integration_user": INTEGRATION}, "verify": sections}
        content = {"project": "acme", "orgs": {"dev": org}}
        (self.root / "reconciler.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def _secrets(self) -> dict[str, str]:
        """What stands behind the references: made once, since signing takes its time."""
        elsewhere = self.token("eli.novak", audience="https://elsewhere.example")
        newcomer = {"email": "kim@partners.example", "family_name": "Kim"}
        return {
            **{f"SECRET_{app.upper()}": self.org.consumer(app)[1] for app in APPS},
            "SUBJECT_TOKEN": self.token("eli.novak"),
            "WRONG_AUDIENCE": elsewhere,
            "EXPIRED": self.token("eli.novak", expires_in=-3600),
            "FORGED": self.token("eli.novak", forged=True),
            "NOT_PREAUTHORISED": self.token("nora.smit"),
            "UNKNOWN_USER": self.token("kim.park", claims=newcomer),
            **{kind.upper(): self.token("eli.novak", token_type=kind) for kind in TYPES},
            "ERP_KEY": self.key,
        }

    def token(self, subject: str, **more: Any) -> str:
        return self.org.subject_token(subject, **{"issuer": ISSUER, "audience": AUDIENCE, "expires_in": 86_400, **more})

    def verify(self, *arguments: str) -> Result:
        return self.run("verify", "--wait", "0", *arguments, **self.secrets)

    def broken(self, *apps: str) -> set[str]:
        """Which promises a verify finds broken: `app: id of the call`. Its exit code has to agree."""
        found = self.verify("--output", "json", *apps)
        calls = [(app["address"].partition("/")[2], call) for app in found.json["apps"] for call in app["calls"]]
        told = {f"{app}: {call['id']}" for app, call in calls if call["standing"] in ("broken", "waiting")}
        assert (7 if told else 0) == found.code, found.said
        return told

    def dana(self, address: str, **changes: str | None) -> None:
        """An administrator changes something in Setup. `__` in a name is a dot."""
        self.org.set(address, {name.replace("__", "."): value for name, value in changes.items()}, as_user=DANA)


@contextmanager
def acme(root: Path, org: Path) -> Iterator[Acme]:
    """The example, applied."""
    root.mkdir(parents=True, exist_ok=True)
    made = Acme(root, org)
    try:
        made.prepare()
        yield made
    finally:
        made.org.close()


def signer() -> tuple[str, str]:
    """A private key and its self-signed certificate, both in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "legacy-erp.acme.example")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=10_000))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
