"""Who trusts whom: identity provider → app → handler → Apex class → execution user, as nodes and edges to be drawn.

An app's enablement for a handler is an edge, and so is the user that it names. The satellites of an external client app
belong to the app's node. Apps with the client credentials flow have an edge straight to their user.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.body import canonical_value
from reconciler.kind import RawXml, Value
from reconciler.kinds import ENABLEMENT, all_kinds
from reconciler.model import GONE, Action, Address, Finding, Path
from reconciler.render import values
from reconciler.render.report import Report
from reconciler.rules.apps import (
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    CLIENT_CREDENTIALS_USER,
    EXTERNAL,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    Setting,
)
from reconciler.security import Severity

LIMIT = 200
"""As many nodes are drawn. More nobody can read."""

CONNECTED, HANDLER, APEX = "ConnectedApp", "OauthTokenExchangeHandler", "ApexClass"

_TOKENS = {
    "isJwtSupported": "JWT",
    "isIdTokenSupported": "ID token",
    "isAccessTokenSupported": "access token",
    "isRefreshTokenSupported": "refresh token",
    "isSaml2Supported": "SAML 2.0 assertion",
}


class Role(StrEnum):
    """What a node is, in the order in which trust is handed on."""

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
        """`critical: 2 findings, update, not seen in the org`; empty if there is nothing to say."""
        count = f"{self.severity}: {values.count(self.findings, 'finding')}" if self.findings else ""
        return ", ".join(text for text in (count, str(self.action or ""), self.absent) if text)


@dataclass(frozen=True, slots=True)
class Node:
    """One of those who trust or are trusted."""

    id: str
    """`n1`, `n2` …: names of an org are no names for a drawing language."""
    role: Role
    name: str
    address: Address | None = None
    """`None` for what is no record: identity providers and users."""
    about: str = ""
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Edge:
    """Trust handed on from one node to the next."""

    source: str
    target: str
    words: str
    addresses: tuple[Address, ...] = ()
    """The resources that say so."""
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Topology:
    """What there is to be drawn."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    left_out: int = 0
    """How many nodes the limit cost."""
    touching: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    """Resource -> the nodes that it belongs to; an enablement belongs to several."""

    def touched(self, address: Address) -> tuple[str, ...]:
        return self.touching.get(address, ())


Key = tuple[Role, str, str]
"""A node before it has an id."""
EdgeKey = tuple[Key, Key, str]


def topology(report: Report, limit: int = LIMIT) -> Topology:
    """The drawing of a report: who takes part in token exchange or client credentials, and every app that has a finding
    or a change. Beyond `limit` nodes the worst are kept."""
    graph = _Graph(report)
    kept = graph.worst(limit)
    ordered = sorted(kept, key=lambda key: (list(Role).index(key[0]), key[2].casefold(), key))
    number = {key: at for at, key in enumerate(ordered)}
    ids = {key: f"n{at + 1}" for key, at in number.items()}
    nodes = tuple(replace(graph.nodes[key], id=ids[key], mark=graph.mark(key)) for key in ordered)
    edges = tuple(
        Edge(ids[source], ids[target], words, tuple(sorted(graph.edges[source, target, words])), graph.mark(edge))
        for edge in sorted(
            (e for e in graph.edges if e[0] in ids and e[1] in ids), key=lambda e: (number[e[0]], number[e[1]], e[2])
        )
        for source, target, words in (edge,)
    )
    touching = {
        address: tuple(ids[key] for key in ordered if key in keys)
        for address, keys in graph.touching.items()
        if not keys.isdisjoint(ids)
    }
    return Topology(nodes, edges, len(graph.nodes) - len(kept), touching)


