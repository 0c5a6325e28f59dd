"""First stage: the classes that were handed in, their methods, and which of them run.

Names are followed without regard to scope: a call goes to every method of that name in the class, in its inner classes and in
the classes that were handed in along with it.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from reconciler.apex.code import Call, Class, Code, Method
from reconciler.apex.lexer import Token

BASE: Final = "auth.oauth2tokenexchangehandler"


VALIDATE: Final = "validateIncomingToken"


MAP_USER: Final = "getUserForTokenSubject"


PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    VALIDATE: ("String", "Auth.IntegratingAppType", "String", "Auth.OAuth2TokenExchangeType"),
    MAP_USER: ("Id", "Auth.TokenValidationResult", "Boolean", "String", "Auth.IntegratingAppType"),
}
"""The two methods that a handler overrides, and what Salesforce calls them with."""


NAMESAKES: Final = 100
"""Methods of one name that are looked at."""


class Spot(NamedTuple):
    """A place in one of the classes."""

    file: str
    """The name of the class whose file it is in."""
    token: Token
    subject: str
    """The method or the class that it is in."""


class Methods:
    """A handler class, with those other classes that it names and that are here."""

    def __init__(self, main: Code, others: Iterable[Code] = ()) -> None:
        self.main = main
        self.codes = (main, *others)
        self._methods: dict[str, list[Method]] = {}
        self._classes: dict[str, Class] = {}
        self._calls: dict[Method, tuple[Call, ...]] = {}
        self._overlooked: dict[str, None] = {}
        for code in self.codes:
            for method in code.methods:
                self._methods.setdefault(method.key, []).append(method)
            for one in code.classes:
                self._classes.setdefault(one.name.key, one)
        self._properties = {key for key, found in self._methods.items() if any(m.is_property for m in found)}

    def overrides(self, name: str) -> tuple[Method, ...]:
        """The methods that Salesforce calls: those of that name with the right parameters, in the class or its bases."""
        wanted = [_plain(kind) for kind in PARAMETERS[name]]
        return tuple(m for m in self.named(name) if [_plain(p.type) for p in m.parameters] == wanted)

    def named(self, name: str) -> tuple[Method, ...]:
        """The methods of that name in the class itself or in one of its bases, whatever they take."""
        lineage = {one.name.key for one in self.lineage}
        found = self._methods.get(name.lower(), ())
        return tuple(m for m in found if m.owner.name.key in lineage and m.owner.outer is None)

    @cached_property
    def lineage(self) -> tuple[Class, ...]:
        """The class and those of its base classes that are here, nearest first."""
        tops = {code.top.name.key: code.top for code in self.codes if code.top is not None}
        found: list[Class] = []
        one = self.main.top
        while one is not None and one not in found:
            found.append(one)
            one = tops.get(one.extends)
        return tuple(found)

    def spot(self, method: Method, at: int) -> Spot:
        return Spot(method.code.name, method.code.tokens[at], method.name.text or method.owner.name.text)

    def calls(self, method: Method) -> tuple[Call, ...]:
        if method not in self._calls:
            self._calls[method] = tuple(method.code.calls(method.body)) if method.body is not None else ()
        return self._calls[method]

    def targets(self, call: Call) -> list[Method]:
        """The methods that a call may go to."""
        named = self._methods.get(call.key, [])
        if len(named) > NAMESAKES:
            self._overlook(f"has more than {NAMESAKES} methods called {call.name.text[:80]}")
            named = named[:NAMESAKES]
        return [m for m in named if not m.is_property and call.makes == (m.owner.name.key == m.key)]

    def _reach(self, entries: Iterable[Method]) -> tuple[Method, ...]:
        """The methods that run when one of these does."""
        loading = self._methods.get("", ())
        found = dict.fromkeys([*entries, *loading])
        followed: set[str] = set()
        todo = list(found)
        while todo:
            method = todo.pop()
            if method.body is None:
                continue
            keys = {call.key for call in self.calls(method)} - followed
            followed |= keys
            nexts = [target for key in keys for target in self._by_name(key)]
            if self._properties:
                words = {method.code.tokens[at].key for at in method.code.inside(method.body)} & self._properties
                nexts += [m for word in words for m in self._by_name(word)]
            for target in nexts:
                if target not in found:
                    found[target] = None
                    todo.append(target)
        return tuple(found)

    def _by_name(self, key: str) -> list[Method]:
        return self._methods.get(key, [])

    @cached_property
    def validating(self) -> tuple[Method, ...]:
        """What runs to validate a token."""
        return self._reach(self.overrides(VALIDATE))

    @cached_property
    def mapping(self) -> tuple[Method, ...]:
        """What runs to find or make the user."""
        return self._reach(self.overrides(MAP_USER))

    def _overlook(self, why: str) -> None:
        self._overlooked[why] = None


def _plain(kind: str) -> str:
    """Return the last word of a type's name in small letters, since the namespace may be left out."""
    return kind.lower().rpartition(".")[2]
