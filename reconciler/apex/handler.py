"""What a token exchange handler does with the token that it is given, as far as its source tells.

Everything here leans to the handler's side: names are followed without regard to scope, a call goes to every method of
that name in the class, in its inner classes and in the classes that were handed in along with it. So a check that is
there is found even behind an interface, and what is reported missing is missing. What the class hands on to code that
is not here is named (`elsewhere`), and nobody can tell.

Sources: Apex Reference Guide (developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/),
apex_class_Auth_Oauth2TokenExchangeHandler.htm, apex_class_Auth_JWTUtil.htm, apex_class_Auth_JWT.htm,
apex_class_Auth_TokenValidationResult.htm, apex_classes_restful_crypto.htm; Apex Developer Guide, "OAuth 2.0 Token
Exchange Handler Examples".
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from reconciler.apex.code import LONGEST_TYPE, Call, Class, Code, Method, Span, Try
from reconciler.apex.lexer import Sort, Token


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BASE: Final = "auth.oauth2tokenexchangehandler"
VALIDATE: Final = "validateIncomingToken"
MAP_USER: Final = "getUserForTokenSubject"
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    VALIDATE: ("String", "Auth.IntegratingAppType", "String", "Auth.OAuth2TokenExchangeType"),
    MAP_USER: ("Id", "Auth.TokenValidationResult", "Boolean", "String", "Auth.IntegratingAppType"),
}
"""The two methods that a handler overrides, and what Salesforce calls them with."""

_RESULT: Final = "tokenvalidationresult"
_COMPARING: Final = frozenset({"==", "!=", "===", "!==", "<>", "<", ">", "<=", ">="})
_ASSIGNING: Final = frozenset({"=", "+=", "-=", "*=", "/=", "|=", "&=", "^="})
_EXPRESSION_ENDS: Final = (
    frozenset({";", ",", "&&", "||", "?", ":", "=>", "return", "throw", "else", "on", "when"}) | _COMPARING | _ASSIGNING
)
_VALUE_ENDS: Final = frozenset({";", ",", "return", "if", "for", "while"}) | _ASSIGNING
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_LOGS: Final = frozenset({"debug", "log", "info", "warn", "error", "fine", "finer", "finest", "trace", "adderror"})
_HOLDS: Final = frozenset({"put", "putall", "add", "addall", "set"})
_CARRIES: Final = (
    _LOGS
    | _HOLDS
    | _words(
        "valueof tostring trim format join isblank isnotblank isempty isnotempty get containskey deserialize newinstance"
        " deserializeuntyped deserializestrict serialize createparser base64decode base64encode urldecode urlencode"
        " escapesinglequotes tolowercase touppercase replace replaceall split remove substring abs min max setbody"
        " setendpoint setheader valueofgmt parse parseint escapejava getchildelement getchildelements getattribute"
        " getattributevalue gettext"
    )
)
"""Calls that carry a value on, or ask whether there is one, and compare it with nothing."""
_STANDARD: Final = _words(
    "string integer long decimal double boolean date datetime time blob id object list set map iterator iterable math"
    " json jsonparser jsongenerator jsontoken encodingutil crypto http httprequest httpresponse url userinfo system"
    " auth database test limits pattern matcher exception sobject user profile permissionset permissionsetassignment"
    " contact account schema type xmlstreamreader xmlstreamwriter dom cache flow messaging eventbus assert apexpages"
    " connectapi restcontext restrequest restresponse network site security label trigger uuid version request this"
    " super sobjecttype sobjectfield describe queueable callable savepoint quiddity formula approval search select"
    " where group userrole organization federationidentifier"
)
"""What Apex itself has, as far as handlers use it: such a call hands the token to nobody else."""
_CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "iss": ("Issuer",),
    "aud": ("Audience",),
    "exp": ("NotOnOrAfter",),
}
"""Claims of a JWT, and what a SAML assertion calls them (SAML 2.0 Core, 2.2.5 and 2.5.1)."""
_MANY: Final = 2000
"""Blocks and places in one method. Beyond, nothing is said to be wrong there: looking would take minutes. That it was not
looked at is said (`Handler.overlooked`)."""
_PLACES: Final = 10
"""Places in one method that take a token apart, or accept it, and try statements around a verification."""
_FEW: Final = 5
"""Blocks that verify in one method, whose marks are looked for."""
_NAMESAKES: Final = 100
"""Methods of one name that are looked at."""


class Spot(NamedTuple):
    """A place in one of the classes."""

    file: str
    """The name of the class whose file it is in."""
    token: Token
    subject: str
    """The method or the class that it is in."""


class _Guard(NamedTuple):
    """A place where a token is verified."""

    at: int
    blocks: tuple[Span, ...]
    """What may be passed by, and has to be entered to get there."""
    others: tuple[Span, ...]
    """The other branches: who is there does not get here."""
    loops: tuple[Span, ...]

    def covers(self, at: int, *, late: bool) -> bool:
        """Whether nothing runs at another place without this one, before it or (unless that is too late) after it."""
        if late and at < self.at and not any(a <= at < b for a, b in self.loops):
            return False
        return all(a <= at < b for a, b in self.blocks) and not any(a <= at < b for a, b in self.others)


class _Branches(NamedTuple):
    """The blocks of a method that do not always run."""

    conditions: list[Span]
    """What may be passed by, so that what it verifies is verified only at times."""
    others: list[tuple[Span, Span]]
    """A block, and another that runs instead of it."""
    loops: list[Span]
    is_cut: bool = False
    """Whether there are too many to be looked at."""


class Handler:
    """A handler class, together with those other classes that it names and that are here."""

    def __init__(self, main: Code, others: Iterable[Code] = ()) -> None:
        self.main = main
        self.codes = (main, *others)
        self._methods: dict[str, list[Method]] = {}
        self._classes: dict[str, Class] = {}
        self._calls: dict[Method, tuple[Call, ...]] = {}
        self._compared: dict[Method, tuple[tuple[Span, Span], ...]] = {}
        self._guarded: dict[Method, list[_Guard] | None] = {}
        self._values: dict[Method, tuple[tuple[str, Span], ...]] = {}
        self._overlooked: dict[str, None] = {}
        for code in self.codes:
            for method in code.methods:
                self._methods.setdefault(method.key, []).append(method)
            for one in code.classes:
                self._classes.setdefault(one.name.key, one)
        self._properties = {key for key, found in self._methods.items() if any(m.is_property for m in found)}

    # -- what there is ------------------------------------------------------------------------------------------------

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
        if len(named) > _NAMESAKES:
            self._overlook(f"has more than {_NAMESAKES} methods called {call.name.text[:80]}")
            named = named[:_NAMESAKES]
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

    # -- where values go ----------------------------------------------------------------------------------------------

    @cached_property
    def _flow(self) -> Mapping[str, set[str]]:
        """Term -> what it is assigned to, or handed to."""
        flow: dict[str, set[str]] = {}
        for name, text in self._constants.items():
            flow.setdefault(text, set()).add(name)
        for code in self.codes:
            for method in code.methods:
                if method.body is not None:
                    for target, span in self._assigned(method, method.body):
                        for term in terms(code, span):
                            flow.setdefault(term, set()).add(target)
        return flow

    @cached_property
    def _constants(self) -> Mapping[str, str]:
        """Names that are given a text, in a class or in a method, and never anything else -> the text as written."""
        found: dict[str, str] = {}
        given: Counter[str] = Counter()
        for code in self.codes:
            for at in range(1, len(code.tokens) - 2):
                if code.tokens[at].key in _ASSIGNING and code.tokens[at - 1].sort is Sort.WORD:
                    name = code.tokens[at - 1].key
                    given[name] += 1
                    if code.tokens[at + 1].sort is Sort.STRING and code.tokens[at + 2].key in (";", ","):
                        found[name] = code.tokens[at + 1].text
        return {name: text for name, text in found.items() if given[name] == 1}

    def _assigned(self, method: Method, body: Span) -> tuple[tuple[str, Span], ...]:
        """What a method assigns, hands on or returns: a name, and the value's place."""
        if method not in self._values:
            self._values[method] = tuple(self._assignments(method, body))
        return self._values[method]

    def _assignments(self, method: Method, body: Span) -> Iterator[tuple[str, Span]]:
        code = method.code
        for at in code.inside(body):
            key = code.tokens[at].key
            if key in _ASSIGNING:
                target = (
                    code.tokens[code.partner[at - 1] - 1] if code.tokens[at - 1].key == "]" else code.tokens[at - 1]
                )
                if target.sort is Sort.WORD:
                    yield target.key, (at + 1, _end_of(code, at + 1, body[1], _VALUE_ENDS))
            elif key == "return":
                name = method.key if method.is_property else f"{method.key}()"
                yield name, (at + 1, code.statement_end(at + 1, body[1]))
            elif key == "for" and at + 1 < body[1] and code.tokens[at + 1].key == "(":
                colon = _end_of(code, at + 2, code.partner[at + 1], frozenset({":", ";"}))
                if colon < len(code.tokens) and code.tokens[colon].key == ":":
                    yield code.tokens[colon - 1].key, (colon + 1, code.partner[at + 1])
        for call in self.calls(method):
            for called in self.targets(call):
                if len(called.parameters) == len(call.arguments):
                    yield from zip((p.name for p in called.parameters), call.arguments, strict=True)
            if call.key in _HOLDS and call.receiver:
                for argument in call.arguments:
                    yield call.receiver[-1], argument

    def follow(self, seeds: Iterable[str]) -> frozenset[str]:
        """The terms, and every name that may hold what they held."""
        found = set(seeds)
        todo = list(found)
        while todo:
            for target in self._flow.get(todo.pop(), ()):
                if target not in found:
                    found.add(target)
                    todo.append(target)
        return frozenset(found)

    @cached_property
    def token(self) -> "Trace":
        """Every place that may hold the incoming token, or something made of it."""
        return Trace(self.codes, self.follow(m.parameters[2].name for m in self.overrides(VALIDATE)))

    # -- the signature ------------------------------------------------------------------------------------------------

    @cached_property
    def verifications(self) -> Mapping[Method, tuple[int, ...]]:
        """Where the token is verified: by JWTUtil, by Crypto, or by asking somebody with a callout that carries it."""
        asks = any(
            call.key in ("setbody", "setheader", "setendpoint", "setbodyasblob", "setbodydocument")
            and any(self.token.touches(method.code, one) for one in call.arguments)
            for method in self.validating
            for call in self.calls(method)
        )
        found: dict[Method, tuple[int, ...]] = {}
        for method in self.validating:
            places = tuple(call.at for call in self.calls(method) if self._verifies(method.code, call, asks))
            if places:
                found[method] = places
        return found

    def _verifies(self, code: Code, call: Call, asks: bool) -> bool:
        on = call.receiver[-1] if call.receiver else ""
        if call.key == "send":
            return asks and self._is_answer_taken(code, call)
        if on == "jwtutil" and call.key.startswith("validatejwt"):
            return bool(call.arguments)
        if on == "crypto" and call.key.startswith(("verify", "generatemac")):
            return self._is_answer_taken(code, call) and any(self.token.touches(code, one) for one in call.arguments)
        return False

    def _is_answer_taken(self, code: Code, call: Call) -> bool:
        """Crypto answers true or false, and whoever is asked by a callout says yes or no in his answer: where nobody
        takes it, or takes it and never looks at it, nothing is verified."""
        if call.end >= len(code.tokens) or code.tokens[call.end].key != ";":
            return True
        if _starts_statement(code, call.start):
            return False
        named = call.start > 1 and code.tokens[call.start - 1].key == "="
        return not named or self._words[code.tokens[call.start - 2].key] > 1

    @cached_property
    def _words(self) -> Counter[str]:
        return Counter(token.key for code in self.codes for token in code.tokens)

    @cached_property
    def _verifying(self) -> frozenset[Method]:
        """The methods that verify, or call one that does."""
        found = set(self.verifications)
        todo = list(found)
        while todo:
            for caller, _ in self._callers.get(todo.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    todo.append(caller)
        return frozenset(found)

    @cached_property
    def _callers(self) -> Mapping[Method, list[tuple[Method, int]]]:
        found: dict[Method, list[tuple[Method, int]]] = {}
        for method in self.validating:
            for call in self.calls(method):
                for target in self.targets(call):
                    found.setdefault(target, []).append((method, call.at))
        return found

    def _events(self, method: Method) -> list[int]:
        """Where in a method the token is verified, there or in what is called there."""
        called = [call.at for call in self.calls(method) if not self._verifying.isdisjoint(self.targets(call))]
        return sorted({*self.verifications.get(method, ()), *called})

    @cached_property
    def accepts(self) -> bool:
        """Whether the class ever says that a token is valid."""
        return any(self._accepting(method.code, call) for method in self.validating for call in self.calls(method))

    def _accepting(self, code: Code, call: Call) -> bool:
        if call.key != _RESULT or not call.makes or not call.arguments:
            return call.receiver[-1:] == (_RESULT,) and call.key == "success"
        return [code.tokens[at].key for at in code.inside(call.arguments[0])] != ["false"]

    @cached_property
    def decodings(self) -> tuple[tuple[Method, int], ...]:
        """Where the token is taken apart without being verified there."""
        return tuple(
            (method, call.at)
            for method in self.validating
            for call in self.calls(method)
            if self._decodes(method.code, call)
        )

    def _decodes(self, code: Code, call: Call) -> bool:
        on = call.receiver[-1] if call.receiver else ""
        if on == "jwtutil":
            return call.key == "parsejwtfromstringwithoutvalidation"
        if on == "encodingutil" and call.key.startswith("base64") and "decode" in call.key:
            return any(self.token.touches(code, one) for one in call.arguments)
        return False

    def unverified_decodings(self) -> Iterator[Spot]:
        """Where the token is taken apart although a way leads there on which nothing verifies it, once a method."""
        looked_at: Counter[Method] = Counter()
        found: set[Method] = set()
        for method, at in self.decodings:
            if method in found:
                continue
            looked_at[method] += 1
            if looked_at[method] > _PLACES:
                self._overlook(f"takes the token apart at more than {_PLACES} places of {method.name.text[:80]}")
            elif self._uncovered(method, at):
                found.add(method)
                yield self.spot(method, at)

    def unverified_acceptances(self) -> Iterator[Spot]:
        """Where a token is said to be valid although a way leads there on which nothing verifies it, once a method."""
        for method in self.validating:
            places = [call for call in self.calls(method) if self._says_true(method.code, call)]
            for call in places[:_PLACES]:
                returned = method.code.tokens[call.start - 1].key == "return"
                if self._uncovered(method, call.at, late=returned) and not _in_tests_only(method, call.at):
                    yield self.spot(method, call.at)
                    break
            else:
                if len(places) > _PLACES:
                    self._overlook(f"accepts the token at more than {_PLACES} places of {method.name.text[:80]}")

    def _says_true(self, code: Code, call: Call) -> bool:
        """Whether it makes a result that is valid whatever happened. One of a variable depends on that."""
        if call.key != _RESULT or not call.makes or not call.arguments:
            return False
        return [code.tokens[at].key for at in code.inside(call.arguments[0])] == ["true"]

    def _uncovered(self, method: Method, at: int, *, late: bool = False) -> bool:
        """Whether a way leads to a place on which nothing verifies; `late`: what is verified behind it is too late."""
        entries = self.overrides(VALIDATE)
        todo = [(method, at)]
        seen = {method}
        while todo:
            method, at = todo.pop()
            if self._covered(method, at, late=late):
                continue
            if method in entries:
                return True
            for caller, place in self._callers.get(method, ()):
                if caller not in seen:
                    seen.add(caller)
                    todo.append((caller, place))
        return False

    def _covered(self, method: Method, at: int, *, late: bool) -> bool:
        """Whether what runs at a place is never without a verification in the same method, before or after it."""
        if method not in self._guarded:
            self._guarded[method] = self._guards(method)
        guards = self._guarded[method]
        if guards is None or any(one.covers(at, late=late) for one in guards):
            return True
        blocks = dict.fromkeys(min(one.blocks) for one in guards if one.blocks)
        if any(self._told_apart(method, block, at) for block in list(blocks)[:_FEW]):
            return True
        if len(blocks) > _FEW:
            # One of the others may tell: neither "verified" nor "not verified" would be known.
            self._overlook(f"verifies the token in more than {_FEW} blocks of {method.name.text[:80]}")
        return len(blocks) > _FEW

    def _told_apart(self, method: Method, block: Span, at: int) -> bool:
        """Whether something that is set in a block is asked for between the block and a place: who did not come
        through the block does not get there."""
        if method.body is None or at < block[1]:
            return False
        names = {name for name, span in self._assigned(method, method.body) if _within(span, block)}
        return self._tests(method, (block[1], at), names)

    def _guards(self, method: Method) -> list[_Guard] | None:
        """The verifications in a method, each with what has to be entered for it; `None` if there are too many."""
        events = self._events(method)
        if not events or method.body is None:
            return []
        branches = _branches(method.code, method.body)
        many = f"has too many branches and loops in {method.name.text[:80]}"
        if branches.is_cut:
            self._overlook(many)
        if len(branches.conditions) * len(events) > _MANY * 10 or len(branches.others) * len(events) > _MANY * 10:
            self._overlook(many)
            return None
        return [
            _Guard(
                event,
                tuple((a, b) for a, b in branches.conditions if a <= event < b),
                tuple(other for (a, b), other in branches.others if a <= event < b),
                tuple((a, b) for a, b in branches.loops if a <= event < b),
            )
            for event in events
        ]

    # -- exceptions ---------------------------------------------------------------------------------------------------

    def swallowed(self) -> Iterator[Spot]:
        """Catch blocks that let a token pass whose verification failed."""
        for method in self.validating:
            events = self._events(method) if method.body is not None else []
            if not events or method.body is None:
                continue
            held = [one for one in method.code.tries(method.body) if _any_in(events, one.block)]
            if len(held) > _PLACES:
                self._overlook(f"verifies in more than {_PLACES} try statements of {method.name.text[:80]}")
            for one in held[:_PLACES]:
                for at, block in one.catches:
                    if self._swallows(method, method.body, one, block):
                        yield self.spot(method, at)

    def _swallows(self, method: Method, body: Span, one: Try, block: Span) -> bool:
        code = method.code
        keys = {code.tokens[at].key for at in code.inside(block)}
        inside = [call for call in self.calls(method) if block[0] <= call.at < block[1]]
        if any(self._decodes(code, call) for call in inside):
            return True
        if "throw" in keys or any(self._throws(target) for call in inside for target in self.targets(call)):
            return False
        returned = list(_returns(code, block))
        if returned:
            return any(self._says_yes(code, span) for span in returned)
        names = self._marks(method, body, one, block)
        rest = (one.end, body[1])
        if self._tests(method, rest, names):
            return False
        if any(self._accepting(code, call) for call in self.calls(method) if rest[0] <= call.at < rest[1]):
            return True
        if method.returns in ("void", ""):
            fields = {name for name, span in self._assigned(method, body) if _within(span, block)}
            return not any(self._tests(m, m.body, fields) for m in self.validating if fields and m.body is not None)
        return any(not self._refuses(code, span) and not _names(code, span, names) for span in _returns(code, rest))

    def _marks(self, method: Method, body: Span, one: Try, block: Span) -> set[str]:
        """The names that tell afterwards whether an exception was caught.

        One that held something before the try statement tells nothing, unless the catch block itself changes it.
        """
        code = method.code
        caught: set[str] = set()
        tried: set[str] = set()
        before: set[str] = set()
        for name, span in self._assigned(method, body):
            if _within(span, block):
                caught.add(name)
            elif _within(span, one.block):
                tried.add(name)
            elif span[0] < one.block[0] and not self._refuses(code, span):
                before.add(name)
        return caught | (tried - before)

    def _throws(self, method: Method) -> bool:
        span = method.body
        return span is not None and any(method.code.tokens[at].key == "throw" for at in method.code.inside(span))

    def _says_yes(self, code: Code, span: Span) -> bool:
        if [code.tokens[at].key for at in range(*span)][:2] == ["true"]:
            return True
        return any(self._accepting(code, call) for call in code.calls(span))

    def _refuses(self, code: Code, span: Span) -> bool:
        """Whether what is returned says no: null, false, a result that is not valid."""
        keys = [code.tokens[at].key for at in range(*span)]
        if keys in (["null"], ["false"], []):
            return True
        calls = [call for call in code.calls(span) if call.start == span[0] and call.end >= span[1]]
        if not calls:
            return False
        if calls[-1].makes:
            return calls[-1].key == _RESULT and not self._accepting(code, calls[-1])
        targets = [m for m in self.targets(calls[-1]) if m.body is not None]
        return bool(targets) and all(m in self._refusing for m in targets)

    @cached_property
    def _refusing(self) -> frozenset[Method]:
        """The methods that make results, and none that is valid."""
        return frozenset(
            method
            for found in self._methods.values()
            for method in found
            if method.returns.endswith(_RESULT)
            and not any(self._accepting(method.code, call) for call in self.calls(method))
            and any(call.key == _RESULT for call in self.calls(method))
        )

    def _tests(self, method: Method, span: Span, names: set[str]) -> bool:
        """Whether a stretch of code makes something depend on one of the names."""
        if not names:
            return False
        code = method.code
        for at in code.inside(span):
            if code.tokens[at].key in names and code.tokens[at].sort is Sort.WORD:
                before, after = code.tokens[at - 1].key, code.tokens[at + 1].key if at + 1 < span[1] else ""
                asked = before == "(" and at > 1 and code.tokens[at - 2].key in ("if", "while")
                if asked or before in ("!", "&&", "||") or after in ("?", "&&", "||"):
                    return True
        for left, right in _comparisons(code, span):
            if any(term in names for side in (left, right) for term in terms(code, side)):
                return True
        for call in self.calls(method):
            if not span[0] <= call.at < span[1] or call.key in _LOGS | _HOLDS or not call.arguments:
                continue
            asked_for = call.arguments[:1] if call.key == _RESULT else () if call.makes else call.arguments
            if any(term in names for argument in asked_for for term in terms(code, argument)):
                return True
        return False

    # -- claims -------------------------------------------------------------------------------------------------------

    @property
    def reads_jwt(self) -> bool:
        """Whether it looks into the token itself, so that checking the claims is its own business."""
        keys = {call.key for method in self.validating for call in self.calls(method)}
        return bool(self.decodings) or any(key.startswith("validatejwt") for key in keys)

    def checks(self, claim: str) -> bool:
        """Whether the value of a claim, or something made of it, is compared with anything."""
        names = (claim, *(f"{prefix}{name}" for name in _CLAIMS[claim] for prefix in ("", "saml:", "saml2:")))
        found = Trace(self.codes, self.follow({*(f"'{name}'" for name in names), f"get{claim}()", f".{claim}"}))
        return any(
            self._compares(method, method.body, found)
            for method in dict.fromkeys((*self.validating, *self.mapping))
            if method.body is not None
        )

    def _compares(self, method: Method, body: Span, found: "Trace") -> bool:
        code = method.code
        if method not in self._compared:
            self._compared[method] = tuple(_comparisons(code, body))
        for sides in self._compared[method]:
            if not any(_is_null(code, side) for side in sides) and any(found.touches(code, side) for side in sides):
                return True
        for call in self.calls(method):
            # Whose keys are asked for may be what the token says: that is no check, it is the hole.
            if call.makes or call.receiver[-1:] == ("jwtutil",):
                continue
            if call.key.startswith(("equals", "contains", "startswith", "compareto", "matches")):
                # Whether there is such a claim is not what it says.
                asks = call.key != "containskey" and found.touches(code, (call.start, call.at))
            else:
                asks = False
            if call.key in ("get", "getinstance"):
                # `claims.get('iss')` reads the claim, `TRUSTED.get(issuer)` looks it up.
                asks = any(found.touches(code, one) and not self._is_text(code, one) for one in call.arguments)
            elif not asks and call.key not in _CARRIES and not self.targets(call):
                asks = any(found.touches(code, one) for one in call.arguments)
            if asks:
                return True
        return any(found.touches(code, span) for span in _asked(code, body))

    def _is_text(self, code: Code, span: Span) -> bool:
        """Whether a stretch of code is a text, or the name of one."""
        one = code.tokens[span[0]] if span[1] == span[0] + 1 else None
        return one is not None and (one.sort is Sort.STRING or one.key in self._constants)

    # -- users --------------------------------------------------------------------------------------------------------

    def unasked_creations(self) -> Iterator[Spot]:
        """Where a user is made although nothing ever looks at `canCreateUser`."""
        for entry in self.overrides(MAP_USER):
            name = entry.parameters[2].name
            if entry.body is None or any(entry.code.tokens[at].key == name for at in entry.code.inside(entry.body)):
                continue
            for method in self.mapping:
                for call in self.calls(method):
                    if call.makes and call.key == "user" and not self._is_update(method.code, call):
                        yield self.spot(method, call.at)
                        return

    def _is_update(self, code: Code, call: Call) -> bool:
        """`new User(Id = …)` stands for a user that exists."""
        return any(
            code.tokens[a].key == "id" and b > a + 1 and code.tokens[a + 1].key == "=" for a, b in call.arguments
        )

    # -- what was not looked at ---------------------------------------------------------------------------------------

    @cached_property
    def overlooked(self) -> tuple[str, ...]:
        """Why parts of the class were not looked at, in words that follow its name: what they do, nobody can tell."""
        # Each of these stops at its limits, and notes them.
        for looking in (self.unverified_decodings, self.unverified_acceptances, self.swallowed):
            for _ in looking():
                pass
        if self.token.is_cut:
            self._overlook(f"names the token more than {_MANY} times in one call")
        return tuple(self._overlooked)

    def _overlook(self, why: str) -> None:
        self._overlooked[why] = None

    # -- what is not here ---------------------------------------------------------------------------------------------

    @cached_property
    def elsewhere(self) -> str:
        """A class that is handed the token and is not here; empty if there is none."""
        for method in self.validating:
            for call in self.calls(method):
                if call.key in _LOGS | _HOLDS or not call.arguments:
                    continue
                name = self._handed_to(method, call)
                if name and any(self.token.touches(method.code, one) for one in call.arguments):
                    return name
        return ""

    def _handed_to(self, method: Method, call: Call) -> str:
        targets = self.targets(call)
        if any(target.body is not None for target in targets):
            return ""
        if targets:
            return targets[0].owner.name.text
        if call.makes:
            return self._foreign(".".join((*call.receiver, call.key)))
        if not call.receiver:
            return ""
        root = call.receiver[0]
        return self._foreign(root[4:] if root.startswith("new ") else method.code.variables.get(root, root))

    def _foreign(self, name: str) -> str:
        """The name, if it is of a class that neither Apex has nor anybody handed in."""
        first = name.partition(".")[0]
        own = first in self._classes or first.endswith(("__c", "__mdt", "__e", "()", "exception"))
        if own or first in _STANDARD or not first:
            return ""
        return next((one.text for code in self.codes for one in code.tokens if one.key == first), name)


class Trace:
    """Where in some code one of some terms stands."""

    def __init__(self, codes: Iterable[Code], found: frozenset[str]) -> None:
        self._places: dict[Code, tuple[list[int], list[int]]] = {}
        self.is_cut = False
        """Whether a stretch of code named them too often to look at all places."""
        for code in codes:
            making = _making(code)
            places = [at for at in range(len(code.tokens)) if not found.isdisjoint(_terms_at(code, at))]
            self._places[code] = places, [making[at] for at in places]

    def touches(self, code: Code, span: Span) -> bool:
        """Whether one of them is among the `terms` of a stretch of code; quick, however long that is."""
        places, making = self._places[code]
        first, last = bisect_left(places, span[0]), bisect_left(places, span[1])
        found = any(making[i] < span[0] for i in range(first, min(last, first + _MANY)))
        self.is_cut = self.is_cut or (not found and last - first > _MANY)
        return found


def _making(code: Code) -> list[int]:
    """For each token the innermost `new X(…)` whose arguments it is among, as the index of the word `new`, or -1."""
    found: list[int] = []
    stack: list[tuple[int, int]] = []
    opens: dict[int, int] = {}
    for at, token in enumerate(code.tokens):
        while stack and stack[-1][0] <= at:
            stack.pop()
        found.append(stack[-1][1] if stack else -1)
        if token.key == "new":
            opens[_after_type(code, at + 1)] = at
        elif at in opens and token.key == "(":
            stack.append((code.partner[at], opens[at]))
    return found


def _after_type(code: Code, at: int) -> int:
    """The index after a type such as `Map<String, Auth.JWT>`."""
    for _ in range(LONGEST_TYPE):
        if at >= len(code.tokens) or not (code.tokens[at].sort is Sort.WORD or code.tokens[at].key in ".<>,"):
            break
        at += 1
    return at


def terms(code: Code, span: Span) -> Iterator[str]:
    """What a value may come from: variables, `.field`, `method()`, `'text'`. What a new object is made of is left out:
    that a user's data hold a claim makes the data no claim."""
    at = span[0]
    while at < min(span[1], len(code.tokens)):
        if code.tokens[at].key == "new":
            at = _after_type(code, at + 1)
            if at < span[1] and code.tokens[at].key == "(":
                at = code.partner[at] + 1
            continue
        if code.tokens[at].key.startswith("validatejwt") and at + 1 < span[1] and code.tokens[at + 1].key == "(":
            # What a verified token says comes from the token, and not from where its keys are.
            for first in code.split(at + 2, code.partner[at + 1])[:1]:
                yield from terms(code, first)
            at = code.partner[at + 1] + 1
            continue
        yield from _terms_at(code, at)
        at += 1


def _terms_at(code: Code, at: int) -> tuple[str, ...]:
    token = code.tokens[at]
    if token.sort is Sort.WORD:
        if at + 1 < len(code.tokens) and code.tokens[at + 1].key == "(":
            return (f"{token.key}()",)
        if at and code.tokens[at - 1].key in (".", "?."):
            return token.key, f".{token.key}"
        return (token.key,)
    return (token.text,) if token.sort is Sort.STRING else ()


def _is_null(code: Code, span: Span) -> bool:
    return span[1] == span[0] + 1 and code.tokens[span[0]].key == "null"


def _plain(kind: str) -> str:
    """A type's last word, in small letters: the namespace may be left out."""
    return kind.lower().rpartition(".")[2]


def _end_of(code: Code, at: int, end: int, stops: frozenset[str]) -> int:
    """The index of the first of some symbols outside of inner brackets, or of what closes the bracket around."""
    while at < min(end, len(code.tokens)):
        key = code.tokens[at].key
        if key in stops or key in _CLOSING:
            return at
        at = max(code.partner[at], at) + 1 if key in _OPENING else at + 1
    return min(end, len(code.tokens))


def _starts_statement(code: Code, at: int) -> bool:
    return at > 0 and code.tokens[at - 1].key in (";", "{", "}")


def _any_in(places: list[int], span: Span) -> bool:
    first = bisect_left(places, span[0])
    return first < len(places) and places[first] < span[1]


def _within(span: Span, block: Span) -> bool:
    return block[0] <= span[0] < block[1]


def _names(code: Code, span: Span, names: set[str]) -> bool:
    return span[1] == span[0] + 1 and code.tokens[span[0]].key in names


def _returns(code: Code, span: Span) -> Iterator[Span]:
    """What the return statements in a stretch of code return."""
    for at in code.inside(span):
        if code.tokens[at].key == "return":
            yield at + 1, code.statement_end(at + 1, span[1])


def _leaves(code: Code, span: Span) -> bool:
    return any(code.tokens[at].key in ("return", "throw") for at in code.inside(span))


def _branches(code: Code, body: Span) -> _Branches:
    """The blocks of a method that do not always run.

    Nothing in a loop is a condition: one that looks for the right key among many verifies in it. Nor is a block whose
    other side leaves the method: who comes behind it came through it.
    """
    conditions: list[Span] = []
    others: list[tuple[Span, Span]] = []
    loops: list[Span] = []
    for at in code.inside(body):
        key = code.tokens[at].key
        if key == "switch" and at + 1 < body[1] and code.tokens[at + 1].key == "on":
            blocks, is_whole = _whens(code, at, body[1])
            others += [(one, other) for one in blocks[:_FEW] for other in blocks[:_FEW] if other != one]
        elif key == "if" and at + 1 < body[1] and code.tokens[at + 1].key == "(":
            blocks, is_whole = _ifs(code, at, body[1])
            others += [(one, other) for one in blocks[:_FEW] for other in blocks[:_FEW] if other != one]
            if len(blocks) > 2:
                continue  # Which of many was run, a mark tells mostly.
        else:
            if key in ("for", "while") and at + 1 < body[1] and code.tokens[at + 1].key == "(":
                loops.append(code.block_after(code.partner[at + 1] + 1, body[1]))
            continue
        staying = [one for one in blocks if not _leaves(code, one)]
        conditions += [one for one in blocks if not (is_whole and staying in ([], [one]))]
    if len(loops) * (len(conditions) + len(others)) > _MANY * 10:
        return _Branches([], [], loops, is_cut=True)
    return _Branches(
        [one for one in conditions if not _in_any(one, loops)],
        [(one, other) for one, other in others if not _in_any(one, loops)],
        loops,
    )


def _in_any(block: Span, loops: list[Span]) -> bool:
    return any(x <= block[0] and block[1] <= y for x, y in loops)


def _ifs(code: Code, at: int, end: int) -> tuple[list[Span], bool]:
    """The branches of an if statement with those of `else if`, as far as they are looked at, and whether one of them
    always runs."""
    blocks: list[Span] = []
    while len(blocks) < _FEW and at + 1 < end and code.tokens[at].key == "if" and code.tokens[at + 1].key == "(":
        blocks.append(code.block_after(code.partner[at + 1] + 1, end))
        after = blocks[-1][1]
        after += after < end and code.tokens[after].key == "}"
        if after >= end or code.tokens[after].key != "else":
            return blocks, False
        at = after + 1
    return [*blocks, code.block_after(at, end)], True


def _whens(code: Code, at: int, end: int) -> tuple[list[Span], bool]:
    """The branches of a switch statement, and whether one of them always runs."""
    opening = _end_of(code, at + 2, min(at + 66, end), frozenset({"{", ";"}))
    if opening >= end or code.tokens[opening].key != "{":
        return [], False
    blocks: list[Span] = []
    is_whole = False
    inner, last = opening + 1, min(code.partner[opening], end)
    while inner < last:
        if code.tokens[inner].key == "when":
            is_whole = is_whole or (inner + 1 < last and code.tokens[inner + 1].key == "else")
            start = _end_of(code, inner + 1, last, frozenset({"{", ";"}))
            if start < last and code.tokens[start].key == "{":
                blocks.append(code.block_after(start, last))
                inner = blocks[-1][1]
        inner += 1
    return blocks, is_whole


def _in_tests_only(method: Method, at: int) -> bool:
    """Whether a place is in a block that runs in Apex tests only."""
    code = method.code
    for start, end in _branches(code, method.body).conditions if method.body is not None else ():
        if start <= at < end and start >= 2 and code.tokens[start - 1].key == "{" and code.tokens[start - 2].key == ")":
            keys = {code.tokens[i].key for i in range(max(code.partner[start - 2], 0), start - 2)}
            if "isrunningtest" in keys and keys.isdisjoint({"||", "!"}):
                return True
    return False


def _comparisons(code: Code, span: Span) -> Iterator[tuple[Span, Span]]:
    """The two sides of each comparison."""
    for at in code.inside(span):
        key = code.tokens[at].key
        if key not in _COMPARING or (key in ("<", ">") and _is_angle(code, at)):
            continue
        left = at - 1
        while left >= span[0] and code.tokens[left].key not in _EXPRESSION_ENDS:
            if code.tokens[left].key in _CLOSING and code.partner[left] >= 0:
                left = code.partner[left]
            elif code.tokens[left].key in _OPENING or code.tokens[left].key in _CLOSING:
                break
            left -= 1
        right = at + 1
        while right < span[1] and code.tokens[right].key not in _EXPRESSION_ENDS:
            if code.tokens[right].key in _OPENING:
                right = code.partner[right]
            elif code.tokens[right].key in _CLOSING:
                break
            right += 1
        yield (left + 1, at), (at + 1, min(right, span[1]))


def _is_angle(code: Code, at: int) -> bool:
    """Whether `<` or `>` belongs to a type, `Map<String, Object>`, and compares nothing."""
    step = 1 if code.tokens[at].key == "<" else -1
    opened = 0
    for _ in range(LONGEST_TYPE):
        if not 0 <= at < len(code.tokens):
            return False
        token = code.tokens[at]
        if token.key in "<>" and token.sort is Sort.SYMBOL:
            opened += step if token.key == "<" else -step
            if opened == 0:
                return True
        elif token.sort is not Sort.WORD and token.key not in (".", ",", "[", "]"):
            return False
        at += step
    return False


def _asked(code: Code, body: Span) -> Iterator[Span]:
    """What a query is bound to, and what a switch is on."""
    for at in code.inside(body):
        key = code.tokens[at].key
        following = code.tokens[at + 1].key if at + 1 < body[1] else ""
        if key == "[" and following in ("select", "find"):
            for inner in range(at + 1, min(code.partner[at], body[1]) - 1):
                if code.tokens[inner].key == ":":
                    yield inner + 1, _end_of(code, inner + 1, min(inner + 9, code.partner[at]), _EXPRESSION_ENDS)
        elif key == "switch" and following == "on":
            yield at + 2, _end_of(code, at + 2, min(at + 66, body[1]), frozenset({"{", ";"}))
