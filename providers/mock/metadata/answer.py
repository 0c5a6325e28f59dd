"""Values to XML: mappings in the order that the WSDL wants, None for what is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from providers.mock.record import NS, XSI, escape

Value: TypeAlias = "str | int | float | bool | Verbatim | Mapping[str, Value] | Sequence[Value] | None"


class Verbatim(str):
    """A piece of XML that is complete with its own tags."""

    __slots__ = ()


def xml(tag: str, value: Value) -> str:
    """Return `value` as elements called `tag`: a sequence repeats the element, a mapping nests, None is left out."""
    if value is None:
        return ""
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, bool):
        return f"<{tag}>{'true' if value else 'false'}</{tag}>"
    if isinstance(value, (str, int, float)):
        return f"<{tag}>{escape(str(value))}</{tag}>"
    if isinstance(value, Mapping):
        return f"<{tag}>{''.join(xml(name, each) for name, each in value.items())}</{tag}>"
    return "".join(xml(tag, each) for each in value)


def envelope(body: str) -> bytes:
    """Return a SOAP answer. The default namespace is Salesforce's and its elements carry no prefix: clients insist."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{NS}" xmlns:xsi="{XSI}"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return text.encode()


def fault(code: str, text: str) -> bytes:
    """Return a SOAP fault; `code` without prefix is Salesforce's, one with a prefix is sent as it is."""
    if ":" in code:
        named, shown = code, text
    else:
        named, shown = f"sf:{code}", f"{code}: {text}"
    # No attribute on faultcode: clients search the text for the literal tag.
    inner = f"<faultcode>{named}</faultcode><faultstring>{escape(shown)}</faultstring>"
    answer = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:sf="http://soap.sforce.com/2006/04/metadata"><soapenv:Body><soapenv:Fault>{inner}'
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return answer.encode()
