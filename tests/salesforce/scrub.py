"""Takes everything out of a recorded conversation that nobody may keep, and what would only make it differ.

The same is done to each request when it is recorded and when it is replayed, so both still match. Zips are opened,
scrubbed and packed again, base64 or not.
"""

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

GONE = b"scrubbed"
_ELEMENT = re.compile(rb"<((?:sessionId|consumerSecret|consumerKey))>[^<]+</\1>")
_KEY = re.compile(rb"3MVG9[A-Za-z0-9_.]{20,}")
_TOKEN = re.compile(rb"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._-]+")
_ZIP = re.compile(rb"<(zipFile|ZipFile)>([^<]+)</\1>")
_REQUEST_HEADERS = {"content-type", "soapaction"}


def scrub_text(data: bytes) -> bytes:
    """`data` without tokens, secrets and consumer keys; zips in base64 included."""
    data = _ELEMENT.sub(lambda found: b"<%s>%s</%s>" % (found[1], GONE, found[1]), data)
    data = _TOKEN.sub(GONE, _KEY.sub(GONE, data))
    return _ZIP.sub(_base64, data)


def _base64(found: re.Match[bytes]) -> bytes:
    packed = base64.b64encode(scrub_zip(base64.b64decode(found[2])))
    return b"<%s>%s</%s>" % (found[1], packed, found[1])


def scrub_zip(data: bytes) -> bytes:
    """The same files, scrubbed, stored and not compressed: each build of zlib compresses to other bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as scrubbed:
        for name in archive.namelist():
            scrubbed.writestr(zipfile.ZipInfo(name), scrub_text(archive.read(name)))
    return packed.getvalue()


def _multipart(body: bytes, content_type: str) -> tuple[bytes, str]:
    """A REST deployment: its boundary is a digest of the zip, secrets included, and goes with them."""
    boundary = content_type.partition("boundary=")[2].encode()
    start, end = body.index(b"PK\3\4"), body.rindex(b"\r\n--" + boundary)
    scrubbed = body[:start] + scrub_zip(body[start:end]) + body[end:]
    return scrubbed.replace(boundary, GONE), content_type.replace(boundary.decode(), GONE.decode())


def scrub_request(request: Any) -> Any:
    """What is kept of a request: method, path, body, and the headers that say what the body is."""
    kind = str(request.headers.get("Content-Type", ""))
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    if kind.startswith("multipart/form-data") and GONE.decode() not in kind:
        body, kind = _multipart(body, kind)
    request.body = scrub_text(body) if body and not kind.startswith("multipart") else body
    request.headers = {
        name: kind if name.lower() == "content-type" else value
        for name, value in request.headers.items()
        if name.lower() in _REQUEST_HEADERS
    }
    request.uri = re.sub(r"^https?://[^/]+", "http://org.example", request.uri)
    return request


def scrub_response(response: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an answer: status, type, body."""
    kept = {name: value for name, value in response["headers"].items() if name.lower() == "content-type"}
    return {**response, "headers": kept, "body": {"string": scrub_text(response["body"]["string"])}}


def everything_in(data: bytes) -> Iterator[bytes]:
    """`data`, and whatever is in it as base64 or zip, however deep: what a curious reader would find."""
    yield data
    for candidate in re.findall(rb"[A-Za-z0-9+/\s]{40,}={0,2}", data):
        yield from _opened(lambda text=candidate: base64.b64decode(b"".join(text.split()), validate=True))
    if (start := data.find(b"PK\3\4")) >= 0:
        try:
            with zipfile.ZipFile(io.BytesIO(data[start:])) as archive:
                for name in archive.namelist():
                    yield from everything_in(archive.read(name))
        except zipfile.BadZipFile:
            return


def _opened(decode: Callable[[], bytes]) -> Iterator[bytes]:
    try:
        inside = decode()
    except (binascii.Error, ValueError):
        return
    if b"PK\3\4" in inside or inside.isascii():
        yield from everything_in(inside)
