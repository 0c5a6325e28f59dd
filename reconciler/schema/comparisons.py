"""When two values are the same although they are written differently: one comparison for each type of value.

An org trims texts, gives certificates back in another layout, and knows names without regard to letter case. None of
that is a change. Each field has one comparison (`Field.comparison`), and everything that compares goes by it: plans,
drift, keys of lists, references, duplicates in files. `docs/comparisons.md` is made from this module.

What is not known to be the same is not: where no source says that an org compares without case, letter case counts.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Text = Callable[[str], Any]


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the texts of one type are compared: `read` makes the text that people see, and `key` makes of it what is compared."""

    type: str
    """What a text of this type is, for the documentation."""
    same: str
    """Which spellings are one value."""
    source: str
    doubt: str = ""
    """What is not known, and how it is taken until then."""
    read: Text = _itself
    key: Callable[[Any], Any] = _itself

    @property
    def folds(self) -> bool:
        """Whether two texts that differ after `read` can still be the same, by letter case say."""
        return self.key is not _itself


# --- texts -----------------------------------------------------------------------------------------------------------


def text(value: str) -> str:
    """Return a text without blanks around it, with line feeds between lines, in Unicode's composed form (NFC)."""
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = value.strip()
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _source_text(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").rstrip() + "\n"


_ID = re.compile(r"0[A-Za-z0-9]{14}([A-Za-z0-9]{3})?")


def fold(value: Any) -> Any:
    """A name as orgs compare it: without regard to letter case. Of an id each letter counts, and the last three of 18 are a
    checksum."""
    if not isinstance(value, str):
        return value
    found = text(value)
    return found[:15] if _ID.fullmatch(found) else found.casefold()


_TRIMMED = "Metadata API Developer Guide, createMetadata(): strings lose the blanks around them"

TEXT = Comparison(
    "text",
    "blanks and line breaks around it, the sort of line breaks (CRLF, LF), Unicode composed or not (NFC, NFD)",
    f"{_TRIMMED}; XML 1.0, 2.11 (line breaks)",
    "an org keeps the Unicode form that it was given; that two forms are one text is Unicode's own rule (UAX #15). Letter "
    "case counts",
    text,
)
URL = Comparison(
    "URL",
    "as of a text; callback URLs as a set, one a line",
    f"{_TRIMMED}; RFC 6749, 3.1.2.3 and RFC 3986, 6.2.1: redirect URIs are compared character by character",
    "a host in capitals, a default port and a slash at the end are other URLs: an org was not seen to take them for the same",
    text,
)
SOURCE = Comparison(
    "source of an Apex class",
    "the sort of line breaks, blanks and line breaks at the end, a byte order mark",
    "inferred: editors and Git change these, and none of them changes the code",
    "everything else counts, letter case and Unicode form too: it may stand in a text of the code",
    _source_text,
)

# --- names -----------------------------------------------------------------------------------------------------------

_SOQL = (
    "SOQL and SOSL Reference, comparison operators: texts are compared without case, except in case-sensitive fields"
)

NAME = Comparison(
    "name of a record",
    "letter case, blanks around it; of an id in its place, 15 or 18 characters",
    f"{_SOQL}; Apex Developer Guide, case sensitivity (classes)",
    "that a deployment takes a name in other letters for the same is inferred from there; profiles go by the name that an "
    "org shows in its language, and two languages' names are two names",
    text,
    fold,
)
USERNAME = Comparison(
    "username",
    "letter case, blanks around it",
    f"{_SOQL}; an org keeps usernames in small letters",
    read=text,
    key=fold,
)

# --- closed vocabularies, switches and numbers -----------------------------------------------------------------------

_NO_TWO = "no two values of a list of values differ by letter case alone"


def choice(values: tuple[str, ...]) -> Comparison:
    """Return the comparison for a value from a fixed list, shown as the documentation spells it, in any letters."""
    spelled = {value.casefold(): value for value in values}

    def read(value: str) -> str:
        found = text(value)
        return spelled.get(found.casefold(), found)

    return Comparison(CHOICE.type, CHOICE.same, CHOICE.source, CHOICE.doubt, read, fold)


CHOICE = Comparison(
    "one of a list of values",
    "letter case, blanks around it",
    f"{_NO_TWO}; an org was seen to read Enforce_relaxrefresh back for Enforce_RelaxRefresh",
    "files are still asked for the documented spelling, where Salesforce's schema lists the values",
    text,
    fold,
)
SCOPE = Comparison("scope", "letter case, blanks around it", _NO_TWO, CHOICE.doubt, text, fold)

_LIFETIME = re.compile(r"(specific_lifetime|specific_inactivity):0*([0-9]+):(hours|days|months)")


def _lifetime(value: str) -> str:
    found = text(value)
    parts = _LIFETIME.fullmatch(found.casefold())
    if parts is not None:
        return f"{parts[1]}:{parts[2]}:{parts[3].upper()}"
    return found.casefold() if found.casefold() in ("infinite", "zero") else found


LIFETIME = Comparison(
    "refresh token policy of a connected app",
    "letter case, blanks around it, zeros before the number",
    _NO_TWO,
    "24 hours and 1 day are two values: an org keeps the one that it was given",
    _lifetime,
    fold,
)

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,2})?")


