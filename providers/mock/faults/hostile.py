"""Answers that are made to harm their reader. None harms a reader that bounds what it reads."""

from __future__ import annotations

import base64
import functools
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Annotated

from providers.mock.faults.calls import Answer, Call, Missed
from providers.mock.faults.kinds import Between, fault

_FAMILY = "Hostile answers"
_ZIP = re.compile(rb"(<zipFile>)([^<]+)(</zipFile>)")
_TEXT = re.compile(rb">([^<>]+)</")
_RESULT_END = re.compile(rb"</(?:[\w.-]+:)?\w+Response>")


def _xml(call: Call) -> Answer:
    answer = call.answer()
    if not answer.is_xml or not _TEXT.search(answer.content):
        raise Missed(answer)
    return answer


def _declaring(answer: Answer, declarations: str, entity: str) -> Answer:
    """Return a document that declares entities and uses one of them in its first text."""
    head, rest = answer.content.split(b"?>", 1)
    found = _TEXT.search(rest)
    at = found.end(1) if found else 0
    doctype = f"?><!DOCTYPE answer [{declarations}]>".encode()
    return answer.having(head + doctype + rest[:at] + f"&{entity};".encode() + rest[at:])


@fault(_FAMILY)
def external_entity(call: Call, *, system: str = "file:///etc/hostname") -> Answer:
    """A document with an entity that stands for a file or URL of the reader's own. XML answers only."""
    quoted = system.replace('"', "%22")
    return _declaring(_xml(call), f'<!ENTITY outside SYSTEM "{quoted}">', "outside")


@fault(_FAMILY)
def entity_expansion(call: Call, *, levels: Annotated[int, Between(2, 30)] = 10) -> Answer:
    """A document with entities that each stand for ten others: a few bytes that become ten to the `levels`. XML only."""
    entities = ['<!ENTITY e0 "ha">']
    entities += [f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, levels + 1)]
    return _declaring(_xml(call), "".join(entities), f"e{levels}")


def _with_entry(call: Call, name: str, content: bytes) -> Answer:
    answer = call.answer()
    found = _ZIP.search(answer.content)
    if found is None:
        raise Missed(answer)
    archive = io.BytesIO(base64.b64decode(found.group(2)))
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return _zipped(answer, found, archive.getvalue())


def _zipped(answer: Answer, found: re.Match[bytes], archive: bytes) -> Answer:
    content = answer.content
    return answer.having(content[: found.start(2)] + base64.b64encode(archive) + content[found.end(2) :])


@fault(_FAMILY, ("checkRetrieveStatus",))
def zip_bomb(call: Call, *, megabytes: Annotated[int, Between(1, 4000)] = 1000) -> Answer:
    """The zip of a retrieve is small and unpacks to so many megabytes. It happens to the answer that brings the zip."""
    answer = call.answer()
    found = _ZIP.search(answer.content)
    if found is None:
        raise Missed(answer)
    return _zipped(answer, found, _bomb(megabytes))


@functools.lru_cache(maxsize=4)
def _bomb(megabytes: int) -> bytes:
    # Put together by hand, from one compressed piece many times: `zipfile` would compress all of it, for seconds, and
    # the client would have given up.
    piece = bytes(1_000_000)
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packing.compress(piece) + packing.flush(zlib.Z_FULL_FLUSH)
    data = block * megabytes + packing.flush()
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(piece, checksum)
    name = b"unpackaged/classes/Bomb.cls"
    sizes = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, checksum, len(data), megabytes * len(piece), len(name), 0)
    entry = b"PK\3\4" + sizes + name + data
    listed = b"PK\1\2" + struct.pack("<H", 20) + sizes + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    return entry + listed + b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(listed), len(entry), 0)


@fault(_FAMILY, ("checkRetrieveStatus",))
def climbing_entry(call: Call, *, name: str = "../../climbed.txt") -> Answer:
    """The zip of a retrieve holds one entry more, with a name that leads out of the folder it is unpacked to."""
    return _with_entry(call, name, b"climbed\n")


@fault(_FAMILY)
def million_elements(call: Call, *, count: Annotated[int, Between(1, 100_000_000)] = 1_000_000) -> Answer:
    """The result holds so many elements more than it should. XML answers only."""
    answer = _xml(call)
    content = answer.content
    end = _RESULT_END.search(content)
    if end is None:
        raise Missed(answer)

    def pieces() -> Iterator[bytes]:
        yield content[: end.start()]
        block = b"<result/>" * 1000
        for _ in range(count // 1000):
            yield block
        yield b"<result/>" * (count % 1000) + content[end.start() :]

    return answer.streaming(pieces())


@fault(_FAMILY)
def endless_answer(call: Call) -> Answer:
    """The answer begins as it should and never ends: blanks, as fast as they are read, which both XML and JSON allow."""
    answer = call.answer()
    content = answer.content

    def pieces() -> Iterator[bytes]:
        yield content[:-1]
        while True:
            yield b" " * 65536

    return answer.streaming(pieces())


@fault(_FAMILY)
def deep_nesting(call: Call, *, depth: Annotated[int, Between(1, 10_000_000)] = 100_000) -> Answer:
    """The result holds elements, or in JSON arrays, that lie so many levels deep in each other."""
    answer = call.answer()
    content = answer.content
    end = _RESULT_END.search(content)
    if end is None:
        if content[:1] not in {b"{", b"["}:
            raise Missed(answer)
        return answer.having(b"[" * depth + b"]" * depth)
    return answer.having(content[: end.start()] + b"<a>" * depth + b"</a>" * depth + content[end.start() :])
