"""Packages: a zip with package.xml at its root or one folder down, destructive manifests, and a file per component.

Read with limits, since anyone may send one: number of files, compressed and uncompressed size, no path that climbs.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from providers.mock.record import has_doctype, local, parser
from providers.mock.state.errors import Fault, Refusal

MAX_FILES = 10_000
MAX_ZIP = 39 * 1024 * 1024
MAX_CONTENT = 629_145_600
_MEMBER = "package.xml"
_DESTRUCTIVE = {
    "destructiveChanges.xml": "pre",
    "destructiveChangesPre.xml": "pre",
    "destructiveChangesPost.xml": "post",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A package.xml: members by type name, in order, and the API version it asks for (None where it says none)."""

    types: Mapping[str, tuple[str, ...]]
    version: int | None


@dataclass(slots=True)
class Package:
    """The content of a deployment's zip. Paths in `files` are without `prefix`, the manifest's folder."""

    manifest: Manifest
    prefix: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    pre: list[tuple[str, str]] = field(default_factory=list)
    post: list[tuple[str, str]] = field(default_factory=list)
    destructive: dict[tuple[str, str], str] = field(default_factory=dict)


def manifest(element: etree._Element) -> Manifest:
    """Read a manifest whose elements are in Salesforce's namespace or, as one client sends them, in none."""
    types: dict[str, tuple[str, ...]] = {}
    version: int | None = None
    for child in element:
        if local(child) == "version":
            version = parse_version(child.text)
        elif local(child) == "types":
            name = next((each.text or "" for each in child if local(each) == "name"), "").strip()
            members = [(each.text or "").strip() for each in child if local(each) == "members"]
            types[name] = tuple(dict.fromkeys([*types.get(name, ()), *filter(None, members)]))
    return Manifest(types, version)


def parse_version(text: str | None) -> int | None:
    """Return the major number of `63.0`; None for an absent or odd one."""
    found = re.fullmatch(r"\s*(\d{1,3})(?:\.0+)?\s*", text or "")
    return int(found.group(1)) if found else None


def open_package(data: bytes) -> Package:
    """Unpack a deployment, or raise `Refusal` (a broken package) or `Fault` LIMIT_EXCEEDED (a too large one)."""
    files = _unzip(data)
    roots = sorted(
        {name[: -len(_MEMBER)] for name in files if name.rpartition("/")[2] == _MEMBER and name.count("/") <= 1},
        key=len,
    )
    if not roots:
        raise Refusal("No package.xml found")
    prefix = roots[0]
    inside = {name[len(prefix) :]: content for name, content in files.items() if name.startswith(prefix)}
    package = Package(manifest(_xml(inside.pop(_MEMBER), prefix + _MEMBER)), prefix)
    for name, when in _DESTRUCTIVE.items():
        if name in inside:
            for kind, members in manifest(_xml(inside.pop(name), prefix + name)).types.items():
                for member in members:
                    (package.pre if when == "pre" else package.post).append((kind, member))
                    package.destructive[kind, member] = prefix + name
    package.files = inside
    return package


def _xml(data: bytes, name: str) -> etree._Element:
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as broken:
        line, column = broken.position
        raise Refusal(f"Error parsing file {name}: {broken.msg} ({line}:{column})") from None
    if has_doctype(root):
        raise Refusal(f"Error parsing file {name}: DOCTYPE is not allowed")
    return root


def _unzip(data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_ZIP:
        raise Fault("LIMIT_EXCEEDED", f"The zip file is larger than {MAX_ZIP // 1024 // 1024} MB")
    files: dict[str, bytes] = {}
    left = MAX_CONTENT
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise Fault("LIMIT_EXCEEDED", f"Too many files in deploy call, limit is: {MAX_FILES}")
            # No entry yields more than it claims, so a bomb is known before any of it is unpacked.
            if sum(entry.file_size for entry in entries) > MAX_CONTENT:
                raise Fault("LIMIT_EXCEEDED", f"The unzipped files are larger than {MAX_CONTENT} bytes")
            for entry in entries:
                _check_name(entry, files)
                with archive.open(entry) as stream:
                    # One byte more than is allowed, whatever size the archive's directory claims.
                    content = stream.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise Fault("LIMIT_EXCEEDED", f"The unzipped files are larger than {MAX_CONTENT} bytes")
                files[entry.filename] = content
    except (Fault, Refusal):
        raise
    except Exception as broken:  # zipfile documents none of them: ValueError, struct.error, UnicodeDecodeError ...
        raise Refusal(f"The zip file cannot be read: {broken}") from None
    return files


def _check_name(entry: zipfile.ZipInfo, files: Mapping[str, bytes]) -> None:
    name = entry.filename
    if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name.partition("/")[0]:
        raise Refusal(f"The zip file holds a path that leaves it: {name}")
    if name in files:
        raise Refusal(f"The zip file holds {name} twice")


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip of `files`, quickly: level 1, one date, so that the same org gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()


def manifest_file(types: Mapping[str, Sequence[str]], version: int) -> bytes:
    """Return the package.xml of a retrieve."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<Package xmlns="http://soap.sforce.com/2006/04/metadata">']
    for name in sorted(types):
        lines.append("    <types>")
        lines += [f"        <members>{member}</members>" for member in sorted(types[name])]
        lines += [f"        <name>{name}</name>", "    </types>"]
    lines += [f"    <version>{version}.0</version>", "</Package>", ""]
    return "\n".join(lines).encode()
