"""Generated desired states over all kinds that the mock org accepts: bodies from the schema, mended where a habit of the
platform that no schema tells would refuse them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from reconciler.kinds import all_kinds, kind, satellites
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Immutable, Owner, WriteOnly
from reconciler.schema.values import Body, SecretRef
from tests.e2e.build import DANA, INTEGRATION, Document
from tests.strategies import bodies, enablements

VERSION = 66.0
"""The newest that the mock org offers."""
CLASS = "GeneratedHandler"
APPS = ("alpha", "beta")
SCOPES = ("orders", "stock")
REFS: Mapping[str, tuple[str, ...]] = {
    "User": (INTEGRATION, DANA),
    "PermissionSet": ("Order_Portal_User", "Reporting_API"),
    "Profile": ("System Administrator", "Standard User"),
    "OauthCustomScope": SCOPES,
    "ConnectedApp": ("Legacy_ERP", "generated"),
    "ExternalClientApplication": APPS,
    "ApexClass": (CLASS,),
    "Certificate": ("Partner_Asset_Signing",),
}
_NEEDS_OAUTH = ("globalOauthSettings", "oauthPolicies")


@dataclass(frozen=True)
class World:
    """One desired state: documents by address. `environment` holds the secrets that they refer to."""

    resources: Mapping[str, Body]

    @property
    def documents(self) -> list[Document]:
        return [written(address, body) for address, body in self.resources.items()]

    @property
    def environment(self) -> dict[str, str]:
        return {name: "secret0123456789" for body in self.resources.values() for name in _variables(body)}


def written(address: str, body: Body) -> Document:
    """A resource as a document of its own."""
    kind_name, _, rest = address.partition("/")
    plain = _plain(body)
    if "/enablements/" in rest:
        return {"kind": "HandlerEnablement", "handler": rest.partition("/")[0], **plain}
    if kind(kind_name).singleton or kind(kind_name).section:
        return {"kind": kind_name, **plain}
    return {"kind": kind_name, "name": rest, **plain}


def _plain(value: Any) -> Any:
    if isinstance(value, SecretRef):
        return {"secret": {value.source: value.target}}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _variables(value: Any) -> set[str]:
    if isinstance(value, SecretRef):
        return {str(value.target)}
    if isinstance(value, dict):
        return {name for item in value.values() for name in _variables(item)}
    return set()


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Apps with random satellites, a handler with enablements, custom scopes, a connected app and settings."""
    found: dict[str, Body] = {}
    for name in SCOPES:
        found[f"OauthCustomScope/{name}"] = draw(resource("OauthCustomScope", name))
    found["ConnectedApp/generated"] = draw(resource("ConnectedApp", "generated"))
    for app in APPS:
        found[f"ExternalClientApplication/{app}"] = draw(resource("ExternalClientApplication", app))
        chosen = draw(st.sets(st.sampled_from(sorted(satellites()))))
        if chosen & set(_NEEDS_OAUTH):
            chosen |= {"oauthSettings"}
        for section in sorted(chosen):
            name = satellites()[section].__name__
            found[f"{name}/{app}"] = draw(resource(name, app))
    found["OauthTokenExchangeHandler/generated"] = draw(resource("OauthTokenExchangeHandler", "generated"))
    for app in draw(st.sets(st.sampled_from(APPS))):
        body = draw(enablements(version=VERSION, refs=REFS))
        body = {k: v for k, v in body.items() if k != "connectedApp"} | {"externalClientApp": app}
        found[f"OauthTokenExchangeHandler/generated/enablements/{app}"] = body
    for name in draw(st.sets(st.sampled_from([n for n, k in all_kinds().items() if k.singleton]))):
        found[f"{name}/{kind(name).singleton}"] = draw(resource(name, kind(name).singleton))
    return World(found)


def resource(kind_name: str, name: str) -> st.SearchStrategy[Body]:
    """A body of a kind that the org takes under that name."""
    schema = kind(kind_name)
    mend = _MENDS.get(kind_name, lambda body, name: body)
    return bodies(schema, version=VERSION, refs=REFS).map(lambda body: mend(_named(schema, body, name), name))


@st.composite
def edited(draw: st.DrawFn, world: World) -> World:
    """The same resources with some fields changed, some added and some no longer written."""
    found: dict[str, Body] = {}
    for address, body in world.resources.items():
        kind_name, _, name = address.partition("/")
        if "/" in name or not draw(st.booleans()):
            found[address] = body
            continue
        schema, other = kind(kind_name), draw(resource(kind_name, name))
        fixed = {n for n, f in schema.fields().items() if f.has(Immutable, Owner, WriteOnly)}
        taken = {n: v for n, v in other.items() if n not in fixed and draw(st.booleans())}
        released = {
            n for n, f in schema.fields().items() if not f.required and n not in fixed and draw(st.integers(0, 5)) == 0
        }
        mixed = {n: _kept_keys(v, body.get(n)) for n, v in ({**body, **taken}).items() if n not in released}
        mixed.setdefault("contactEmail", "x@acme.example") if kind_name == "ExternalClientApplication" else None
        found[address] = _MENDS.get(kind_name, lambda b, _: b)(mixed, name)
    return World(found)


def _kept_keys(value: Any, before: Any) -> Any:
    """A section keeps the key and the secret that its record was created with."""
    if not isinstance(value, dict):
        return value
    kept = {n: v for n, v in (before or {}).items() if n in ("consumerKey", "consumerSecret")}
    return {**{n: v for n, v in value.items() if n not in ("consumerKey", "consumerSecret")}, **kept}


def _named(schema: type[Struct], body: Body, name: str) -> Body:
    owner = next((n for n, f in schema.fields().items() if f.has(Owner)), None)
    own = {n: name for n in (owner, "developerName") if n in schema.fields()}
    return {**body, **own}


def _scope(body: Body, name: str) -> Body:
    """Label and description are unique in an org, and plain."""
    label = name if body.get("isPublic") else f"{name}_2"
    return {**body, "masterLabel": label, "description": f"About {label.replace('_', ' ')}"} | (
        {"assignedTo": [{"connectedApp": "generated"}]} if body.get("assignedTo") else {}
    )


def _app(body: Body, name: str) -> Body:
    return {"contactEmail": f"{name}@acme.example", **body}


def _policies(body: Body, _: str) -> Body:
    """Timeouts come from a list; a flow that is on needs a user; no schema says so."""
    left = {n: v for n, v in body.items() if not n.startswith(("guestJwt", "namedUserJwt"))}
    if left.get("isClientCredentialsFlowEnabled"):
        left["clientCredentialsFlowUser"] = INTEGRATION
    return left


def _connected(body: Body, _: str) -> Body:
    """Only an app that an admin approves has permission sets and profiles; only a list of them that is not empty."""
    oauth = dict(body.get("oauthConfig") or {"callbackUrl": ["https://a.example/cb"]})
    oauth["isAdminApproved"] = True
    if oauth.get("isClientCredentialEnabled"):
        oauth["oauthClientCredentialUser"] = INTEGRATION
    return {**body, "oauthConfig": oauth}


_MENDS: Mapping[str, Callable[[Body, str], Body]] = {
    "OauthCustomScope": _scope,
    "ExternalClientApplication": _app,
    "ExtlClntAppOauthConfigurablePolicies": _policies,
    "ConnectedApp": _connected,
    "OauthTokenExchangeHandler": lambda body, _: {**body, "tokenHandlerApex": CLASS},
}
