"""An app of the org that pipelines log in with: by a key, by a secret, by a refresh token."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop.stand import Stand
from tests.mock.oauth.client import Client, Signer, client_app
from tests.mock.wire import Wire

USER = "integration@acme.example"
_POLICY = {
    "clientCredentialsFlowUser": USER,
    "commaSeparatedPermissionSet": "Identity_Deployer",
    "isClientCredentialsFlowEnabled": True,
    "permittedUsersPolicyType": "AdminApprovedPreAuthorized",
}


@dataclass(frozen=True)
class Pipeline:
    """What a pipeline keeps as its secrets."""

    client: Client
    key_file: Path

    @classmethod
    def made(cls, org: Stand, folder: Path) -> "Pipeline":
        """Deploy the app; its private key goes into `folder`."""
        signer = Signer.made()
        settings = {"certificate": signer.certificate, "isClientCredentialsFlowEnabled": True}
        client = client_app(Wire(org.org), "Pipeline", settings=settings, policy=_POLICY)
        key = folder / "server.key"
        key.write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(client, key)

    @property
    def key(self) -> str:
        return self.client.key

    @property
    def secret(self) -> str:
        return self.client.secret

    def auth_url(self, org: Stand) -> str:
        """All of it in one line."""
        return f"force://{self.key}:{self.secret}:{self.refresh_token()}@{org.tls.removeprefix('https://')}"

    def refresh_token(self) -> str:
        """One that the user got by approving the app in a browser."""
        return str(self.client.granted(**self.client.code_form(login_hint=USER))["refresh_token"])
