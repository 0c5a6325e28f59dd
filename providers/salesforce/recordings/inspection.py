"""Looks through a recording as a curious stranger would: what is in it, and what in it looks like a secret."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2
from pathlib import Path

from lxml import etree

from providers.salesforce.files.archive import ZipError
from providers.salesforce.recordings.file import Head, Interaction, read
from providers.salesforce.recordings.layers import layers
from providers.salesforce.recordings.marks import MARK
from providers.salesforce.recordings.recorder import Request
from providers.salesforce.recordings.scrubbing import is_secret_name, looks_secret
from reconciler.apex.code import Code
from reconciler.apex.hardcoded import secrets
from reconciler.xml.markup import hardened_parser

MOST = 200
"""So many suspicions are named."""
_HARMLESS = frozenset({"", "true", "false", "0", "1", "null"})
_LONG = re.compile(r"[A-Za-z0-9+/=_-]{32,4096}")
_PUBLIC = frozenset({"consumerkey", "key", "zipfile", "certificate", "oauthlink"})
"""What is called like this is long and in disorder, and no secret."""
_DIGITS_OR_WORDS = re.compile(r"MI[A-Za-z0-9+/=]+|[0-9a-f]+|[A-Za-z_]+")
"""Certificates, digests, names."""
_ENTROPY = 4.5
"""Bits a character; base64 of random bytes has nearly 6, words have 4 and less."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A place that looks as if a secret stood there, without its value."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a recording holds."""

    head: Head
    bytes: int
    calls: Mapping[str, int]
    """Operation -> number of calls."""
    sizes: Mapping[str, int]
    """Operation -> bytes of its answers."""
    suspicions: tuple[Suspicion, ...]


def inspect(file: Path) -> Inspection:
    """Look through a recording. Raises InputError for what is none."""
    recording = read(file)
    calls: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    found: dict[Suspicion, None] = {}
    for suspicion in _in_layers(json.dumps(list(recording.head.classes)).encode(), "its head"):
        found[suspicion] = None
    for one in recording.interactions:
        operation = Request(one.method, one.path, one.body.encode("utf-8", "replace")).operation
        calls[operation] += 1
        sizes[operation] += len(one.answer)
        for suspicion in _in(one, operation):
            found[suspicion] = None
            if len(found) >= MOST:
                break
    return Inspection(
        recording.head, file.stat().st_size, dict(sorted(calls.items())), dict(sorted(sizes.items())), tuple(found)
    )


def _in(one: Interaction, operation: str) -> Iterator[Suspicion]:
    for part, text in (("request", one.path), ("request", one.body), ("answer", one.answer)):
        where = f"{operation}, {part}"
        try:
            yield from _in_layers(text.encode("utf-8", "replace"), where)
        except ZipError:
            yield Suspicion(where, "a zip that cannot be looked into")


def _in_layers(data: bytes, where: str) -> Iterator[Suspicion]:
    for name, layer in layers(data, where):
        text = layer.decode("utf-8", "replace")
        if what := looks_secret(text):
            yield Suspicion(name, what)
        for field, value in _values(layer, text):
            if is_secret_name(field) and value.casefold() not in _HARMLESS and not MARK.fullmatch(value):
                yield Suspicion(name, f"a value called {field[:80]}")
            elif _is_random(value) and field.casefold() not in _PUBLIC:
                yield Suspicion(name, f"a long random text in {field[:80]}")
        if name.endswith(".cls"):
            for one in secrets(Code(text)):
                if not MARK.search(one.token.text):
                    yield Suspicion(f"{name}, line {one.token.line}", f"{one.what} in a literal")


def _values(layer: bytes, text: str) -> Iterator[tuple[str, str]]:
    """The values of XML or JSON, each with its name; what is left of a request's path has none."""
    head = layer.lstrip()[:1]
    found = _in_xml(layer) if head == b"<" else _in_json(text) if head in (b"{", b"[") else iter(())
    return ((name, value.strip()) for name, value in found)


def _in_xml(layer: bytes) -> Iterator[tuple[str, str]]:
    try:
        root = etree.fromstring(layer, hardened_parser())
    except (etree.XMLSyntaxError, ValueError):
        return
    for element in root.iter():
        if isinstance(element.tag, str):
            # Of an element with others inside, what is called like a secret is the whole.
            name = etree.QName(element).localname
            yield name, "".join(map(str, element.itertext())) if is_secret_name(name) else element.text or ""
            yield from ((etree.QName(key).localname, str(value)) for key, value in element.items())


def _in_json(text: str) -> Iterator[tuple[str, str]]:
    try:
        todo = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while todo:
        match todo.pop():
            case dict() as held:
                yield from ((name, _text(value)) for name, value in held.items() if not isinstance(value, list | dict))
                todo += held.values()
            case list() as held:
                todo += held


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_random(text: str) -> bool:
    """Whether a text looks random: long, in disorder, and nothing that is known to look like this."""
    if not _LONG.fullmatch(text) or _DIGITS_OR_WORDS.fullmatch(text):
        return False
    sorts = (any(map(str.isupper, text)), any(map(str.islower, text)), any(map(str.isdigit, text)))
    entropy = -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())
    return all(sorts) and entropy >= _ENTROPY
