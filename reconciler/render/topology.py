"""Who trusts whom: identity provider → app → handler → Apex class → execution user, as nodes and edges to be drawn.

An app's enablement for a handler is an edge, and so is the user that it names. The satellites of an external client app
belong to the app's node. Apps with the client credentials flow have an edge straight to their user.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.kinds import ENABLEMENT, HANDLER
from reconciler.model.address import Address
from reconciler.model.changes import Action
from reconciler.model.finding import GONE, Finding
from reconciler.render.grouped import CONNECTED, app_of
from reconciler.render.report import Report
from reconciler.render.words import value_text
from reconciler.schema.body import canonical_value
from reconciler.schema.comparisons import fold
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path, RawXml, Value
from reconciler.world.apps import (
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    CLIENT_CREDENTIALS_USER,
    EXTERNAL,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    Setting,
)

LIMIT = 60
"""As many nodes are drawn, before some are folded: apps and users first, of which an org has hundreds. More fills no
screen."""
APPS = 12
"""As many apps are drawn one by one where the others are folded, those with the worst findings: handlers stay in sight."""
FOLDS = 8
"""Into as many nodes apps are folded, by the handlers that they are enabled for; where there would be more, into one."""

APEX = "ApexClass"

_TOKENS = {
    "isJwtSupported": "JWT",
    "isIdTokenSupported": "ID token",
    "isAccessTokenSupported": "access token",
    "isRefreshTokenSupported": "refresh token",
    "isSaml2Supported": "SAML 2.0 assertion",
}


class Role(StrEnum):
    """The roles that a node can have, in the order in which trust is handed on."""

    PROVIDER = "identity provider"
    APP = "app"
    HANDLER = "handler"
    APEX = "Apex class"
    USER = "execution user"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a reader must see at a node or an edge."""

    severity: Severity | None = None
    """The worst of the findings that count; `None` if there is none."""
    findings: int = 0
    action: Action | None = None
    """The planned change."""
    absent: str = ""
    """Why it is drawn although it is not there."""

    @property
    def words(self) -> str:
        """The mark in words: `critical: 2 findings, update, not seen in the org`; empty if there is nothing to say."""
        count = f"{self.severity}: {value_text.count(self.findings, 'finding')}" if self.findings else ""
        return ", ".join(text for text in (count, str(self.action or ""), self.absent) if text)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the picture: an identity provider, app, handler, Apex class or user."""

    id: str
    """`n1`, `n2` …: names of an org are no names for a drawing language."""
    role: Role
    name: str
    address: Address | None = None
    """`None` for what is no record: identity providers and users."""
    about: str = ""
    mark: Mark = Mark()
    stands_for: int = 1
    """More than one for a node that many are folded into."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of the picture: one node hands trust on to another."""

    source: str
    target: str
    words: str
    addresses: tuple[Address, ...] = ()
    """The resources that say so."""
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Topology:
    """The nodes and edges of the picture."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    folded: int = 0
    """How many nodes the limit cost: they are drawn as few that stand for many."""
    touching: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    """Resource -> the nodes that it belongs to; an enablement belongs to several."""

    def touched(self, address: Address) -> tuple[str, ...]:
        return self.touching.get(address, ())


_ROLES = list(Role)
_FOLDED = "(folded)"
_TRUST = (Role.PROVIDER, Role.HANDLER, Role.APEX)
"""What a drawing of an org is about, however many apps it has."""

Key = tuple[Role, str, str]
"""A node before it has an id."""
EdgeKey = tuple[Key, Key, str]


def topology(report: Report, limit: int = LIMIT) -> Topology:
    """Make the topology of a report: all of token exchange and client credentials, and apps with findings or changes.

    Beyond `limit` nodes it keeps what it is about, identity providers and handlers with their code, and the apps with the
    worst findings; all others are folded into nodes that stand for many.
    """
    graph = _Graph(report)
    stand_in = graph.stand_ins(limit)
    members: dict[Key, list[Key]] = {}
    for key in graph.nodes:
        members.setdefault(stand_in.get(key, key), []).append(key)
    ordered = sorted(members, key=lambda key: (_ROLES.index(key[0]), key[1] == _FOLDED, key[2].casefold(), key))
    drawn_alone = {key[0] for key in ordered if key[1] != _FOLDED}
    number = {key: at for at, key in enumerate(ordered)}
    ids = {key: f"n{at + 1}" for key, at in number.items()}
    nodes = tuple(
        replace(
            graph.nodes[key] if key in graph.nodes else _fold(key[0], len(members[key]), more=key[0] in drawn_alone),
            id=ids[key],
            mark=mark,
        )
        for key in ordered
        for mark in (_together([graph.mark(member) for member in members[key]]),)
    )
    drawn: dict[EdgeKey, list[EdgeKey]] = {}
    for edge in graph.edges:
        source, target, words = edge
        drawn.setdefault((stand_in.get(source, source), stand_in.get(target, target), words), []).append(edge)
    edges = tuple(
        Edge(
            ids[source],
            ids[target],
            words,
            tuple(sorted({address for edge in of for address in graph.edges[edge]})),
            _together([graph.mark(edge) for edge in of]),
        )
        for (source, target, words), of in sorted(
            drawn.items(), key=lambda item: (number[item[0][0]], number[item[0][1]], item[0][2])
        )
    )
    touching = {
        address: tuple(ids[key] for key in ordered if key in shown)
        for address, keys in graph.touching.items()
        for shown in ({stand_in.get(key, key) for key in keys},)
    }
    return Topology(nodes, edges, len(stand_in), touching)


def _fold(role: Role, number: int, *, more: bool) -> Node:
    """Make the node that is drawn in place of many nodes of one role."""
    noun = f"{role}{'es' if role is Role.APEX else 's'}"
    return Node("", role, f"{number:,} {'more ' if more else ''}{noun}", about="folded", stands_for=number)


def _folds(limit: int) -> int:
    """How many nodes that stand for several apps a drawing of `limit` nodes may have."""
    return FOLDS if limit >= 3 * FOLDS else 1


def _together(marks: Sequence[Mark]) -> Mark:
    """Join the marks of several nodes into one; `absent` only if all of them are."""
    if len(marks) == 1:
        return marks[0]
    actions = {mark.action for mark in marks if mark.action is not None}
    absent = {mark.absent for mark in marks}
    return Mark(
        max((mark.severity for mark in marks if mark.severity is not None), default=None),
        sum(mark.findings for mark in marks),
        actions.pop() if len(actions) == 1 else Action.UPDATE if actions else None,
        absent.pop() if len(absent) == 1 else "",
    )


class _Graph:
    """Collects the nodes and edges of a report before they are numbered and folded."""

    def __init__(self, report: Report) -> None:
        self.nodes: dict[Key, Node] = {}
        self.edges: dict[EdgeKey, set[Address]] = {}
        self.touching: dict[Address, set[Key]] = {}
        self._findings: dict[Key | EdgeKey, list[Finding]] = {}
        self._actions: dict[Key | EdgeKey, Action] = {}
        self._absent: dict[Key | EdgeKey, str] = {}
        # Where nothing is known of the rest (an apply keeps no copy of the org), nothing can be said to be absent.
        self._not_found = (
            "" if not report.bodies else "not in the files" if report.org is None else "not seen in the org"
        )
        self._findings_that_count = [finding for finding in report.findings if finding.counts]
        self._gone = {finding.address for finding in self._findings_that_count if finding.id == GONE}
        self.bodies = dict(report.bodies)
        for change in report.changes:
            self.bodies.setdefault(change.address, change.after or change.before or {})
        for address in self._gone:
            self.bodies.setdefault(address, {})
        self._apps = {app for address in self.bodies if (app := app_of(address)) is not None}
        self._touched = [f.address for f in self._findings_that_count] + [change.address for change in report.changes]
        self._concerned = {app for address in self._touched if (app := app_of(address)) is not None}
        self._known = self._apps | self._concerned
        self._spelled = {(a.kind, fold(a.name)): a for a in (*self.bodies, *self._known) if not a.part}
        self._draw()
        self._edges_of: dict[Address, list[EdgeKey]] = {}
        for edge, addresses in self.edges.items():
            for address in addresses:
                self._edges_of.setdefault(address, []).append(edge)
        for finding in self._findings_that_count:
            for key in self._spots(finding.address, (finding.path,)):
                self._findings.setdefault(key, []).append(finding)
        for change in report.changes:
            is_own = app_of(change.address) in (None, change.address)
            for key in self._spots(change.address, tuple(f.path for f in change.fields) or ((),)):
                if is_own:
                    self._actions[key] = change.action
                else:
                    # Whatever happens to the record of its policies, the app is updated, unless it comes or goes itself.
                    self._actions.setdefault(key, Action.UPDATE)

    # -- nodes and edges ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        for address in sorted(self.bodies):
            if address.kind == HANDLER and not address.part:
                self._handler(address)
        for address in sorted(self.bodies):
            if address.kind == HANDLER and address.part.startswith(f"{ENABLEMENT}/"):
                self._enablement(address)
        for app in sorted(self._known):
            if app in self._concerned or any(self._true(app, flow) for flow in (TOKEN_EXCHANGE, TOKEN_EXCHANGE_POLICY)):
                self._app_node(app)
            self._client_credentials(app)
        for address in (*self.bodies, *self._touched):
            owner = app_of(address)
            if owner is not None and (key := _app_key(owner)) in self.nodes:
                self._touch(address, key)

    def _handler(self, address: Address) -> Key:
        key = self._node(Role.HANDLER, address.name, address)
        self._touch(address, key)
        if address not in self.bodies or address in self._gone:
            self._absent[key] = self._not_found if address not in self._gone else "gone from the org"
            if address not in self.bodies:
                return key
        tokens = [word for name, word in _TOKENS.items() if self._value(address, (name,)) is True]
        provider = self._node(
            Role.PROVIDER,
            f"of {address.name}",
            about=f"gives out: {', '.join(tokens)}" if tokens else "no type of token is known to be accepted",
            sort=address.name,
        )
        self._touch(address, provider)
        apex = self._text(address, ("tokenHandlerApex",))
        if apex:
            record = self._named(APEX, apex)
            target = self._node(Role.APEX, record.name, record)
            if record not in self.bodies or record in self._gone:
                self._absent[target] = self._not_found
            self._touch(record, target)
            self._edge(key, target, "decides with", address)
        return key

    def _enablement(self, address: Address) -> None:
        handler = self._handler(address.component)
        app = self._app_of(address)
        source = self._app_node(app)
        default = self._value(address, ("isDefault",)) is True
        keys = [handler, source]
        edges = [self._edge(source, handler, "is enabled for (default)" if default else "is enabled for", address)]
        if (provider := _provider_key(address.component)) in self.nodes:
            self._edge(provider, source, "gives tokens to", address)
        user = self._text(address, ("apexExecutionUser",))
        if user:
            target = self._user(user)
            keys.append(target)
            edges.append(self._edge(self._decider(address.component), target, "runs as", address))
        self._touch(address, *keys)
        if address in self._gone:
            self._absent |= dict.fromkeys(edges, "gone from the org")

    def _app_of(self, address: Address) -> Address:
        """The app that an enablement names. If its body is gone, the app's kind is that of the known app of its name."""
        if connected := self._text(address, ("connectedApp",)):
            return self._named(CONNECTED, connected)
        name = self._text(address, ("externalClientApp",))
        if name:
            return self._named(EXTERNAL, name)
        name = address.app
        connected_app = Address(CONNECTED, name)
        return connected_app if connected_app in self.bodies else Address(EXTERNAL, name)

    def _app_node(self, app: Address) -> Key:
        key = self._node(
            Role.APP, app.name, app, about="connected app" if app.kind == CONNECTED else "external client app"
        )
        if app in self._gone:
            self._absent[key] = "gone from the org"
        elif app not in self._known:
            self._absent[key] = self._not_found
        self._touch(app, key)
        return key

    def _client_credentials(self, app: Address) -> None:
        spot, path = _spot(app, CLIENT_CREDENTIALS_USER)
        user = self._text(spot, path)
        if user or any(self._true(app, flow) for flow in (CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_POLICY)):
            source = self._app_node(app)
            if user:
                self._edge(source, self._user(user), "runs as (client credentials)", spot)

    def _named(self, kind: str, name: str) -> Address:
        """Return the address of what a field names, spelled as its record is: orgs compare names without letter case."""
        return self._spelled.get((kind, fold(name)), Address(kind, name))

    def _user(self, name: str) -> Key:
        # Usernames are the same whatever their case.
        return self._node(Role.USER, name, key=name.casefold())

    def _decider(self, handler: Address) -> Key:
        """The node whose code runs as the execution user: the Apex class, or the handler where no class is known."""
        apex = self._text(handler, ("tokenHandlerApex",))
        return (Role.APEX, APEX, self._named(APEX, apex).name) if apex else (Role.HANDLER, HANDLER, handler.name)

    def _node(
        self, role: Role, name: str, address: Address | None = None, *, about: str = "", key: str = "", sort: str = ""
    ) -> Key:
        found = (role, address.kind if address is not None else "", key or sort or name)
        self.nodes.setdefault(found, Node("", role, name, address, about))
        return found

    def _edge(self, source: Key, target: Key, words: str, address: Address) -> EdgeKey:
        key = (source, target, words)
        self.edges.setdefault(key, set()).add(address)
        if target in self._absent:
            self._absent[key] = self._absent[target]
        elif source in self._absent:
            self._absent[key] = self._absent[source]
        return key

    def _touch(self, address: Address, *keys: Key) -> None:
        self.touching.setdefault(address, set()).update(keys)

    # -- marks --------------------------------------------------------------------------------------------------------

    def mark(self, key: Key | EdgeKey) -> Mark:
        findings = self._findings.get(key, [])
        worst = max((finding.severity for finding in findings), default=None)
        return Mark(worst, len(findings), self._actions.get(key), self._absent.get(key, ""))

    def _spots(self, address: Address, paths: Iterable[Path]) -> set[Key | EdgeKey]:
        """The edges that show these fields of a resource; for a field that no edge shows, the resource's nodes."""
        edges = self._edges_of.get(address, ())
        found: set[Key | EdgeKey] = set()
        for path in paths:
            user_moved = path[-1:] in (("apexExecutionUser",), *(_user_field(kind) for kind in (CONNECTED, EXTERNAL)))
            said = [edge for edge in edges if _is_said_by(edge, address, path, user_moved=user_moved)]
            found |= set(said) if said else self._own(address)
        return found

    def _own(self, address: Address) -> set[Key | EdgeKey]:
        """The nodes that a resource is drawn as. A handler's identity provider is not the handler."""
        return {key for key in self.touching.get(address, ()) if key[0] is not Role.PROVIDER}

    # -- what is folded -----------------------------------------------------------------------------------------------

    def stand_ins(self, limit: int) -> dict[Key, Key]:
        """Map each node that is not drawn by itself to the node that stands for it and others."""
        if len(self.nodes) <= limit:
            return {}
        kept = self._kept(limit)
        trusted: dict[Key, set[str]] = {}
        for source, target, _ in self.edges:
            if source[0] is Role.APP and target[0] is Role.HANDLER:
                trusted.setdefault(source, set()).add(target[2] if target in kept else "")
        alike = {
            key: "\n".join(sorted(trusted.get(key, ()))) for key in self.nodes if key[0] is Role.APP and key not in kept
        }
        if len(set(alike.values())) > _folds(limit):
            alike = {}
        stand_in = {key: (key[0], _FOLDED, alike.get(key, "")) for key in self.nodes if key not in kept}
        folds = Counter(stand_in.values())
        # One alone is drawn as itself: it takes no more room.
        return {key: fold for key, fold in stand_in.items() if folds[fold] > 1}

    def _kept(self, limit: int) -> set[Key]:
        """Return the nodes that a large picture keeps: handlers with their providers and classes, then apps, the worst
        first."""
        # By what it belongs to, not by what is marked: many apps share the edge to one user.
        rank = {key: int(bool(self.mark(key).words)) for key in self.nodes}
        for finding in self._findings_that_count:
            for key in self.touching.get(finding.address, ()):
                rank[key] = max(rank[key], 2 + finding.severity)
        near: dict[Key, set[Key]] = {key: {key} for key in self.nodes}
        for source, target, _ in self.edges:
            # Whom the code runs as belongs to the app that says so (below), not to the code, which all apps share.
            if target[0] is not Role.USER or source[0] is Role.APP:
                near[source].add(target)
            if source[0] is Role.PROVIDER or target[0] is Role.APEX:
                near[target].add(source)
        for keys in self.touching.values():
            for app in keys:
                if app[0] is Role.APP:
                    near[app] |= keys
        # Folded nodes need room too: one for each role, and for apps several.
        room = max(0, limit - (len(Role) - 1) - _folds(limit))
        kept: set[Key] = set()
        of = [key for key in self.nodes if key[0] in _TRUST]
        for key in sorted(of, key=lambda key: (-rank[key], _ROLES.index(key[0]), key)):
            chain = {one for one in near[key] if one[0] in _TRUST}
            if len(kept | chain) <= room * 2 // 3:
                kept |= chain
        apps = 0
        for key in sorted(self.nodes, key=lambda key: (-rank[key], len(near[key]) == 1, key)):
            if key[0] is Role.APP and rank[key] and apps < min(APPS, limit // 4) and len(kept | near[key]) <= room:
                kept |= near[key]
                apps += 1
        return kept

    # -- values -------------------------------------------------------------------------------------------------------

    def _value(self, address: Address, path: Path) -> Value:
        value: Value = self.bodies.get(address)
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        found = value_text.field_at(value_text.schema(address), path)
        return canonical_value(found, value) if found is not None else value

    def _text(self, address: Address, path: Path) -> str:
        value = self._value(address, path)
        return value if isinstance(value, str) and not isinstance(value, RawXml) else ""

    def _true(self, app: Address, setting: Setting) -> bool:
        address, path = _spot(app, setting)
        return bool(path) and self._value(address, path) is True


def _app_key(app: Address) -> Key:
    return Role.APP, app.kind, app.name


def _provider_key(handler: Address) -> Key:
    return Role.PROVIDER, "", handler.name


def _spot(app: Address, setting: Setting) -> tuple[Address, Path]:
    """The record and the path of an app's setting, which depend on its kind; the path is empty if it has none."""
    dotted = setting.connected if app.kind == CONNECTED else setting.external
    record = app if app.kind == CONNECTED else Address(setting.kind, app.name)
    return record, tuple(dotted.split(".")) if dotted else ()


def _user_field(kind: str) -> Path:
    return _spot(Address(kind, ""), CLIENT_CREDENTIALS_USER)[1][-1:]


def _is_said_by(edge: EdgeKey, address: Address, path: Path, *, user_moved: bool) -> bool:
    """Whether an edge comes from this field of a resource. An empty path means the whole resource."""
    source, target, _ = edge
    if address.part:
        if target[0] is Role.USER:
            return user_moved or not path
        return target[0] is Role.HANDLER and not user_moved
    if target[0] is Role.APEX:
        return path[:1] == ("tokenHandlerApex",)
    return user_moved and source[0] is Role.APP
