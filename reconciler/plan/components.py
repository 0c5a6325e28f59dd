"""Changes -> whole records to send: which go together, in which order, under which names, and what they replace. Pure.

A deployment replaces whole records, so a change of one enablement sends its handler with all enablements, and replacing
an app sends what its removal takes along.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from reconciler.kinds import ENABLEMENT, all_kinds, satellites
from reconciler.model.address import Address
from reconciler.model.changes import Change, Component
from reconciler.model.live import LiveState
from reconciler.schema.body import sendable
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Ref
from reconciler.schema.stored import digest
from reconciler.schema.values import Body

_CLASS = "ApexClass"


def record_name(address: Address, explicit: str, live: LiveState) -> str:
    """The name of a record that does not exist yet: the file's, or the one that the org itself would give."""
    if explicit or address.is_enablement:
        return explicit or address.name
    schema = address.schema
    if schema.singleton:
        return schema.singleton
    if not schema.record:
        return address.name
    settings = satellites()["oauthSettings"]
    oauth = live.resources.get(Address(settings.__name__, address.name))
    return schema.record.format(
        app=address.name, oauth=oauth.record if oauth else settings.record.format(app=address.name)
    )


def groups(changes: tuple[Change, ...], live: LiveState) -> tuple[tuple[Component, ...], ...]:
    """Whole records to send, an app and its satellites together, ordered by their references; removals come last."""
    by_component: dict[Address, list[Change]] = defaultdict(list)
    for change in changes:
        by_component[change.address.component].append(change)
    held = enablements_by_handler(live)
    replaced = {c.address.name for c in changes if c.replace and c.address.schema.removable}
    for handler, enablements in held.items():
        # Deleting an app takes it out of its handlers, so those are sent again.
        if any(address.app in replaced for address in enablements):
            by_component.setdefault(handler, [])
    components = [
        component
        for address, found in by_component.items()
        for component in _components(address, found, live, held.get(address, {}))
    ]
    ranks: dict[tuple[str, str], int] = {}
    for component in components:
        key = _group_key(component)
        ranks[key] = max(ranks.get(key, 0), kind_order()[component.address.kind])
    grouped: dict[tuple[bool, int, str, str], list[Component]] = defaultdict(list)
    for component in components:
        kind, name = key = _group_key(component)
        # What replaces a record travels with its removal.
        removal = component.body is None and not _is_replaced(component, by_component)
        grouped[(removal, -ranks[key] if removal else ranks[key], kind, name)].append(component)
    return tuple(tuple(grouped[key]) for key in sorted(grouped))


def _is_replaced(component: Component, by_component: Mapping[Address, list[Change]]) -> bool:
    return any(change.replace for change in by_component[component.address])


def _group_key(component: Component) -> tuple[str, str]:
    address = component.address
    return ("ExternalClientApplication", address.name) if address.is_satellite else (address.kind, address.name)


def _components(
    address: Address, changes: list[Change], live: LiveState, enablements: Mapping[Address, Body]
) -> Iterator[Component]:
    own = next((change for change in changes if change.address == address), None)
    have = live.resources.get(address)
    before = have.body if have is not None else None
    record = own.record if own is not None else have.record if have is not None else address.name
    if own is not None and (own.replace or own.after is None) and not address.is_satellite:
        yield Component(address, record, None)
    if own is not None and own.after is None:
        return
    after = own.after if own is not None else before
    if after is None:
        return
    if own is not None and own.replace:
        before = None
    body = sendable(address.schema, after, before, live.org.id)
    if ENABLEMENT in address.schema.fields():
        # A record is replaced whole, strangers' enablements included.
        items = dict(enablements) if before is not None else {}
        for change in changes:
            if change.address.is_enablement:
                items.pop(change.address, None)
                if change.after is not None:
                    items[change.address] = change.after
        if items:
            body[ENABLEMENT] = list(items.values())
    yield Component(address, record, body, create=before is None)


def enablements_by_handler(live: LiveState) -> Mapping[Address, Mapping[Address, Body]]:
    """The enablements that the org has, by the address of their handler."""
    found: dict[Address, dict[Address, Body]] = defaultdict(dict)
    for address, have in live.resources.items():
        if address.part:
            found[address.component][address] = have.body
    return found


@cache
def kind_order() -> Mapping[str, int]:
    """How deep a kind's references go: 0 refers to nothing that we manage. Read off the marks, so it cannot be stale."""
    refers: dict[str, set[str]] = {name: set() for name in all_kinds()}

    def collect(name: str, struct: type[Struct]) -> None:
        for field in struct.fields().values():
            ref = field.mark(Ref)
            if ref is not None and ref.kind in refers and ref.kind != name:
                refers[name].add(ref.kind)
            if field.struct is not None:
                collect(name, field.struct)

    for name, schema in all_kinds().items():
        collect(name, schema)
    depth: dict[str, int] = {}

    def measure(name: str, above: tuple[str, ...] = ()) -> int:
        if name not in depth:
            depth[name] = 1 + max((measure(k, (*above, name)) for k in refers[name] - {*above, name}), default=-1)
        return depth[name]

    for name, schema in all_kinds().items():
        # Settings switch features on that the rest needs.
        depth[name] = 0 if schema.singleton else measure(name)
    return depth


def class_named(name: str, resources: Mapping[Address, object]) -> Address | None:
    """The Apex class of that name. Names of classes are compared without regard to case."""
    exact = Address(_CLASS, name)
    if exact in resources:
        return exact
    folded = name.strip().casefold()
    return next((a for a in resources if a.kind == _CLASS and a.name.casefold() == folded), None)


def fingerprints(addresses: Iterable[Address], live: LiveState) -> Mapping[str, str]:
    """Digests of what the org has at the addresses of records, enablements and a handler's class included.

    Never of who touched it when: a record that was saved unchanged is the record that was planned for.
    """
    held = enablements_by_handler(live)
    result: dict[str, str] = {}
    for record in addresses:
        have = live.resources.get(record)
        others = {str(address): body for address, body in held.get(record, {}).items()}
        code = have.body.get("tokenHandlerApex") if have is not None else None
        code = class_named(code, live.resources) if isinstance(code, str) else None
        source = live.resources.get(code) if code is not None else None
        parts = [one.body if one is not None else None for one in (have, source)]
        result[str(record)] = digest([*parts, others])
    return result
