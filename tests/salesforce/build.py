"""Builders for the tests of the Salesforce client: components, an org that answers by script, canonical XML."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import requests
from lxml import etree
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from providers.salesforce.calls import Calls
from providers.salesforce.files.packing import Limits
from providers.salesforce.login import Credentials
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.wire.metadata_api import Way
from providers.salesforce.wire.polling import Patience
from providers.salesforce.wire.session import OrgSession
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.schema.values import Body, SecretRef
from reconciler.xml.markup import NAMESPACE

HOST = "https://acme.my.salesforce.com"
TOKEN = "00D000000000001!token"
SECRET = SecretRef("env", "PORTAL_SECRET")

Answer = tuple[int, Mapping[str, str], bytes]


def component(address: str, body: Body | None = None, record: str = "", *, create: bool = False) -> Component:
    """One file of a deployment; without a body, its removal."""
    parsed = Address.parse(address)
    return Component(parsed, record or parsed.name, body, create=create)


def app(name: str = "portal", **fields: Any) -> Component:
    """An external client app that the mock org takes."""
    body = {"label": name, "contactEmail": "iam@acme.example", "distributionState": "Local", **fields}
    return component(f"ExternalClientApplication/{name}", body, create=True)


def global_oauth(name: str = "portal", **fields: Any) -> Component:
    """The app's global OAuth settings, under the name that the org would give."""
    body = {"externalClientApplication": name, "label": name, "callbackUrl": ["https://acme.example/cb"], **fields}
    return component(f"ExtlClntAppGlobalOauthSettings/{name}", body, f"{name}_glbloauth", create=True)


def oauth(name: str = "portal", **fields: Any) -> Component:
    """The app's OAuth settings."""
    body = {"externalClientApplication": name, "label": name, "commaSeparatedOauthScopes": ["Api"], **fields}
    return component(f"ExtlClntAppOauthSettings/{name}", body, f"{name}_oauth", create=True)


def apex(name: str = "PartnerIdpHandler") -> Component:
    """A handler's class."""
    source = f"public class {name} extends Auth.Oauth2TokenExchangeHandler {{\n}}\n"
    return component(f"ApexClass/{name}", {"apiVersion": 63.0, "status": "Active", "content": source}, create=True)


def handler(name: str = "PartnerIdp", **fields: Any) -> Component:
    """A token exchange handler without enablements."""
    flags = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")
    body = {
        "description": name,
        "developerName": name,
        "masterLabel": name,
        "tokenHandlerApex": "PartnerIdpHandler",
        "isEnabled": True,
        "isUserCreationAllowed": False,
        **{f"is{flag}Supported": flag == "Jwt" for flag in flags},
        **fields,
    }
    return component(f"OauthTokenExchangeHandler/{name}", body, create=True)


class Stub(BaseAdapter):
    """Stands where the network would be: answers each request by a function and remembers what it was asked."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Answer | Exception]) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request)
        found = self.answer(request)
        if isinstance(found, Exception):
            raise found
        status, headers, body = found
        response = requests.Response()
        response.status_code, response.reason = status, "-"
        response.headers = CaseInsensitiveDict(headers)
        response.raw = HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        return


def no_time(waits: list[float] | None = None) -> Patience:
    """Patience that never sleeps; its pauses are noted."""
    noted = waits if waits is not None else []
    return Patience(clock=lambda: sum(noted), sleep=noted.append, chance=lambda: 0.5)


def stubbed(
    answer: Callable[[requests.PreparedRequest], Answer | Exception],
    *,
    way: Way = Way.AUTO,
    limits: Limits | None = None,
    patience: Patience | None = None,
    max_bytes: int = 1 << 24,
) -> tuple[SalesforceProvider, Stub]:
    """A provider whose org is a function, and the record of what it was asked."""
    stub, session = Stub(answer), OrgSession(max_bytes=max_bytes)
    session.bind(HOST)
    session.mount(f"{HOST}/", stub)
    calls = Calls(
        session, Credentials.fixed(TOKEN), api_version="63.0", way=way, limits=limits, patience=patience or no_time()
    )
    return SalesforceProvider(calls), stub


def soap(operation: str, inside: str) -> Answer:
    """A SOAP answer with one result."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{NAMESPACE}"><soapenv:Body><{operation}Response>{inside}</{operation}Response></soapenv:Body>'
        "</soapenv:Envelope>"
    )
    return 200, {"Content-Type": "text/xml; charset=utf-8"}, text.encode()


def fault(code: str, text: str) -> Answer:
    """A SOAP fault, as Salesforce words it."""
    inside = f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {text}</faultstring></soapenv:Fault>"
    envelope = f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>{inside}'
    return 500, {"Content-Type": "text/xml"}, f"{envelope}</soapenv:Body></soapenv:Envelope>".encode()


def operation(request: requests.PreparedRequest) -> str:
    """The SOAP operation of a request, or its path."""
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    if b"soapenv:Body>" in body:
        root = etree.fromstring(body)
        return str(etree.QName(root[1][0]).localname)
    return (request.path_url or "").partition("?")[0]


def canonical(data: bytes) -> bytes:
    """What a metadata file says: canonical XML without comments and indentation, children in the order of their names."""
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False)
    root = etree.fromstring(data, parser)
    _tidy(root)
    return etree.tostring(root, method="c14n", exclusive=True)


def _tidy(element: etree._Element) -> None:
    if not len(element):
        return
    element.text = None if not (element.text or "").strip() else element.text
    for child in element:
        child.tail = None if not (child.tail or "").strip() else child.tail
        _tidy(child)
    element[:] = sorted(element, key=lambda child: str(child.tag))
