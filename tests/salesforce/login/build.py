"""An org's doors by script: a token endpoint, SOAP's login(), and a spy on the secrets that are looked for."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import requests

from providers.salesforce.login import Credentials
from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.ways import credentials
from providers.salesforce.wire.session import OrgSession
from reconciler.schema.values import SecretRef
from tests.salesforce.build import HOST, Answer, Stub, no_time

FRESH = "00D000000000001!fresh"
"""The token that a login gives."""


def granted(instance_url: str = HOST, **more: str) -> Answer:
    """What a token endpoint says to a login that it takes."""
    found = {
        "access_token": FRESH,
        "instance_url": instance_url,
        "id": f"{HOST}/id/00D000000000001EAA/005000000000001AAA",
        "token_type": "Bearer",
        "issued_at": "1700000000000",
        **more,
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()


def refused(error: str, description: str, **headers: str) -> Answer:
    """What it says to one that it does not."""
    body = json.dumps({"error": error, "error_description": description}).encode()
    return 400, {"Content-Type": "application/json", **headers}, body


class Vault:
    """Secrets by name, and which of them were looked for."""

    def __init__(self, **secrets: str) -> None:
        self.secrets, self.asked = secrets, list[str]()

    def __call__(self, ref: SecretRef) -> str:
        self.asked.append(str(ref.target))
        return self.secrets[str(ref.target)]


def ref(name: str) -> SecretRef:
    return SecretRef("env", name)


def door(stub: Stub) -> Door:
    """Every host's login page is this one."""

    def opened(origin: str) -> OrgSession:
        session = OrgSession()
        session.bind(origin)
        session.mount(f"{origin}/", stub)
        return session

    return Door(opened, no_time())


class Login:
    """One login against doors that are a function; what went through them is remembered, with its host."""

    def __init__(
        self,
        flow: str,
        answer: Callable[[requests.PreparedRequest], Answer | Exception] = lambda _: granted(),
        *,
        instance_url: str = HOST,
        vault: Vault | None = None,
        **keys: Any,
    ) -> None:
        self.vault = vault or Vault()
        self.stub = Stub(answer)
        self.session = OrgSession()
        login = {"flow": flow, **keys}
        self.credentials: Credentials = credentials(instance_url, login, self.session, self.vault, door(self.stub))

    def enter(self) -> str:
        """Log in, as the first call would."""
        return self.credentials.token

    @property
    def sent(self) -> list[requests.PreparedRequest]:
        return self.stub.asked

    @property
    def form(self) -> Mapping[str, str]:
        """The form of the last request."""
        return form_of(self.sent[-1])


def form_of(request: requests.PreparedRequest) -> dict[str, str]:
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    return {name: value for name, (value,) in parse_qs(body, keep_blank_values=True).items()}
