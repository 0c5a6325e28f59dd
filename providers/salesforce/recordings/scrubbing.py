"""Takes secrets out of a recorded conversation: by schema where there is one, by pattern everywhere else.

By schema: elements of XML and keys of JSON that the kinds mark as write-only or that are named like a secret, in the
zips of retrieves too; of the resources for consumer credentials all but what is listed here as harmless. By pattern, in
every text that is left: session ids, JSON web tokens, refresh tokens, SFDX auth URLs, `Bearer …`, private keys,
`client_secret=…`, `https://user:password@…`; and in Apex the literals that look like secrets. What cannot be understood is
left out as a whole.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, Final

from lxml import etree

from providers.salesforce.files.archive import ZipError, read_zip, write_zip
from providers.salesforce.files.package import kind_of_path
from providers.salesforce.recordings.marks import GONE, Pseudonyms, unmade
from reconciler.apex.code import Code
from reconciler.apex.hardcoded import secrets
from reconciler.kinds import all_kinds
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Certificate, WriteOnly
from reconciler.xml.markup import MetadataXmlError, hardened_parser, parse

EMAILS, CERTIFICATES = "emails", "certificates"
CHOICES: Final = (EMAILS, CERTIFICATES)
"""What is scrubbed only if it is asked for."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_NAMES: Final = _words(
    "accesstoken refreshtoken idtoken sessionid sid securitytoken bearertoken authtoken assertion clientassertion signature"
    " clientsecret consumersecret secret password passwd passphrase privatekey authorization cookie setcookie serverurl"
    " sfdxauthurl devicecode codeverifier"
)
"""Without regard to case, dashes and underscores."""
_SECRET_ENDS: Final = ("secret", "password", "passphrase", "privatekey", "accesstoken", "refreshtoken", "sessionid")
_PLAIN: Final = frozenset({"", "true", "false", "0", "1"})
"""Values that are no secrets, whatever they are called: `shouldRotateConsumerSecret`."""
_CREDENTIALS: Final = "/apps/oauth/credentials"
_HARMLESS: Final = _words("id state expirationdate name developername label key consumerkey errorcode message")
"""Of the answers of the resources for consumer credentials: clients show their keys to any user, and a refusal is
none."""

_PATTERNS: Final = (
    re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?(?:!|%21)[^\s\"'<>&]{8,4096}"),
    re.compile(r"eyJ[\w-]{8,2000}\.[\w-]{4,8000}(?:\.[\w-]{0,4000})?"),
    re.compile(r"force://[^\s\"'<>]{1,2000}"),
    re.compile(r"\b5Aep8[\w.!]{20,500}"),
    re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:(?!-----BEGIN).){0,20000}?(?:-----END[^\n-]*-----|\Z)", re.DOTALL
    ),
)
_WITH_A_NAME: Final = (
    re.compile(r"(?i)(\b(?:Bearer|Basic) +)[A-Za-z0-9+/=._~!-]{16,8000}"),
    re.compile(
        r"(?i)(\b(?:access_?token|refresh_?token|id_?token|client_?secret|consumer_?secret|client_?assertion|assertion|"
        r"password|signature|sid|session_?id|security_?token)(?:=|%3D))[^&\s\"'<>;,)]{1,8000}"
    ),
    re.compile(r"(://[^\s/?#:@\"'<>]{0,200}:)[^\s/?#@\"'<>]{1,1000}(?=@)"),
)
_SUSPICIOUS = re.compile(
    r"00D|eyJ|force://|5Aep8|-----BEGIN|[Bb][Ee][Aa][Rr][Ee][Rr] |[Bb][Aa][Ss][Ii][Cc] |=|%3[Dd]|//[^\s/@]*@"
)
"""What every pattern of a secret holds: nearly all texts of an org have nothing of it."""
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----(?:(?!-----BEGIN).){0,20000}?(?:-----END CERTIFICATE-----|\Z)", re.DOTALL
)
# Bounded on both sides and begun at the beginning of a word, so that a megabyte without an @ costs one look at it.
_ADDRESS = re.compile(r"(?<![\w.%+-])[\w.+-][\w.+'-]{0,79}(?:@|%40)(?:[\w-]{1,63}\.){1,8}[\w-]{2,24}")

