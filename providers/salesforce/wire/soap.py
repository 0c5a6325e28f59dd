"""The SOAP of the Metadata API: envelopes out, results and faults in. No WSDL machinery: eight operations need none.

Everything that is sent is escaped. What comes back is parsed without entities, DTD or network; the zip of a retrieve is
cut out before, because as one text it is larger than a hardened parser lets through.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lxml import etree

from providers.salesforce.wire.polling import PassingError
from reconciler.errors import Complaint, UnreachableError
from reconciler.xml.markup import NAMESPACE, XSI, escape, hardened_parser, is_crowd

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
TAG = f"{{{NAMESPACE}}}"
"""What stands before the name of every element of a result."""
_NIL = f"{{{XSI}}}nil"
_ZIP = re.compile(rb"<((?:[A-Za-z0-9_.-]+:)?zipFile)>([^<]*)</\1>")

Parameter: TypeAlias = "str | bool | float | Mapping[str, Parameter] | Sequence[Parameter] | None"


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: Salesforce's code without its prefix, and its text."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one operation: its results, or a fault."""

    results: tuple[etree._Element, ...] = ()
    fault: Fault | None = None
    zip_file: bytes | None = None
    """The base64 text of a retrieve's zip, as it was."""
    plain: tuple[str, ...] = ()
    """What stood in flat elements of the name that was asked for; they are not among `results`."""


def envelope(operation: str, parameters: Mapping[str, Parameter], session_id: str) -> bytes:
    """The request for one operation. `None` leaves a parameter out; a list repeats it."""
    inside = "".join(_parts(parameters))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}"><soapenv:Header>'
        f'<SessionHeader xmlns="{NAMESPACE}"><sessionId>{escape(session_id)}</sessionId></SessionHeader>'
        f"</soapenv:Header>"
        f'<soapenv:Body><{operation} xmlns="{NAMESPACE}">{inside}</{operation}></soapenv:Body></soapenv:Envelope>'
    ).encode()


def _parts(parameters: Mapping[str, Parameter]) -> Iterable[str]:
    for name, value in parameters.items():
        for one in value if isinstance(value, Sequence) and not isinstance(value, str) else (value,):
            match one:
                case None:
                    continue
                case bool():
                    text = "true" if one else "false"
                case Mapping():
                    text = "".join(_parts(one))
                case _:
                    text = escape(str(one))
            yield f"<{name}>{text}</{name}>"


def _flat(name: str) -> re.Pattern[bytes]:
    """A pattern for one element of that name whose children are plain texts: no attribute, prefix, reference or nesting."""
    return re.compile(rb"<%b>((?:<([A-Za-z]+)>[^<>&]*</\2>)*)</%b>" % (name.encode(), name.encode()))


FLAT = {name: _flat(name) for name in ("fileProperties", "result")}
"""Elements that come by the ten thousand; taken out of the text, they need not become trees."""


def read_answer(data: bytes, host: str, flat: str = "") -> Answer:
    """What the org answered. Raises UnreachableError if that is no SOAP: truncated, an HTML page, a DTD.

    `flat` names the elements that are handed out as text where they are as plain as an org writes them.
    """
    zip_file: bytes | None = None
    plain: list[bytes] = []
    if found := _ZIP.search(data):
        zip_file = found[2]
        data = data[: found.start(2)] + data[found.end(2) :]
    if is_crowd(data):
        mend = "check instance_url, and what stands between this machine and the org"
        raise UnreachableError(Complaint(f"{host} sends more elements than any org does in one answer", mend=mend))
    if flat and b"<!" not in data:

        def keep(found: re.Match[bytes]) -> bytes:
            plain.append(found[1])
            return b""

        data = FLAT[flat].sub(keep, data)
    try:
        texts = tuple(one.decode() for one in plain)
    except UnicodeDecodeError:
        raise not_an_org(host, data) from None
    root = _parse(data, host)
    body = root.find(f"{{{_ENVELOPE}}}Body")
    if root.tag != f"{{{_ENVELOPE}}}Envelope" or body is None or not len(body):
        raise not_an_org(host, data)
    content = body[0]
    if content.tag == f"{{{_ENVELOPE}}}Fault":
        code = (content.findtext("faultcode") or "").strip()
        return Answer(fault=Fault(code.rpartition(":")[2], (content.findtext("faultstring") or "").strip()))
    return Answer(tuple(content.findall(f"{TAG}result")), zip_file=zip_file, plain=texts)


def _parse(data: bytes, host: str) -> etree._Element:
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise not_an_org(host, data)
    # A listing of ten thousand components is many elements and no long text, so the parser's limits stay in force.
    try:
        root = etree.fromstring(data, hardened_parser())
    except (etree.XMLSyntaxError, ValueError):
        raise not_an_org(host, data) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise not_an_org(host, data)
    return root


def not_an_org(host: str, data: bytes) -> PassingError:
    """The error for an answer that is not an org's, with the beginning of what it was: what stands before an org often
    answers for it once, and not the second time."""
    head = " ".join(data[:400].decode("utf-8", "replace").split())[:200]
    page = "<html" in head.casefold() or "<!doctype" in head.casefold()
    what = "a web page" if page else "something else than the Metadata API's XML" if head else "nothing"
    return PassingError(
        Complaint(
            f"{host} answered with {what}",
            mend="check instance_url; if it is right, the org may be in maintenance: see status.salesforce.com",
            quote=head,
        )
    )


def is_id(value: str) -> bool:
    """True for what can be an id of an org: it goes into URLs."""
    return value.isascii() and value.isalnum() and len(value) <= 18


def text(element: etree._Element, name: str) -> str:
    """The text of a child, or empty."""
    return element.findtext(f"{TAG}{name}") or ""


def true(element: etree._Element, name: str) -> bool:
    return text(element, name) == "true"


REPEATED = frozenset(
    {
        "componentFailures",
        "componentSuccesses",
        "failures",
        "successes",
        "codeCoverageWarnings",
        "codeCoverage",
        "messages",
    }
)
"""Elements of results that may occur more than once: lists in REST's JSON."""


def as_json(element: etree._Element) -> dict[str, Any]:
    """A result as REST would give it: texts, structures, lists; nil and absent are the same."""
    found: dict[str, Any] = {}
    for child in element:
        if child.get(_NIL) == "true":
            continue
        name = child.tag.removeprefix(TAG)
        value = as_json(child) if len(child) else (child.text or "")
        if name in REPEATED:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found
