"""SAML 2.0 assertions, as little as an exchange needs: one subject, one audience, an enveloped XML signature.

The check is strict rather than complete: the root is the assertion, its signature is its own child and signs the root by id.
Whatever else a document could hold is refused, so that nothing can be wrapped around a signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from providers.mock.record import escape, has_doctype, parser
from providers.mock.state.world import timestamp

_SAML, _SIG = "urn:oasis:names:tc:SAML:2.0:assertion", "http://www.w3.org/2000/09/xmldsig#"
_S, _D = f"{{{_SAML}}}", f"{{{_SIG}}}"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SHA256, _RSA = "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class NotSignedError(ValueError):
    """The assertion cannot be read, or its signature does not fit."""


def issue(claims: Mapping[str, Any], key: rsa.RSAPrivateKey) -> str:
    """Return a signed assertion in base64url, which is how RFC 8693 wants it to travel."""
    standard = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}
    attributes = "".join(
        f'<saml:Attribute Name="{escape(name)}"><saml:AttributeValue>{escape(str(value))}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name, value in claims.items()
        if name not in standard
    )
    until, since = (timestamp(int(each) * 1000) for each in (claims["exp"], claims.get("nbf", claims["iat"])))
    marked = f"_{secrets.token_hex(16)}"
    root = etree.fromstring(
        f'<saml:Assertion xmlns:saml="{_SAML}" ID="{marked}" IssueInstant="{since}" Version="2.0">'
        f"<saml:Issuer>{escape(str(claims['iss']))}</saml:Issuer>"
        f"<saml:Subject><saml:NameID>{escape(str(claims['sub']))}</saml:NameID></saml:Subject>"
        f'<saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}"><saml:AudienceRestriction>'
        f"<saml:Audience>{escape(str(claims['aud']))}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        + (f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>" if attributes else "")
        + "</saml:Assertion>",
        parser(),
    )
    digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{_SIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{_RSA}"/><ds:Reference URI="#{marked}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{_ENVELOPED}"/><ds:Transform Algorithm="{_C14N}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{_SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
        "</ds:SignedInfo><ds:SignatureValue/></ds:Signature>",
        parser(),
    )
    root.insert(1, signature)
    value = key.sign(_canonical(signature[0]), padding.PKCS1v15(), hashes.SHA256())
    signature[1].text = base64.b64encode(value).decode()
    return base64.urlsafe_b64encode(etree.tostring(root)).rstrip(b"=").decode()


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def verified(text: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """Return the claims of an assertion whose signature fits `key`; raises `NotSignedError`."""
    try:
        root = etree.fromstring(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), parser())
    except (ValueError, binascii.Error, etree.XMLSyntaxError):
        raise NotSignedError("not an assertion") from None
    signatures = root.findall(f".//{_D}Signature")
    if (
        root.tag != f"{_S}Assertion"
        or has_doctype(root)
        or len(signatures) != 1
        or signatures[0].getparent() is not root
    ):
        raise NotSignedError("not one signed assertion")
    (signature,) = signatures
    info = signature.find(f"{_D}SignedInfo")
    if info is None or not root.get("ID") or not _as_made_here(info, root.get("ID") or ""):
        raise NotSignedError("another kind of signature")
    try:
        value = base64.b64decode(signature.findtext(f"{_D}SignatureValue") or "")
        key.verify(value, _canonical(info), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        raise NotSignedError("the signature does not fit") from None
    root.remove(signature)
    digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
    if info.findtext(f"{_D}Reference/{_D}DigestValue") != digest:
        raise NotSignedError("the signature is of another assertion")
    return _claims(root)


def _as_made_here(info: etree._Element, marked: str) -> bool:
    """Whether exactly the root element is signed, by the algorithms that we use."""
    references = info.findall(f"{_D}Reference")
    algorithms = [each.get("Algorithm") for each in info.iter() if each.get("Algorithm")]
    wanted = [_C14N, _RSA, _ENVELOPED, _C14N, _SHA256]
    return len(references) == 1 and references[0].get("URI") == f"#{marked}" and algorithms == wanted


def _claims(root: etree._Element) -> dict[str, Any]:
    conditions = root.find(f"{_S}Conditions")
    claims: dict[str, Any] = {
        each.get("Name") or "": each.findtext(f"{_S}AttributeValue") for each in root.iter(f"{_S}Attribute")
    }
    claims |= {
        "iss": root.findtext(f"{_S}Issuer"),
        "sub": root.findtext(f"{_S}Subject/{_S}NameID"),
        "aud": [each.text for each in root.iter(f"{_S}Audience")],
    }
    for name, limit in (("exp", "NotOnOrAfter"), ("nbf", "NotBefore")):
        if conditions is not None and (moment := conditions.get(limit)):
            claims[name] = datetime.fromisoformat(moment).timestamp()
    return claims
