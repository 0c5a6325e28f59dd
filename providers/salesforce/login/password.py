"""Username, password and security token, by SOAP's login(): old, going away, and for some orgs all that there is.

login() exists up to API version 64.0, is retired with Summer '27, and is off in new orgs
(https://help.salesforce.com/s/articleView?id=005132110). The OAuth flow with a password is left out: it needs an app, and
who has an app has better flows.
"""

from collections.abc import Callable
from typing import NoReturn

from lxml import etree

from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.keys import Given
from providers.salesforce.login.place import Access, is_login_host, login_host, org_at
from providers.salesforce.wire.polling import PassingError, not_busy
from providers.salesforce.wire.session import token_of
from providers.salesforce.wire.soap import not_an_org, read_answer
from reconciler.errors import Complaint, NotAllowedError, UnreachableError
from reconciler.redaction import hold
from reconciler.xml.markup import escape, hardened_parser

LAST_VERSION = "64.0"
"""The last API version that has login()."""
_PARTNER = "urn:partner.soap.sforce.com"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_RETIRED = (
    "SOAP's login() is off in new orgs until an admin switches it on and gives the user Use Any API Auth, and ends with"
    " Summer '27: log in by jwt or client_credentials"
)
_MENDS = {
    "LOGIN_MUST_USE_SECURITY_TOKEN": "add security_token, which Salesforce mails on Reset My Security Token in the user's"
    " settings, or let this machine's network in under Trusted IP Ranges",
    "INVALID_LOGIN": "check username, password and security_token (a new password brings a new token); set `sandbox: true`"
    " for a sandbox; look at the user's Login History in Setup",
    "PASSWORD_LOCKOUT": "too many wrong passwords: wait, or let an admin unlock the user",
    "LOGIN_DURING_RESTRICTED_TIME": "the user's profile takes no logins at this hour",
    "LOGIN_DURING_RESTRICTED_DOMAIN": "the user's profile takes logins from some networks only",
    "API_DISABLED_FOR_ORG": "the org's edition has no API, or the user lacks API Enabled",
    "ORG_LOCKED": "the org is locked: look at it in a browser",
    "REQUEST_LIMIT_EXCEEDED": "too many calls or logins: wait, and try again",
    "SERVER_UNAVAILABLE": "try again later: the org is busy or in maintenance, see status.salesforce.com",
    "UNKNOWN_EXCEPTION": "try again; if it stays, give Salesforce support the ErrorId",
}
"""By ExceptionCode of the partner WSDL
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm)."""
_KINDS = {
    "REQUEST_LIMIT_EXCEEDED": UnreachableError,
    "SERVER_UNAVAILABLE": PassingError,
    "UNKNOWN_EXCEPTION": PassingError,
}
"""Of the refusals that say nothing of who we are."""


def password(given: Given, instance_url: str, door: Door) -> Callable[[], Access]:
    """Logs in with `username`, `password` and perhaps `security_token`, at instance_url or where people log in."""
    given.need("username", "password")
    place = instance_url or login_host(instance_url, given.flag("sandbox"))
    pinned = "" if is_login_host(place) else instance_url

    def log_in() -> Access:
        word = given.text("password") + given.text("security_token")
        body = _envelope(given.text("username"), word)
        session = door.open(place)

        def call() -> bytes:
            answer = session.post(
                f"{place}/services/Soap/u/{LAST_VERSION}",
                data=body,
                headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
            )
            return not_busy(answer).content

        return _access(door.patience.insist(call, place), place, pinned)

    return log_in


def _envelope(username: str, word: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}"><soapenv:Body>'
        f'<login xmlns="{_PARTNER}"><username>{escape(username)}</username><password>{escape(word)}</password></login>'
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _access(data: bytes, place: str, pinned: str) -> Access:
    try:
        answer = read_answer(data, place)
    except UnreachableError:
        # Never with its beginning, unless that is a page: half an answer may hold half a session id.
        raise not_an_org(place, b"" if b"Envelope" in data else data) from None
    if answer.fault is not None:
        _refuse(answer.fault.code, answer.fault.text, place)
    # What was read above is a SOAP envelope without DTD; its result is in the partner API's namespace, not Metadata's.
    result = etree.fromstring(data, hardened_parser()).find(f".//{{{_PARTNER}}}result")
    if result is None:
        raise not_an_org(place, b"")
    said = {str(child.tag).rpartition("}")[2]: child.text or "" for child in result}
    token = token_of(hold(said.get("sessionId", "")), f"the answer of {place}")
    if said.get("passwordExpired") == "true":
        raise NotAllowedError(
            Complaint(f"the password has expired, says {place}", mend="log in with a browser once and set a new one")
        )
    return Access(token, org_at(said.get("serverUrl", ""), place, pinned))


def _refuse(code: str, text: str, place: str) -> NoReturn:
    quote = text if text.startswith(code) else f"{code}: {text}"
    kind = _KINDS.get(code, NotAllowedError)
    raise kind(Complaint(f"{place} refuses the login by password", mend=_MENDS.get(code, _RETIRED), quote=quote))
