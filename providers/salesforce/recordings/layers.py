"""A text, and what is inside of it: the strings of JSON, base64, zips. What a curious reader of a file would find."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

from providers.salesforce.files.archive import ZipError, ZipLimits, read_zip

DEEPEST = 6
_MOST_BYTES = 1 << 30
"""Of all layers together: more than a recording of the largest org unpacks to."""
_LIMITS = ZipLimits(total_bytes=_MOST_BYTES)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_SHORTEST = 24


def layers(data: bytes, where: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield each layer with its name, the outermost first. Raises ZipError beyond the bounds of what is unpacked."""
    left = [_MOST_BYTES]
    for name, layer in _layers(data, where, 0):
        left[0] -= len(layer)
        if left[0] < 0:
            raise ZipError("it unpacks to more than a recording holds")
        yield name, layer


def _layers(data: bytes, where: str, depth: int) -> Iterator[tuple[str, bytes]]:
    yield where, data
    if depth >= DEEPEST:
        return
    if data[:4] == b"PK\3\4":
        for path, content in read_zip(data, _LIMITS):
            yield from _layers(content, f"{where} {path}".strip(), depth + 1)
        return
    for text in _texts(data):
        yield from _layers(text, where, depth + 1)
    if b"&" in data or b"%" in data:
        plain = unquote(unescape(data.decode("utf-8", "replace"))).encode("utf-8", "replace")
        if plain != data:
            yield where, plain
    for found in _BASE64.finditer(data):
        inside = _decoded(found[0])
        if inside:
            yield from _layers(inside, where, depth + 1)


def _texts(data: bytes) -> Iterator[bytes]:
    """The strings of a JSON text, names included."""
    if data.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        todo = [json.loads(data)]
    except (ValueError, RecursionError):
        return
    while todo:
        match todo.pop():
            case dict() as held:
                todo += [*held.keys(), *held.values()]
            case list() as held:
                todo += held
            case str() as text:
                yield text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> bytes:
    """Return what base64 stands for, also without its padding; empty for an ordinary word and for unreadable bytes."""
    packed = b"".join(text.split()).rstrip(b"=").translate(_STANDARD)
    if len(packed) < _SHORTEST:
        return b""
    try:
        inside = base64.b64decode(packed[: len(packed) - (len(packed) % 4 == 1)] + b"=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return b""
    return inside if inside[:4] == b"PK\3\4" or _is_readable(inside) else b""


def _is_readable(data: bytes) -> bool:
    """Whether it is mostly text. A long word that only looks like base64 decodes to anything but that."""
    return sum(data.translate(_READABLE)) * 10 >= len(data) * 8


_STANDARD = bytes.maketrans(b"-_", b"+/")
_READABLE = bytes(int(32 <= code < 127 or code in (9, 10, 13)) for code in range(256))