_SESSION_ID = re.compile(rb"<((?:[\w.-]+:)?sessionId)>[^<]*</\1>")
_ZIP = re.compile(rb"<((?:[A-Za-z0-9_.-]+:)?zipFile)>([^<]*)</\1>")
_ASIDE = re.compile(r"\(zip [0-9]+\)")
_PLACE = re.compile(rb"(<(?:[A-Za-z0-9_.-]+:)?zipFile>)\(zip ([0-9]+)\)(?=</)")


class Scrubber:
    """Scrubs answers, and counts what it took out: `secrets`, `emails`, `certificates`, `files`."""

    def __init__(self, choices: frozenset[str], names: Pseudonyms) -> None:
        self._choices, self._names = choices, names
        self.counts: Counter[str] = Counter()

    def answer(self, path: str, body: bytes) -> bytes:
        """Scrub the body of an answer: XML, JSON, a zip, or plain text."""
        head = body.lstrip()[:1]
        if not head:
            return b""
        if head == b"<":
            return self._soap(body)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return self._not_understood()
        wholly = _CREDENTIALS in path
        return json.dumps(self._json(content, "", wholly=wholly), ensure_ascii=False).encode("utf-8", "replace")

    def _not_understood(self) -> bytes:
        self.counts["answers"] += 1
        return b"(scrubbed: neither XML nor JSON)"

    # -- JSON ---------------------------------------------------------------------------------------------------------

    def _json(self, value: Any, name: str, *, wholly: bool, secret: bool = False) -> Any:
        match value:
            case dict():
                return {
                    self.text(key): self._json(
                        item, key, wholly=wholly, secret=secret or (is_secret_name(key) and not _is_plain(item))
                    )
                    for key, item in value.items()
                }
            case list():
                return [self._json(item, name, wholly=wholly, secret=secret) for item in value]
            case str() if value and (secret or (wholly and _flat(name) not in _HARMLESS)):
                return self._gone()
            case int() | float() if secret and not isinstance(value, bool):
                return self._gone()
            case str():
                return self.text(value)
        return value

    def _gone(self) -> str:
        self.counts["secrets"] += 1
        return GONE

    # -- XML ----------------------------------------------------------------------------------------------------------

    def _soap(self, body: bytes) -> bytes:
        zips: dict[bytes, bytes] = {}

        def set_aside(found: re.Match[bytes]) -> bytes:
            number = b"%d" % len(zips)
            zips[number] = found[2]
            return b"<%b>(zip %b)</%b>" % (found[1], number, found[1])

        def put_back(found: re.Match[bytes]) -> bytes:
            # Each once: an org that writes our words itself gets nothing for them.
            return found[1] + self._base64(zips.pop(found[2], b""))

        body = _ZIP.sub(set_aside, body)
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
            return self._not_understood()
        try:
            root = etree.fromstring(body, hardened_parser())
        except (etree.XMLSyntaxError, ValueError):
            return self._not_understood()
        _forget_the_manifest(root)
        self._element(root)
        data = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
        return _PLACE.sub(put_back, data)

    def _element(self, root: etree._Element) -> None:
        """Scrub a tree in place. Not recursive: depth is an org's to choose."""
        todo: list[tuple[etree._Element, bool]] = [(root, False)]
        while todo:
            element, secret = todo.pop()
            name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
            secret = secret or is_secret_name(name)
            element.text = self._value(name, element.text, secret=secret)
            element.tail = self._value("", element.tail, secret=False)
            for key, value in element.items():
                local = str(key).rpartition("}")[2]
                element.set(key, self._value(local, str(value), secret=secret or is_secret_name(local)) or "")
            todo += [(child, secret) for child in element]

    def _value(self, name: str, text: str | None, *, secret: bool) -> str | None:
        if not text or not text.strip():
            return text
        if name == "zipFile" and not _ASIDE.fullmatch(text):
            # Written as no one writes it, so that it was not seen before.
            return self._base64(text.encode()).decode()
        if secret and text.strip() not in _PLAIN:
            return self._gone()
        if CERTIFICATES in self._choices and name in _marked(Certificate):
            self.counts[CERTIFICATES] += 1
            return self._names.certificate(text)
        return self.text(text)

    # -- zips ---------------------------------------------------------------------------------------------------------

    def _base64(self, text: bytes) -> bytes:
        try:
            return base64.b64encode(self.package(binascii.a2b_base64(text)))
        except (binascii.Error, ZipError):
            self.counts["answers"] += 1
            return base64.b64encode(GONE.encode())

    def package(self, data: bytes) -> bytes:
        """Scrub a zip of metadata, file by file. A file that no kind knows is left out. Raises ZipError."""
        files: dict[str, bytes] = {}
        for path, content in read_zip(data):
            known = kind_of_path(path.removeprefix("unpackaged/"))
            if known is not None and known[2]:
                files[path] = self._source(content)
            elif known is not None or path.removeprefix("unpackaged/") == "package.xml":
                files[path] = self._file(content, path)
            else:
                self.counts["files"] += 1
        return write_zip(files)

    def _file(self, content: bytes, path: str) -> bytes:
        try:
            root = parse(content, path)
        except MetadataXmlError:
            # No one can tell what stands in it. It could not be read, and cannot be read from the recording either.
            self.counts["files"] += 1
            return b"(scrubbed: no XML)"
        self._element(root)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def _source(self, content: bytes) -> bytes:
        try:
            text = unmade(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.counts["files"] += 1
            return GONE.encode()
        for literal in sorted({one.token.text for one in secrets(Code(text))}, key=len, reverse=True):
            self.counts["secrets"] += text.count(literal)
            text = text.replace(literal, f"'{GONE}'")
        return self._patterns(text).encode()

    # -- texts --------------------------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """Scrub a text from an org: return it without what looks like a secret."""
        return self._patterns(unmade(text))

    def _patterns(self, text: str) -> str:
        if _SUSPICIOUS.search(text):
            for pattern in _PATTERNS:
                text = pattern.sub(self._counted("secrets", lambda _: GONE), text)
            for pattern in _WITH_A_NAME:
                text = pattern.sub(self._counted("secrets", lambda found: f"{found[1]}{GONE}"), text)
        if CERTIFICATES in self._choices:
            text = _CERTIFICATE.sub(self._counted(CERTIFICATES, lambda f: self._names.certificate(f[0])), text)
        if EMAILS in self._choices and ("@" in text or "%40" in text):
            text = _ADDRESS.sub(self._counted(EMAILS, self._address), text)
        return text

    def _address(self, found: re.Match[str]) -> str:
        if found[0].endswith("@scrubbed.invalid"):
            return found[0]
        return self._names.address(found[0].replace("%40", "@"))

    def _counted(self, what: str, make: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
        def counted(found: re.Match[str]) -> str:
            self.counts[what] += 1
            return make(found)

        return counted


def _forget_the_manifest(root: etree._Element) -> None:
    """Leave out the properties of package.xml: they hold the time of the retrieve, so that no two recordings would be
    equal."""
    for file in list(root.iter("{*}fileProperties")):
        parent = file.getparent()
        if parent is not None and (file.findtext("{*}fileName") or "").rpartition("/")[2] == "package.xml":
            parent.remove(file)


def request_body(body: bytes) -> bytes:
    """The body of a request of ours that only reads: all that is secret in it is the session id."""
    return _SESSION_ID.sub(rb"<\1>%b</\1>" % GONE.encode(), body)


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Whether what is called like this is a secret by its name, or by a kind's mark."""
    flat = _flat(name)
    return flat in _SECRET_NAMES or flat.endswith(_SECRET_ENDS) or name in _marked(WriteOnly)


def looks_secret(text: str) -> str:
    """What a text that was left over looks like: a token, a key; empty if it is nothing to hide."""
    for pattern, what in zip(_PATTERNS, _SORTS, strict=True):
        if pattern.search(text):
            return what
    for pattern in _WITH_A_NAME:
        found = pattern.search(text)
        if found is not None and not text.startswith(GONE, found.end(1)):
            return "a credential"
    return ""


_SORTS: Final = ("a session id", "a JSON web token", "an SFDX auth URL", "a refresh token", "a private key")


def _flat(name: str) -> str:
    return "".join(char for char in name.casefold()[:200] if char.isalnum())


def _is_plain(value: object) -> bool:
    return isinstance(value, bool) or value is None


@cache
def _marked(mark: type) -> frozenset[str]:
    """The names of all fields that carry a mark, of any kind."""
    return frozenset(name for kind in all_kinds().values() for name in _marked_in(kind, mark))


def _marked_in(struct: type[Struct], mark: type) -> Iterator[str]:
    for name, field in struct.fields().items():
        if field.has(mark):
            yield name
        elif field.struct is not None:
            yield from _marked_in(field.struct, mark)
