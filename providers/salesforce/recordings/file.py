"""The file of a recording: JSON that vcrpy (its `json` serializer, and its `yaml` one) can load, with a head of ours.

    {"interactions": [{"request": {…}, "response": {…}}, …], "recording": {…}, "version": 1}

Sorted keys, one interaction for each different request, in the order in which they were first made: two recordings of an
org in which nothing happened differ in `recorded_at` alone. Reading is as strict as it is bounded: the file may come
from a pull request.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reconciler import files
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError

FORMAT = 1
MOST_BYTES = 256 * 1024 * 1024
MOST_INTERACTIONS = 10_000
_VERSION = re.compile(r"[1-9][0-9]{1,2}\.0")
MEND = "make one with: reconciler drift --record FILE"


@dataclass(frozen=True, slots=True)
class Head:
    """What a recording says about itself."""

    recorded_at: str
    """ISO 8601, UTC."""
    org_id: str
    api_version: str
    reconciler_version: str
    scrub: tuple[str, ...] = ()
    """What was scrubbed besides secrets because it was asked for: `emails`, `certificates`."""
    scrubbed: Mapping[str, int] = field(default_factory=dict)
    """What was taken out -> how often."""
    classes: tuple[str, ...] = ()
    """Apex classes that were read because files or baseline spoke of them; those of handlers are read anyway."""
    secret_ages: bool = False
    """Whether the ages of consumer secrets were asked for."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request, and the last answer to it."""

    method: str
    path: str
    """With its query."""
    body: str
    status: int
    content_type: str
    answer: str
    request_type: str = ""
    """The request's content type."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it stands in its file."""

    head: Head
    interactions: tuple[Interaction, ...]


ORIGIN = "https://org.invalid"
"""In the place of the org's own, which a replay never asks: no one can (RFC 2606)."""


def dumped(recording: Recording) -> bytes:
    """The bytes of the file."""
    content = {
        "interactions": [_interaction(one) for one in recording.interactions],
        "recording": {"format": FORMAT, **asdict(recording.head)},
        "version": 1,
    }
    return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _interaction(one: Interaction) -> dict[str, Any]:
    headers = {"Content-Type": [one.request_type]} if one.request_type else {}
    return {
        "request": {"method": one.method, "uri": ORIGIN + one.path, "body": one.body or None, "headers": headers},
        "response": {
            "status": {"code": one.status, "message": ""},
            "headers": {"Content-Type": [one.content_type]} if one.content_type else {},
            "body": {"string": one.answer},
        },
    }


def write(file: Path, data: bytes) -> None:
    """Write atomically, readable for this user alone, who decides about sharing it. Raises InputError."""
    try:
        # `mkstemp` makes it readable for no one else.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        try:
            with os.fdopen(handle, "wb") as sink:
                sink.write(data)
                sink.flush()
                os.fsync(sink.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as wrong:
        raise InputError(f"{file} cannot be written: {wrong.strerror}") from None


def read(file: Path) -> Recording:
    """Read the file of a recording. Raises InputError for what is no recording of ours."""
    try:
        data = files.read(file, MOST_BYTES, from_shell=True)
    except FileError as wrong:
        near = files.nearest(file) if wrong.missing else ""
        mend = "; ".join(part for part in (near, wrong.mend or MEND) if part)
        raise InputError(Complaint(f"{file} {wrong.problem}", mend=mend)) from None
    place = Place(str(file))
    try:
        content = json.loads(files.text(data), object_pairs_hook=_once, parse_constant=_no_constant)
    except FileError as wrong:
        raise InputError(Complaint(f"this file {wrong.problem}", place, wrong.mend)) from None
    except (ValueError, RecursionError):
        raise InputError(Complaint("this is no recording of ours: it is not the JSON of one", place, MEND)) from None
    try:
        return _recording(content, place)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise InputError(Complaint("this is no recording of ours, or it was damaged", place, MEND)) from None


def _recording(content: Any, place: Place) -> Recording:
    about, interactions = dict(content["recording"]), content["interactions"]
    format = about.pop("format")
    if format != FORMAT:
        raise InputError(
            Complaint(f"this recording has format {str(format)[:20]!r}, and only {FORMAT} is read", place, MEND)
        )
    if len(interactions) > MOST_INTERACTIONS:
        raise InputError(Complaint(f"no recording has more than {MOST_INTERACTIONS:,} calls", place))
    scrubbed = about.pop("scrubbed")
    head = Head(
        recorded_at=_text(about.pop("recorded_at")),
        org_id=_text(about.pop("org_id")),
        api_version=_version(about.pop("api_version")),
        reconciler_version=_text(about.pop("reconciler_version")),
        scrub=tuple(_text(one) for one in about.pop("scrub")),
        scrubbed={_text(name): _of(int, number) for name, number in scrubbed.items()},
        classes=tuple(_text(one) for one in about.pop("classes")),
        secret_ages=_of(bool, about.pop("secret_ages")),
    )
    if about:
        raise ValueError("a key of its head is not known")
    return Recording(head, tuple(_read_interaction(one) for one in interactions))


def _read_interaction(one: Any) -> Interaction:
    request, response = one["request"], one["response"]
    uri = _text(request["uri"])
    if not uri.startswith(f"{ORIGIN}/"):
        raise ValueError("a call to another place")
    status = _of(int, response["status"]["code"])
    if not 100 <= status <= 599:
        raise ValueError("no status")
    return Interaction(
        method=_text(request["method"]),
        path=uri.removeprefix(ORIGIN),
        body="" if request["body"] is None else _text(request["body"]),
        status=status,
        content_type=_header(response["headers"]),
        answer=_text(response["body"]["string"]),
        request_type=_header(request["headers"]),
    )


def _header(headers: Any) -> str:
    found = headers.get("Content-Type", [""])[0]
    if any(char in found for char in "\r\n"):
        raise ValueError("no header")
    return _text(found)


def _text(value: Any) -> str:
    return str(_of(str, value))


def _version(value: Any) -> str:
    text = _text(value)
    if not _VERSION.fullmatch(text):
        raise ValueError("no API version")
    return text


def _of(wanted: type, value: Any) -> Any:
    # bool is an int in Python, and no number of anything.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TypeError(f"{wanted.__name__} expected")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: it shows one value to a reviewer and another to us."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
