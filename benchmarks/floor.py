"""The floor: the least that a no-change plan of the same data can cost in Python, written as a throw-away.

Files -> values with line and column of every key (libyaml's events, an own loop) · zip -> files (its directory, zlib) ·
XML -> values (lxml, a loop over children) · models of both sides (pydantic) · equality. No checks, no messages, no
network, no baseline, no second chance: what is above this is what the client is good for.

`python -m benchmarks.floor DESIRED ZIPS` says how many components it found equal.
"""

import gc
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import yaml
from lxml import etree
from pydantic import TypeAdapter
from typing_extensions import TypedDict
from yaml.events import DocumentStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from benchmarks.apps import KINDS

_OWNER = "externalClientApplication"
_TEXTS = """contactEmail contactPhone description distributionState infoUrl label name externalClientApplication
    callbackUrl commaSeparatedOauthScopes singleLogoutUrl commaSeparatedPermissionSet ipRelaxationPolicyType
    permittedUsersPolicyType refreshTokenPolicyType refreshTokenValidityUnit requiredSessionLevel startPage
    consumerKey oauthLink orgScopedExternalApp"""
_FLAGS = """isConsumerSecretOptional isIntrospectAllTokens isPkceRequired isRefreshTokenRotationEnabled
    isSecretRequiredForRefreshToken isSecretRequiredForTokenExchange isTokenExchangeEnabled isEnabled
    isOauthPluginEnabled isClientCredentialsFlowEnabled isTokenExchangeFlowEnabled"""
_Record = TypedDict(  # names that are only known here
    "_Record",
    {
        **dict.fromkeys(_TEXTS.split(), str),
        **dict.fromkeys(_FLAGS.split(), bool),
        "refreshTokenValidityPeriod": int,
    },
    total=False,
)
_model = TypeAdapter(_Record).validate_python
_Key = tuple[str, str]


def _load(data: bytes) -> tuple[dict[str, Any], list[tuple[str, int, int]]]:
    """The one document of a file, and line and column of every key."""
    get: Any = yaml.CSafeLoader(data).get_event
    places: list[tuple[str, int, int]] = []

    def mapping() -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            key = get()
            if key.__class__ is MappingEndEvent:
                return found
            mark = key.start_mark
            places.append((key.value, mark.line, mark.column))
            event = get()
            found[key.value] = event.value if event.__class__ is ScalarEvent else node(event)

    def node(event: Any) -> Any:
        if event.__class__ is ScalarEvent:
            return event.value
        if event.__class__ is MappingStartEvent:
            return mapping()
        items: list[Any] = []
        while (item := get()).__class__ is not SequenceEndEvent:
            items.append(node(item))
        return items

    while get().__class__ is not DocumentStartEvent:
        pass
    return node(get()), places


def _read(folder: Path) -> list[bytes]:
    files = []
    with os.scandir(folder) as teams:
        for team in teams:
            with os.scandir(team) as entries:
                for entry in entries:
                    with FileIO(entry.path) as file:
                        files.append(file.readall())
    return files


def _wanted(folder: Path) -> Iterator[tuple[_Key, Any]]:
    for data in _read(folder):
        document, _ = _load(data)
        name = document.pop("name")
        del document["kind"]
        for section, kind in KINDS.items():
            body = document.pop(section) if section else {k: v for k, v in document.items() if k not in KINDS}
            for field, value in body.items():
                if value.__class__ is list:
                    body[field] = ("\n" if field == "callbackUrl" else ", ").join(value)
            yield (kind, name), _model(body)


_NAMESPACE = len("{http://soap.sforce.com/2006/04/metadata}")
_CENTRAL, _LOCAL = struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s5H3I2H")


def _unzip(data: bytes) -> Iterator[bytes]:
    end = data.rfind(b"PK\5\6")
    count, _, at = struct.unpack_from("<HII", data, end + 10)
    for _ in range(count):
        head = _CENTRAL.unpack_from(data, at)
        at += 46 + head[10] + head[11] + head[12]
        local = _LOCAL.unpack_from(data, head[16])
        start = head[16] + 30 + local[9] + local[10]
        packed = data[start : start + head[8]]
        yield zlib.decompress(packed, -15) if head[4] else packed


def _held(folder: Path) -> Iterator[tuple[_Key, Any]]:
    for path in folder.glob("*.zip"):
        for data in _unzip(path.read_bytes()):
            root = etree.fromstring(data)
            kind = root.tag[_NAMESPACE:]
            body = {child.tag[_NAMESPACE:]: child.text for child in root}
            if kind in _NAMED:
                # An app's file does not say its name, but for what the org adds.
                name = body.get(_OWNER) or body["orgScopedExternalApp"].partition(":")[2]
                yield (kind, name), _model(body)


_NAMED = frozenset(KINDS.values())


def equal(desired: Path, zips: Path) -> int:
    """How many components the org holds as declared."""
    held = dict(_held(zips))
    wanted = dict(_wanted(desired))
    return sum(body.items() <= held[key].items() for key, body in wanted.items())


if __name__ == "__main__":
    gc.disable()
    sys.stdout.write(f"{equal(Path(sys.argv[1]), Path(sys.argv[2]))} equal\n")
