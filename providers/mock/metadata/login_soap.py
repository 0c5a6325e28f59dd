"""Login with a password: the partner and the enterprise SOAP API, as far as a client needs them to get a session.

API versions 31 to 64 only: from 65 on the operation is gone, and in Summer '27 it goes altogether
(https://help.salesforce.com/s/articleView?id=005132110&type=1). Of the other operations of these APIs, only logout,
getUserInfo and getServerTimestamp are here.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree
from werkzeug.wrappers import Request, Response

from providers.mock.catalog import NEWEST, OLDEST_ACCEPTED
from providers.mock.metadata.answer import Value, Verbatim, xml
from providers.mock.metadata.package import parse_version
from providers.mock.org import Org
from providers.mock.record import XSI, escape, has_doctype, local, parser
from providers.mock.rest.tables import rows
from providers.mock.state import permissions, sessions
from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World

_NAMESPACES = {"u": "partner", "c": "enterprise"}
_LAST = 64
_SECONDS = 7200


def answer(org: Org, request: Request, api: str, version: str) -> Response:
    """Answer one call; `api` is u for partner and c for enterprise."""
    flavour = _NAMESPACES[api]
    try:
        status, body = 200, _envelope(flavour, _operation(org, request, api, flavour, version))
    except Fault as refused:
        status, body = 500, _fault(flavour, refused)
    return Response(body, status, content_type="text/xml; charset=utf-8")


def _operation(org: Org, request: Request, api: str, flavour: str, version: str) -> str:
    number = parse_version(version)
    if number is None or not OLDEST_ACCEPTED <= number <= NEWEST:
        raise Fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    element, token = _read(request.get_data())
    name = local(element)
    org.count(name)
    if name == "login":
        # Clients build all later addresses from these two.
        base = f"{request.host_url}services/Soap"
        return f"<loginResponse>{xml('result', _login(org, element, api, number, base))}</loginResponse>"
    with org.reading() as world:
        if name == "getUserInfo":
            return f"<getUserInfoResponse>{xml('result', _info(world, _user(world, token)))}</getUserInfoResponse>"
        if name == "getServerTimestamp":
            _user(world, token)
            result = xml("result", {"timestamp": world.now})
            return f"<getServerTimestampResponse>{result}</getServerTimestampResponse>"
    if name == "logout":
        with org.writing() as world:
            sessions.end(world.db, _user(world, token).id)
        return "<logoutResponse/>"
    request_name = f"{{urn:{flavour}.soap.sforce.com}}{name}"
    text = f"No operation available for request {request_name}, please check the WSDL for the service."
    raise Fault("soapenv:Client", text)


def _read(data: bytes) -> tuple[etree._Element, str]:
    """Return the operation and the session of the header, if there is one; clients differ in prefixes only."""
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as broken:
        raise Fault("soapenv:Client", f"Malformed request: {broken.msg}") from None
    if has_doctype(root):
        raise Fault("soapenv:Client", "Malformed request: DOCTYPE is not allowed")
    body = next((child for child in root if local(child) == "Body"), None)
    element = next(iter(body), None) if body is not None else None
    if element is None:
        raise Fault("soapenv:Client", "Malformed request: no operation in the body")
    header = next((child for child in root if local(child) == "Header"), None)
    found = (each for each in (header.iter() if header is not None else ()) if local(each) == "sessionId")
    session = next(found, None)
    return element, (session.text or "").strip() if session is not None else ""


def _user(world: World, token: str) -> User:
    try:
        return sessions.user(world.db, token)
    except Fault:
        text = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key"
        raise Fault("INVALID_SESSION_ID", text) from None


def _login(org: Org, element: etree._Element, api: str, number: int, base: str) -> Mapping[str, Value]:
    given = {local(child): child.text or "" for child in element}
    if number > _LAST:
        # As quoted in https://github.com/forcedotcom/wsc/issues/363.
        text = f"The SOAP Login operation is not available in the API version specified ({number}.0)."
        raise Fault("INVALID_OPERATION", f"{text} Refer to the documentation for supported versions.")
    with org.writing() as world:
        if not world.switches.soap_login_enabled:
            # As quoted in https://github.com/OpenFn/adaptors/issues/1715.
            text = "SOAP API login() is disabled by default in this org."
            raise Fault("INVALID_OPERATION", f"{text} Contact the org administrator to enable SOAP API login().")
        user = sessions.by_password(world, given.get("username", "").strip(), given.get("password", ""))
        if user is None:
            raise Fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
        permissions.check_api(world, user)
        suffix = f"{number}.0/{world.org_id[:15]}"
        return {
            "metadataServerUrl": f"{base}/m/{suffix}",
            "passwordExpired": False,
            "sandbox": org.is_sandbox,
            "serverUrl": f"{base}/{api}/{suffix}",
            # A session of SOAP is never a JWT, whatever the org's apps get.
            "sessionId": sessions.issue(world.db, user, jwt=False),
            "userId": user.id,
            "userInfo": _info(world, user),
        }


def _info(world: World, user: User) -> Mapping[str, Value]:
    """Return the GetUserInfoResult of the partner WSDL, in its order."""
    (row,) = (each for each in rows(world, "User", user) if each["Id"] == user.id)
    name = world.db.execute("SELECT value FROM meta WHERE key = 'name'").fetchone()["value"]
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": 26_214_400,
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": "en_US",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": world.org_id,
        "organizationMultiCurrency": False,
        "organizationName": name,
        "profileId": row["ProfileId"],
        "roleId": Verbatim('<roleId xsi:nil="true"/>'),
        "sessionSecondsValid": _SECONDS,
        "userDefaultCurrencyIsoCode": Verbatim('<userDefaultCurrencyIsoCode xsi:nil="true"/>'),
        "userEmail": user.email or user.username,
        "userFullName": user.name,
        "userId": user.id,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": user.username,
        "userTimeZone": "GMT",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }


def _envelope(flavour: str, body: str) -> bytes:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="urn:{flavour}.soap.sforce.com" xmlns:xsi="{XSI}"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return text.encode()


def _fault(flavour: str, refused: Fault) -> bytes:
    """Return a SOAP fault with the tags `sf:exceptionCode` and `sf:exceptionMessage`, which clients look for."""
    if ":" in refused.code:
        inner = f"<faultcode>{refused.code}</faultcode><faultstring>{escape(refused.text)}</faultstring>"
    else:
        kind = "LoginFault" if refused.code.startswith("INVALID_LOGIN") else "UnexpectedErrorFault"
        detail = (
            f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{refused.code}</sf:exceptionCode>'
            f"<sf:exceptionMessage>{escape(refused.text)}</sf:exceptionMessage></sf:{kind}></detail>"
        )
        text = escape(f"{refused.code}: {refused.text}")
        inner = f"<faultcode>sf:{refused.code}</faultcode><faultstring>{text}</faultstring>{detail}"
    answer_text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:sf="urn:fault.{flavour}.soap.sforce.com" xmlns:xsi="{XSI}"><soapenv:Body><soapenv:Fault>{inner}'
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return answer_text.encode()
