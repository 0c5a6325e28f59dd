"""Turns one desired document into resources: an app with its sections, a satellite, a handler, an enablement, settings."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from reconciler.desired.document import HANDLER_ENABLEMENT, Documents, Find, Issue, Spot, name_problem
from reconciler.desired.lifecycle import lifecycles
from reconciler.errors import suggestion
from reconciler.kinds import ENABLEMENT, HANDLER, all_kinds, satellites, suggested_kind
from reconciler.model.address import Address, enablement
from reconciler.model.declared import Lifecycle, Origin, Resource
from reconciler.schema.comparisons import fold
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import ApiKey
from reconciler.schema.problems import Problem, problems_of
from reconciler.schema.values import Body, Path
from reconciler.yaml.events import Document, RawPath

APP = "ExternalClientApplication"

_APPS = ("externalClientApp", "connectedApp")
_ABSENT: Any = object()
_NOTHING = Lifecycle()


def _item_schema() -> type[Struct]:
    """The structure of an enablement."""
    return all_kinds()[HANDLER].fields()[ENABLEMENT].struct or Struct


@cache
def _owner_field(schema: type[Kind]) -> str:
    return schema.owner_field()


class Declaration:
    """Turns one document into the resources that it declares."""

    def __init__(
        self,
        documents: Documents,
        spot: Spot,
        document: Document,
        plain: bool,
        *,
        overlaid: bool = False,
        is_overlay: bool = False,
    ) -> None:
        """`overlaid`: what other documents declare already lies over this one, field by field. `is_overlay`: this one lies
        over others, and may take away what they declare."""
        self._overlaid = overlaid
        self._is_overlay = is_overlay
        self._documents = documents
        self._spot = spot
        self._document = document
        self._plain = plain
        self._lifecycles: Mapping[str, Lifecycle] = {}

    def declare(self) -> None:
        body = self._document.value
        if not isinstance(body, dict):
            self._note((), "a document must hold `kind:`, `name:` and fields", "start it with kind: …")
            return
        if "when" in body and not self._is_meant(body.pop("when")):
            return
        if self._is_overlay and "kind" not in body and body and all(value is None for value in body.values()):
            self._take_away(body)
            return
        name = body.pop("kind", None)
        if name == HANDLER_ENABLEMENT:
            self._enablement_document(body)
        elif isinstance(name, str) and name in all_kinds():
            self._kind(all_kinds()[name], body)
        else:
            self._no_kind(name)

    def _take_away(self, body: Body) -> None:
        """Documents that an overlay takes away: `ConnectedApp/Portal: null`."""
        for text in body:
            kind, _, name = text.partition("/")
            if kind not in all_kinds() or not name:
                mend = suggested_kind(kind, all_kinds(), every=True)
                self._note((text,), f"{text!r} is no address", mend or "write Kind/name: null")
            else:
                self._documents.removed[Address.parse(text)] = self._at((text,))

    def _is_meant(self, when: Any) -> bool:
        """Whether the document is for the org in question: `when: {org: [prod, "uat-*"]}`. What is wrong is noted."""
        wanted = when.get("org") if isinstance(when, dict) else None
        patterns = [wanted] if isinstance(wanted, str) else wanted
        if (
            not isinstance(patterns, list)
            or not patterns
            or not all(isinstance(one, str) and one.strip() for one in patterns)
            or len(when) > 1
        ):
            self._note(("when",), "when must name orgs", 'write when: {org: [prod, "uat-*"]}')
            return False
        for index, pattern in enumerate(patterns):
            if self._documents.orgs and not any(fnmatchcase(org, pattern) for org in self._documents.orgs):
                at: RawPath = ("when", "org", index) if isinstance(wanted, list) else ("when", "org")
                near = suggestion(pattern, self._documents.orgs, every=True)
                self._note(at, f"no org of this project is called {pattern!r}", near)
        return not self._documents.org or any(fnmatchcase(self._documents.org, pattern) for pattern in patterns)

    def _no_kind(self, name: Any) -> None:
        words = [*all_kinds(), HANDLER_ENABLEMENT]
        if name is None:
            self._note((), "kind is missing", f"add kind: with one of {', '.join(words)}")
        elif not isinstance(name, str):
            self._note(("kind",), "kind must be a text", suggestion("", words, every=True))
        else:
            mend = suggested_kind(name, words, every=True)
            self._note(("kind",), f"{name!r} is not a kind", mend)

    def _kind(self, schema: type[Kind], body: Body) -> None:
        if schema.__name__ == "ApexClass":
            self._note(
                ("kind",),
                "an Apex class is declared by its source",
                "put Name.cls and Name.cls-meta.xml here",
            )
        elif schema.singleton:
            if "name" in body:
                self._note(("name",), f"{schema.__name__} takes no name: an org has one", "remove the line")
                del body["name"]
            self._own_lifecycle(schema, body, {})
            self._resource(schema, schema.singleton, body, ())
        elif schema.section:
            self._satellite_document(schema, body)
        else:
            name = self._name(body, "name", ())
            if schema.__name__ == APP:
                self._app(schema, name, body)
            else:
                self._own_lifecycle(schema, body, {})
                self._api_key(schema, name, body)
                if schema.__name__ == HANDLER:
                    self._handler(schema, name, body)
                else:
                    self._resource(schema, name, body, ())

    def _app(self, schema: type[Kind], app: str, body: Body) -> None:
        sections = {key: body.pop(key) for key in [key for key in body if key in satellites()]}
        if "lifecycle" in body:
            self._own_lifecycle(schema, body, satellites())
            for name, one in self._lifecycles.items():
                if one.ignore and name and name not in sections:
                    self._note(
                        ("lifecycle", "ignore"), f"{name} is no section here", "put it where the satellite is declared"
                    )
        self._resource(schema, app, body, (), self._lifecycles.get("", _NOTHING))
        for key, section in sections.items():
            kind = satellites()[key]
            if section is None and self._is_overlay:
                self._documents.removed[Address(kind.__name__, app)] = self._at((key,))
            elif section is None:
                self._note((key,), f"{key} is empty", f"remove it, or write {key}: {{}}")
            elif not isinstance(section, dict):
                self._note((key,), f"{key} must hold the fields of {kind.__name__}", "write them below it, indented")
            else:
                owner = _owner_field(kind)
                if fold(section.get(owner, app)) != fold(app):
                    self._note((key, owner), f"{owner} is not the app that this stands in", "remove the line")
                section[owner] = app
                self._resource(kind, app, section, (key,), self._lifecycles.get(key, _NOTHING))

    def _satellite_document(self, schema: type[Kind], body: Body) -> None:
        owner = _owner_field(schema)
        app = self._name(body, owner, (), f"the app that this {schema.__name__} belongs to")
        body[owner] = app
        self._own_lifecycle(schema, body, {})
        self._resource(schema, app, body, (), self._lifecycles.get("", _NOTHING))

    def _handler(self, schema: type[Kind], handler: str, body: Body) -> None:
        items = body.pop(ENABLEMENT, _ABSENT)
        lifecycle = self._lifecycles.get("", _NOTHING)
        own = tuple(path for path in lifecycle.ignore if path[0] != ENABLEMENT)
        self._resource(schema, handler, body, (), Lifecycle(lifecycle.protect, own))
        ignored = {path[1]: path[2:] for path in lifecycle.ignore if path[0] == ENABLEMENT and len(path) > 2}
        apps = [] if items is _ABSENT else self._enablements(handler, items, ignored)
        for path in lifecycle.ignore:
            if path[0] == ENABLEMENT and (len(path) < 3 or path[1] not in apps):
                self._note(
                    ("lifecycle", "ignore"),
                    f"{'.'.join(path)} is no field of an enablement in this document",
                    f"write {ENABLEMENT}.<app>.<field>, with an app from the list",
                )

    def _enablements(self, handler: str, items: Any, ignored: Mapping[str, Path]) -> list[str]:
        """Read a handler's list of enablements: each is a resource of its own, and those not listed are to be deleted."""
        self._documents.authoritative.setdefault(handler, self._at((ENABLEMENT,)))
        if not isinstance(items, list):
            mend = "write [] for none at all, or remove the line to leave them alone"
            self._note((ENABLEMENT,), f"{ENABLEMENT} must be a list", mend if items is None else "write it as a list")
            return []
        return [self._item(handler, item, (ENABLEMENT, index), ignored) for index, item in enumerate(items)]

    def _item(self, handler: str, item: Any, path: RawPath, ignored: Mapping[str, Path]) -> str:
        if isinstance(item, dict):
            return self._enablement(handler, item, path, ignored)
        self._note(path, "an enablement must hold an app and a user", "write externalClientApp: …")
        return ""

    def _enablement_document(self, body: Body) -> None:
        handler = self._name(body, "handler", (), "the handler that the app may use")
        if "name" in body:
            self._note(("name",), f"{HANDLER_ENABLEMENT} takes no name: handler and app name it", "remove the line")
            del body["name"]
        self._own_lifecycle(_item_schema(), body, {})
        self._documents.additive.setdefault(handler, self._spot)
        self._enablement(handler, body, (), {})

    def _enablement(self, handler: str, body: Body, path: RawPath, ignored: Mapping[str, Path]) -> str:
        """Read one enablement; return its app's name, or `""`. In a list, the handler names the fields to ignore."""
        schema = _item_schema()
        self._settle(schema, body, path, HANDLER_ENABLEMENT)
        for name in _APPS:
            if name in body and body[name] is None:
                del body[name]
        given = [name for name in _APPS if name in body]
        if len(given) != 1:
            what = "names both an external client app and a connected app" if given else "names no app"
            self._note(path, f"this enablement {what}", "write exactly one of externalClientApp and connectedApp")
            return ""
        app = self._checked(body[given[0]], (*path, given[0]))
        if app and handler:
            inside = Lifecycle(ignore=(ignored[app],) if app in ignored else ())
            lifecycle = inside if path else self._lifecycles.get("", _NOTHING)
            self._add(enablement(handler, app), schema, body, path, (lifecycle, ""))
        return app

    def _own_lifecycle(self, schema: type[Struct], body: Body, sections: Mapping[str, type[Kind]]) -> None:
        if "lifecycle" in body:
            self._lifecycles = lifecycles(body.pop("lifecycle"), schema, sections, self._note)

    def _api_key(self, schema: type[Kind], name: str, body: Body) -> None:
        for key, one in schema.fields().items():
            if one.has(ApiKey):
                if fold(body.get(key, name)) != fold(name) and name:
                    self._note((key,), f"{key} must repeat the name, {name}", "remove the line; it is filled in")
                body[key] = name

    def _resource(
        self, schema: type[Kind], name: str, body: Body, path: RawPath, lifecycle: Lifecycle | None = None
    ) -> None:
        record = self._name(body, "name", path) if schema.section and "name" in body else ""
        self._settle(schema, body, path, schema.__name__)
        if name:
            own = self._lifecycles.get("", _NOTHING) if lifecycle is None else lifecycle
            self._add(Address(schema.__name__, name), schema, body, path, (own, record))

    def _add(
        self, address: Address, schema: type[Struct], body: Body, path: RawPath, more: tuple[Lifecycle, str]
    ) -> None:
        documents, spot = self._documents, self._at(path)
        find = Find(documents.places, documents.values, spot, schema)
        origin = Origin(spot.file, self._document.lines.get(path) or self._document.line, find)
        resource = Resource(address, body, origin, *more)
        if self._overlaid:
            documents.underlay(resource)
        else:
            documents.add(resource, spot)

    def _settle(self, schema: type[Struct], body: Body, path: RawPath, shown: str) -> None:
        problems: list[Problem] = []

        def written(inside: RawPath) -> str | None:
            return self._written((*path, *inside))

        if not self._documents.values.settle(schema, body, problems, plain=self._plain, written=written):
            self._unknown(schema, body, path, shown)
            problems += problems_of(schema, body)
        for problem in problems:
            self._note((*path, *problem.path), problem.message, problem.mend)

    def _name(self, body: Body, key: str, path: RawPath, what: str = "the API name") -> str:
        """Take the name out of a document's body; return an empty text, with a note, if it cannot be a name."""
        if key not in body:
            self._note(path, f"{key} is missing", f"add {key}: and {what}")
            return ""
        value = body.pop(key)
        if not isinstance(value, str):
            value = self._written((*path, key))
        if not isinstance(value, str):
            self._note((*path, key), f"{key} must be a text", f"write {what}, in quotes if it looks like a number")
            return ""
        return self._checked(value, (*path, key))

    def _written(self, path: RawPath) -> str | None:
        """Return the text in the file where YAML saw a number, true or false. The file is read once more for it."""
        return self._documents.places.of(self._spot.file).text((self._spot.document, *path))

    def _checked(self, value: Any, path: RawPath) -> str:
        """Return the name with its variables filled in; an empty text, with a note, if it cannot be a name."""
        if not isinstance(value, str):
            return ""
        if not self._plain:
            problems: list[Any] = []
            filled = self._documents.values.text(value, path, problems)
            for problem in problems:
                self._note(problem.path, problem.message, problem.mend)
            if filled is None:
                return ""
            return self._named(filled, path)
        return self._named(value, path)

    def _named(self, value: str, path: RawPath) -> str:
        problem = name_problem(value)
        if problem is not None:
            self._note(path, f"{value[:80]!r} is not an API name: {problem}", "write the API name, not the label")
            return ""
        return value

    def _unknown(self, schema: type[Struct], body: Body, path: RawPath, shown: str) -> None:
        """Take out the keys that are no fields, and say where they belong."""
        fields = schema.fields()
        for key in [key for key in body if key not in fields]:
            del body[key]
            belongs, mend = self._belongs(schema, key, bool(path))
            self._note((*path, key), f"{key} is not a field of {shown}{belongs}", mend)

    def _belongs(self, schema: type[Struct], key: str, in_section: bool) -> tuple[str, str]:
        """Return where a misplaced field belongs (another kind of the app, a structure of this kind); else a similar name."""
        if key == "lifecycle":
            return "", "lifecycle stands at the top of a document"
        family = {APP: all_kinds()[APP], **{k.__name__: k for k in satellites().values()}}
        if schema.__name__ in family:
            owners = [kind for kind in family.values() if key in kind.fields()]
            # Several kinds may have the field: the one with the nearest name is meant.
            owners.sort(key=lambda kind: -SequenceMatcher(None, kind.__name__, schema.__name__).ratio())
            if owners:
                composite = in_section or schema.__name__ == APP
                others = " and ".join(kind.section or kind.__name__ for kind in owners[1:])
                more = f" ({others} has a field of that name too)" if others else ""
                return f"; it belongs to {owners[0].__name__}", f"write it {_where(owners[0], composite)}{more}"
        inside = [name for name, one in schema.fields().items() if one.struct and key in one.struct.fields()]
        if inside:
            return f"; it belongs inside of {inside[0]}", f"write it below {inside[0]}:, indented"
        if schema is _item_schema() and key in all_kinds()[HANDLER].fields():
            return f"; it belongs to {HANDLER}", "write it in the handler's own document, at the top"
        if schema.__name__ == APP and not in_section and (sections := _SECTIONS.get(key)):
            return f"; it belongs to {CONNECTED}", f"an external client app has it in {sections}"
        words = [*schema.fields(), "name", "lifecycle", *(satellites() if schema.__name__ == APP else ())]
        return "", suggestion(key, words)

    def _at(self, path: RawPath) -> Spot:
        return Spot(self._spot.file, self._spot.document, path)

    def _note(self, path: RawPath, message: str, mend: str) -> None:
        self._documents.issues.append(Issue(self._at(path), message, mend))


CONNECTED = "ConnectedApp"
_SECTIONS: Mapping[str, str] = {
    "oauthConfig": "globalOauthSettings, oauthSettings and oauthPolicies",
    "oauthPolicy": "oauthPolicies",
    "sessionPolicy": "oauthPolicies",
}
"""A section of a connected app -> where an external client app has what stands in it."""


def _where(kind: type[Kind], composite: bool) -> str:
    if not composite:
        return f"in a document of kind {kind.__name__}"
    return f"under {kind.section}, which is {kind.__name__}" if kind.section else "at the top of the document"