class _Graph:
    """Nodes and edges while they are found."""

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
        self._apps = {app for address in self.bodies if (app := _app(address)) is not None}
        self._touched = [f.address for f in self._findings_that_count] + [change.address for change in report.changes]
        self._concerned = {app for address in self._touched if (app := _app(address)) is not None}
        self._known = self._apps | self._concerned
        self._draw()
        self._edges_of: dict[Address, list[EdgeKey]] = {}
        for edge, addresses in self.edges.items():
            for address in addresses:
                self._edges_of.setdefault(address, []).append(edge)
        for finding in self._findings_that_count:
            for key in self._spots(finding.address, (finding.path,)):
                self._findings.setdefault(key, []).append(finding)
        for change in report.changes:
            is_own = _app(change.address) in (None, change.address)
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
            owner = _app(address)
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
            record = Address(APEX, apex)
            target = self._node(Role.APEX, apex, record)
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
        """The app that an enablement names. A body that is gone does not tell of which sort it was."""
        if connected := self._text(address, ("connectedApp",)):
            return Address(CONNECTED, connected)
        name = self._text(address, ("externalClientApp",))
        if name:
            return Address(EXTERNAL, name)
        name = address.part.removeprefix(f"{ENABLEMENT}/")
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

    def _user(self, name: str) -> Key:
        # Usernames are the same whatever their case.
        return self._node(Role.USER, name, key=name.casefold())

    def _decider(self, handler: Address) -> Key:
        """Whose code runs as the execution user: the class, or the handler where none is known."""
        apex = self._text(handler, ("tokenHandlerApex",))
        return (Role.APEX, APEX, apex) if apex else (Role.HANDLER, HANDLER, handler.name)

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
        """What of the drawing shows these fields of a resource: edges where there are any, else its nodes."""
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

    # -- what is kept -------------------------------------------------------------------------------------------------

    def worst(self, limit: int) -> set[Key]:
        """The nodes that are drawn: whole chains, those with the worst findings first."""
        if len(self.nodes) <= limit:
            return set(self.nodes)
        after: dict[Key, set[Key]] = {}
        providers: dict[Key, set[Key]] = {}
        for source, target, _ in self.edges:
            after.setdefault(source, set()).add(target)
            if source[0] is Role.PROVIDER:
                providers.setdefault(target, set()).add(source)
        # By what it belongs to, not by what is marked: many apps share the edge to one user.
        rank = {key: int(bool(self.mark(key).words)) for key in self.nodes}
        for finding in self._findings_that_count:
            for key in self.touching.get(finding.address, ()):
                rank[key] = max(rank[key], 2 + finding.severity)
        kept: set[Key] = set()
        for key in sorted(self.nodes, key=lambda key: (-rank[key], list(Role).index(key[0]), key)):
            chain = {key, *_reached(key, after)}
            chain |= {provider for member in chain for provider in providers.get(member, ())}
            if len(kept) + len(chain - kept) <= limit:
                kept |= chain
        return kept

    # -- values -------------------------------------------------------------------------------------------------------

    def _value(self, address: Address, path: Path) -> Value:
        value: Value = self.bodies.get(address)
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        found = values.field_at(values.schema(address), path)
        return canonical_value(found, value) if found is not None else value

    def _text(self, address: Address, path: Path) -> str:
        value = self._value(address, path)
        return value if isinstance(value, str) and not isinstance(value, RawXml) else ""

    def _true(self, app: Address, setting: Setting) -> bool:
        address, path = _spot(app, setting)
        return bool(path) and self._value(address, path) is True


def _app(address: Address) -> Address | None:
    """The app that a resource is, or belongs to; `None` for what is neither."""
    kind = all_kinds().get(address.kind)
    if kind is None or address.part:
        return None
    return (
        address if address.kind in (CONNECTED, EXTERNAL) else Address(EXTERNAL, address.name) if kind.section else None
    )


def _app_key(app: Address) -> Key:
    return Role.APP, app.kind, app.name


def _provider_key(handler: Address) -> Key:
    return Role.PROVIDER, "", handler.name


def _spot(app: Address, setting: Setting) -> tuple[Address, Path]:
    """Where an app of its sort keeps the setting; an empty path where it has none."""
    dotted = setting.connected if app.kind == CONNECTED else setting.external
    record = app if app.kind == CONNECTED else Address(setting.kind, app.name)
    return record, tuple(dotted.split(".")) if dotted else ()


def _user_field(kind: str) -> Path:
    return _spot(Address(kind, ""), CLIENT_CREDENTIALS_USER)[1][-1:]


def _is_said_by(edge: EdgeKey, address: Address, path: Path, *, user_moved: bool) -> bool:
    """Whether a field of a resource is what makes the edge. A whole resource makes all its edges."""
    source, target, _ = edge
    if address.part:
        if target[0] is Role.USER:
            return user_moved or not path
        return target[0] is Role.HANDLER and not user_moved
    if target[0] is Role.APEX:
        return path[:1] == ("tokenHandlerApex",)
    return user_moved and source[0] is Role.APP


def _reached(key: Key, after: Mapping[Key, set[Key]]) -> Iterator[Key]:
    """Everything that trust is handed on to."""
    seen, ahead = {key}, [key]
    while ahead:
        for target in after.get(ahead.pop(), ()):
            if target not in seen:
                seen.add(target)
                ahead.append(target)
                yield target
