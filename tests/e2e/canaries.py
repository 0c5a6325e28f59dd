"""Secrets made at run time, planted where a secret can stand, and looked for in all that comes out.

The search shares no code with what it tests: it unpacks zips, gzip, base64, escapes of URLs, XML and JSON by itself, and
takes any twelve letters and digits of a canary in a row, in capitals or not, with anything between them, for a leak.
"""

import base64
import gzip
import html
import io
import re
import secrets
import string
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_plus

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.salesforce.wire.session import OrgSession
from reconciler.baseline import store
from reconciler.cli import program
from tests.e2e.project import Project, Result

PIECE = 12
"""So many letters and digits of a canary, in a row, are a leak."""
_GRAM, _STRIDE = 6, 7
_DEEPEST = 5
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_NOTHING = re.compile(rb"[^0-9A-Za-z]+")


def canary(length: int = 40) -> str:
    """A secret that nobody else has: letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def private_key() -> str:
    """One in PEM."""
    plain = serialization.NoEncryption()
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


class Aviary:
    """The canaries of one scene, by the place where each was planted."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, set[str]] = {}
        self._grams: set[bytes] = set()
        self.values: dict[str, str] = {}

    def plant(self, place: str, value: str = "") -> str:
        """A new canary for a place, or a secret that is there already. Returns it."""
        self.values[place] = value = value or canary()
        for form in self._forms(_secret_part(value)):
            bare = _bare(form.encode())
            for at in range(len(bare) - PIECE + 1):
                self._pieces.setdefault(bare[at : at + PIECE], set()).add(place)
            self._grams.update(bare[at : at + _GRAM] for at in range(len(bare) - _GRAM + 1))
        return value

    def found(self, data: bytes) -> set[str]:
        """Whose canaries stand in these bytes, however deep."""
        return {place for layer in layers(data) for place in self._in(_bare(layer))}

    def _in(self, bare: bytes) -> Iterator[str]:
        for at in range(0, len(bare) - _GRAM + 1, _STRIDE):
            if bare[at : at + _GRAM] in self._grams:
                for begin in range(max(at - PIECE, 0), at + PIECE):
                    yield from self._pieces.get(bare[begin : begin + PIECE], ())

    @staticmethod
    def _forms(value: str) -> Iterator[str]:
        yield value
        yield value.encode().hex()
        for shift in range(3):
            yield base64.b64encode(b"\0" * shift + value.encode()).decode().rstrip("=")[4 if shift else 0 : -2]


