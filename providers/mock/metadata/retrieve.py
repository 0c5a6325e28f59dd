"""Retrieve and list: components out, as files and as FileProperties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from providers.mock.catalog import BY_NAME, Type, manifest_types, namespace, of_manifest, of_path
from providers.mock.metadata.package import MAX_FILES, manifest_file, pack
from providers.mock.metadata.schema import hidden
from providers.mock.record import local, parser, put, write
from providers.mock.state.world import Component, World

Properties = dict[str, Any]
"""A FileProperties of the WSDL, its fields in the WSDL's order."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a retrieve asks for: members by type name, whole file paths, one package or a folder each."""

    types: Mapping[str, Sequence[str]]
    version: int
    single_package: bool = False
    specific_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """The result of a retrieve; if the request was too large, `error` and its status code `code` replace the zip."""

    zip: bytes
    properties: list[Properties]
    messages: list[dict[str, str]]
    error: str | None = None
    code: str = "LIMIT_EXCEEDED"


def retrieve(world: World, request: Request) -> Parcel:
    """Collect the requested components; one that does not exist gives a message, and the retrieve still succeeds."""
    prefix = "" if request.single_package else "unpackaged/"
    people = names_by_id(world)
    files: list[tuple[str, bytes]] = []
    properties: list[Properties] = []
    found: dict[str, list[str]] = {}
    messages: list[dict[str, str]] = []
    for item in _wanted(world, request):
        if isinstance(item, str):
            messages.append({"fileName": f"{prefix}package.xml", "problem": item})
            continue
        one = BY_NAME[item.kind]
        path = prefix + one.path(item.name)
        body = shown(world, item, request.version)
        if one.with_content:
            files += [(path, item.content or b""), (f"{path}-meta.xml", body)]
        else:
            files.append((path, body))
        properties.append(file_properties(item, path, people))
        found.setdefault(one.manifest_name, []).append(item.name)
        if len(files) >= MAX_FILES:
            return Parcel(b"", [], [], f"LIMIT_EXCEEDED: Too many files in retrieve call, limit is: {MAX_FILES}")
    files.append((f"{prefix}package.xml", manifest_file(found, request.version)))
    properties.append(_of_manifest(world, prefix, people))
    return Parcel(pack(files), properties, messages)


def _wanted(world: World, request: Request) -> Iterator[Component | str]:
    """Yield each requested component once, and a message for everything that cannot be given."""
    seen: set[tuple[str, str]] = set()
    asked = {name: list(members) for name, members in request.types.items()}
    for path in request.specific_files:
        component = of_path(path.removeprefix("unpackaged/"))
        if component is not None:
            asked.setdefault(component[0].manifest_name, []).append(component[1])
    for name, members in asked.items():
        types = manifest_types(name)
        if not types:
            yield f"Entity type '{name}' is unknown"
        for item in _of_type(world, name, types, members, request.version):
            if isinstance(item, str):
                yield item
            elif (item.kind, item.name) not in seen:
                seen.add((item.kind, item.name))
                yield item


def _of_type(
    world: World, name: str, types: Sequence[Type], members: Sequence[str], version: int
) -> Iterator[Component | str]:
    open_types = []
    for one in types:
        if one.name in world.switches.unreadable_kinds:
            yield f"INSUFFICIENT_ACCESS: You do not have the proper permissions to access {one.name}"
        elif version < one.since:
            yield f"Entity type '{one.name}' is not available in this api version"
        else:
            open_types.append(one)
    for member in members:
        if member == "*":
            for one in open_types:
                # A wildcard does not bring what a managed package installed.
                yield from (each for each in world.components(one.name) if not namespace(each.name))
            continue
        named = of_manifest(name, member)
        if named is not None and named not in open_types:
            continue
        component = world.component(named.name, member) if named else None
        if component is not None:
            yield component
        elif open_types:
            yield f"Entity of type '{name}' named '{member}' cannot be found"


def shown(world: World, component: Component, version: int) -> bytes:
    """Return a component's file as API `version` gives it: without later fields, secrets, or what a switch hides."""
    body = component.body
    gone = {
        name for name in hidden(component.kind, version, world.switches.after_63_since) if f"<{name}>".encode() in body
    }
    gone |= {"consumerSecret"} if b"<consumerSecret" in body else set()
    if world.switches.certificate_readback == "omitted" and component.kind in _CERTIFIED and b"<certificate>" in body:
        gone.add("certificate")
    if gone:
        body = _without(body, gone)
    if component.kind == "ExtlClntAppGlobalOauthSettings" and component.secret and _secrets_open(world):
        values = component.values()
        put(values, "consumerSecret", component.secret)
        return write(component.kind, values)
    return body


_CERTIFIED = frozenset({"ConnectedApp", "ExtlClntAppGlobalOauthSettings"})


def _secrets_open(world: World) -> bool:
    setting = world.setting("ExternalClientAppSettings", "enableConsumerSecretApiAccess")
    return world.switches.consumer_secret_api_access and setting


def _without(body: bytes, names: set[str]) -> bytes:
    root = etree.fromstring(body, parser())
    for element in list(root.iter(tuple(f"{{*}}{name}" for name in names))):
        parent = element.getparent()
        # A SAML certificate is another thing than an OAuth client's and stays.
        if parent is not None and local(parent) != "samlConfig":
            parent.remove(element)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def names_by_id(world: World) -> dict[str, str]:
    return {row["id"]: row["name"] for row in world.db.execute("SELECT id, name FROM user")}


def file_properties(component: Component, path: str, people: Mapping[str, str]) -> Properties:
    """Return the FileProperties of a component: who made it, who changed it last, when."""
    prefix = namespace(component.name)
    return {
        "createdById": component.created_by,
        "createdByName": people.get(component.created_by, ""),
        "createdDate": component.created_at,
        "fileName": path,
        "fullName": component.name,
        "id": component.id,
        "lastModifiedById": component.modified_by,
        "lastModifiedByName": people.get(component.modified_by, ""),
        "lastModifiedDate": component.modified_at,
        "manageableState": "installed" if prefix else "unmanaged",
        "namespacePrefix": prefix or None,
        "type": BY_NAME[component.kind].manifest_name,
    }


def _of_manifest(world: World, prefix: str, people: Mapping[str, str]) -> Properties:
    name = people.get(world.user_id, "")
    return {
        "createdById": world.user_id,
        "createdByName": name,
        "createdDate": world.now,
        "fileName": f"{prefix}package.xml",
        "fullName": f"{prefix}package.xml",
        "id": "",
        "lastModifiedById": world.user_id,
        "lastModifiedByName": name,
        "lastModifiedDate": world.now,
        "manageableState": "unmanaged",
        "type": "Package",
    }


def listing(world: World, one: Type) -> Iterator[Properties]:
    """Yield the FileProperties of all components of a type, installed ones included, as listMetadata does."""
    people = names_by_id(world)
    for component in world.components(one.name):
        yield file_properties(component, one.path(component.name), people)