def _boolean(value: str) -> bool | str:
    found = text(value)
    return _BOOLEANS.get(found.casefold(), found)


def _integer(value: str) -> int | str:
    found = text(value)
    return int(found) if _INTEGER.fullmatch(found) else found


def _decimal(value: str) -> float | str:
    found = text(value)
    return float(found) if _DECIMAL.fullmatch(found) else found


BOOLEAN = Comparison(
    "true or false", "true and 1, false and 0, letter case, blanks around it", "XML Schema Part 2, 3.2.2", read=_boolean
)
INTEGER = Comparison(
    "whole number", "zeros and a plus before it, blanks around it", "XML Schema Part 2, 3.3.13", read=_integer
)
DECIMAL = Comparison(
    "number", "zeros around it (63, 63.0), blanks around it, the exponent", "XML Schema Part 2, 3.2.5", read=_decimal
)

# --- bytes and addresses ---------------------------------------------------------------------------------------------

_LABEL = r"-----(?:{}) (?:X509 )?CERTIFICATE-----"
_ARMOUR = re.compile(f"{_LABEL.format('BEGIN')}(.*?){_LABEL.format('END')}", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_DER = re.compile(r"MI[A-Za-z0-9+/]{100,}={0,2}")
"""How the Base64 of an ASN.1 sequence of some length begins. No name is like that."""
_LINE = 64


def certificate(value: str) -> str:
    """Return certificates in one layout, one after the other; a text that holds none keeps its lines, without blanks
    around them."""
    if "PRIVATE KEY" in value:
        return _lines(value)
    found = [_bare(one) for one in _ARMOUR.findall(value)] or [_bare(value)]
    if not all(_BASE64.fullmatch(one) for one in found):
        return _lines(value)
    return "\n".join(
        "\n".join(
            (
                "-----BEGIN CERTIFICATE-----",
                *(one[at : at + _LINE] for at in range(0, len(one), _LINE)),
                "-----END CERTIFICATE-----",
            )
        )
        for one in found
    )


def _bare(value: str) -> str:
    bare = "".join(value.split()).rstrip("=")
    return bare + "=" * (-len(bare) % 4)


def _lines(value: str) -> str:
    return "\n".join(line.strip() for line in text(value).split("\n") if line.strip())


def _perhaps_certificate(value: str) -> str:
    return certificate(value) if _ARMOUR.search(value) or _DER.fullmatch(_bare(value)) else text(value)


CERTIFICATE = Comparison(
    "certificate",
    "length and sort of lines, blanks, with the BEGIN and END lines or without, text before and after these",
    "RFC 7468, 2 and 5 (blanks and text around do not count); which layout an org gives back is not documented",
    "several certificates in another order are another value",
    certificate,
)
PERHAPS_CERTIFICATE = Comparison(
    "name or text of a certificate",
    "as of a certificate if it is one, else as of a text",
    CERTIFICATE.source,
    "documents disagree on what the field holds",
    _perhaps_certificate,
)


def _base64(value: str) -> str:
    bare = _bare(value)
    return bare if _BASE64.fullmatch(bare) else text(value)


BASE64 = Comparison("file in Base64", "blanks and line breaks in it", "RFC 2045, 6.8", read=_base64)


def _ip(value: str) -> str:
    found = text(value)
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return found


IP = Comparison(
    "IP address",
    "letter case and zeros of IPv6 addresses (2001:DB8:0::1, 2001:db8::1), blanks around it",
    "RFC 4291, 2.2; RFC 5952",
    "zeros before a part of an IPv4 address may mean an octal number, so 010.0.0.1 is another text than 10.0.0.1",
    _ip,
)

ALL: tuple[Comparison, ...] = (
    TEXT, URL, SOURCE, NAME, USERNAME, CHOICE, SCOPE, LIFETIME, BOOLEAN, INTEGER, DECIMAL, CERTIFICATE,
    PERHAPS_CERTIFICATE, BASE64, IP,
)  # fmt: skip
"""Every type of value, in the order of the documentation."""