def _secret_part(value: str) -> str:
    """Without what is no secret: the id of the org and of its user, the head of a JWT, the public half of a key."""
    if value.startswith("-----BEGIN"):
        body = "".join(value.splitlines()[1:-1])
        return body[len(body) // 2 :]
    if value.startswith(("PD", "PH")):
        return value[:160]  # An assertion: behind it stands its issuer's certificate.
    if value.startswith("eyJ") and value.count(".") == 2:
        return value.rpartition(".")[2]
    return re.sub(r"^00D\w{12,15}!(005\w{12}\.)?", "", value)


def _bare(data: bytes) -> bytes:
    return _NOTHING.sub(b"", data).lower()


def layers(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and what is inside of them."""
    yield data
    if depth == _DEEPEST:
        return
    if b"PK\3\4" in data[:2000]:
        # In the middle of a form, too.
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as source:
            for name in source.namelist():
                yield name.encode()
                yield from layers(source.read(name), depth + 1)
        return
    if data[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError):
            yield from layers(gzip.decompress(data), depth + 1)
        return
    if data[:1] == b"\x78":
        with suppress(zlib.error):
            yield from layers(zlib.decompress(data), depth + 1)
    text = data.decode("utf-8", "replace")
    for plain in (
        html.unescape(text) if "&" in text else text,
        unquote_plus(text) if "%" in text else text,
        re.sub(r"\\u([0-9A-Fa-f]{4})|\\(.)", _unescaped, text, flags=re.DOTALL) if "\\" in text else text,
    ):
        if plain != text:
            yield from layers(plain.encode("utf-8", "replace"), depth + 1)
    for found in _BASE64.finditer(data):
        packed = found[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        with suppress(ValueError):
            # A zip without its last byte is none: what is missing is padded, and only what can be no base64 is cut off.
            whole = packed[:-1] if len(packed) % 4 == 1 else packed
            inside = base64.b64decode(whole + b"=" * (-len(whole) % 4))
            if inside[:2] in (b"PK", b"\x1f\x8b") or inside[:64].isascii():
                yield from layers(inside, depth + 1)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else {"n": "\n", "t": "\t", "r": "\r"}.get(found[2], found[2])


@dataclass
class Watch:
    """One project, all that its commands sent and got, and all that they left behind."""

    project: Project
    aviary: Aviary = field(default_factory=Aviary)
    wire: list[bytes] = field(default_factory=list)
    outlets: dict[str, bytes] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    """Files of the project that hold a secret on purpose: those that references name."""
    environment: dict[str, str] = field(default_factory=dict)

    def plant(self, place: str, value: str = "") -> str:
        return self.aviary.plant(place, value)

    def env(self, place: str, value: str = "") -> dict[str, dict[str, str]]:
        """A canary in an environment variable, and the reference to it."""
        name = f"CANARY_{len(self.environment)}"
        self.environment[name] = self.plant(place, value)
        return {"secret": {"env": name}}

    def file(self, place: str, value: str = "") -> dict[str, dict[str, str]]:
        """A canary in a file of the project, and the reference to it."""
        name = f"secret-{len(self.inputs)}.txt"
        (self.project.root / name).write_text(f"{self.plant(place, value)}\n")
        self.inputs.add(name)
        return {"secret": {"file": name}}

    def command(self, place: str, value: str = "") -> dict[str, Any]:
        """A canary that a program tells, and the reference to it."""
        name = f"secret-{len(self.inputs)}.txt"
        (self.project.root / name).write_text(f"{self.plant(place, value)}\n")
        self.inputs.add(name)
        return {"secret": {"command": ["cat", str(self.project.root / name)]}}

    def run(self, *arguments: str, **environment: str) -> Result:
        """One command; what it says is an outlet."""
        return self.keep(" ".join(arguments), self.project.run(*arguments, **self.environment, **environment))

    def keep(self, name: str, result: Result) -> Result:
        number = len(self.outlets)
        self.outlets[f"{number} stdout of {name}"] = result.out.encode()
        self.outlets[f"{number} stderr of {name}"] = result.err.encode()
        return result

    def leaks(self) -> dict[str, set[str]]:
        """Outlet -> places whose canaries came out of it; the files of the project are outlets too."""
        for path in self.project.root.rglob("*"):
            # The org's own file is the org.
            inside = path.relative_to(self.project.root)
            if path.is_file() and str(inside) not in self.inputs and "orgs" not in inside.parts:
                self.outlets[f"file {inside}"] = path.read_bytes()
        return {name: found for name, data in self.outlets.items() if (found := self.aviary.found(data))}

    def travelled(self) -> set[str]:
        """Places whose canaries were sent or came back: without this, nothing was tested."""
        return self.aviary.found(b"\n".join(self.wire)).union(*(self.aviary.found(one) for one in self.wire))

    def heard(self, pattern: bytes) -> list[str]:
        """What stands in the conversation so far, each once."""
        return list(dict.fromkeys(found.decode() for one in self.wire for found in re.findall(pattern, one)))


@contextmanager
def watching(project: Project) -> Iterator[Watch]:
    """Listen to all requests and answers, and to what is written beside the baseline, the journal too."""
    watch = Watch(project)
    send, write = OrgSession.send, store._write

    def sending(session: OrgSession, request: Any, **more: Any) -> Any:
        body = request.body or b""
        heads = "\n".join(f"{name}: {value}" for name, value in request.headers.items()).encode()
        watch.wire.append(heads + b"\n" + (body if isinstance(body, bytes) else str(body).encode()))
        answer = send(session, request, **more)
        watch.wire.append(answer.content or b"")
        watch.wire.append("\n".join(map(": ".join, answer.headers.items())).encode())
        return answer

    def writing(path: Path, lines: Any) -> None:
        told = list(lines)
        watch.outlets[f"{len(watch.outlets)} written to {path.name}"] = "".join(told).encode()
        write(path, told)

    with patch.object(OrgSession, "send", sending), patch.object(store, "_write", writing):
        yield watch


class CrashError(RuntimeError):
    """What nobody foresaw, with everything in its message that was at hand."""


@contextmanager
def crashing(module: Any, name: str) -> Iterator[list[int]]:
    """Whoever calls that function gets an error that tells all its arguments, in a chain of two. Yields one item a call."""
    calls: list[int] = []

    def crash(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        told = " ".join(_told(one) for one in (*arguments, *named.items()))
        try:
            raise CrashError(told)
        except CrashError as first:
            raise CrashError(f"again: {told}") from first

    with patch.object(module, name, crash):
        yield calls


def _told(value: Any) -> str:
    """A value with all that is in it, whatever its `repr` keeps quiet about."""
    told = repr(value)
    for name in getattr(value, "__slots__", ()) or vars(value) if hasattr(value, "__dict__") else ():
        told += f" {name}={getattr(value, name, '')!r}"
    if isinstance(value, Mapping):
        told += " ".join(f"{name}={each!r}" for name, each in value.items())
    return told


def unforeseen(watch: Watch, *arguments: str, debug: bool) -> str:
    """A command that dies of what nobody foresaw, as the executable would tell it."""
    out, err = io.StringIO(), io.StringIO()
    environment = {**watch.environment, "RECONCILER_DEBUG": "1" if debug else ""}
    with (
        chdir(watch.project.root),
        patch.dict("os.environ", environment),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            program.run(arguments)
        except Exception as error:
            trace: TracebackType | None = error.__traceback__
            program.unexpected(type(error), error, trace)
    watch.keep(" ".join(arguments), Result(1, out.getvalue(), err.getvalue()))
    return err.getvalue()


FORMS: Mapping[str, Any] = {
    "as it is": str,
    "in capitals": str.upper,
    "its first 20 characters": lambda text: text[:20],
    "in base64": lambda text: base64.b64encode(f"client:{text}".encode()).decode(),
    "in a URL": lambda text: "".join(f"%{ord(c):02X}" if not c.isalnum() else c for c in text),
    "in JSON": lambda text: text.replace("=", "\\u003d").replace("/", "\\/"),
    "in XML": lambda text: html.escape(text).replace("=", "&#61;"),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in lines": lambda text: " ".join(text[at : at + 10] for at in range(0, len(text), 10)),
}
"""How somebody may repeat what he was sent."""
