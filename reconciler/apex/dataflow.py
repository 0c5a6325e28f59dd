"""Second stage: where values go. Which names may hold the token, or what was made of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from reconciler.apex.code import Code, Method, Span
from reconciler.apex.expressions import ASSIGNING, VALUE_ENDS, Trace, comparisons, end_of, terms
from reconciler.apex.lexer import Sort
from reconciler.apex.methods import VALIDATE, Methods

LOGS: Final = frozenset({"debug", "log", "info", "warn", "error", "fine", "finer", "finest", "trace", "adderror"})


HOLDS: Final = frozenset({"put", "putall", "add", "addall", "set"})


RESULT: Final = "tokenvalidationresult"


class DataFlow(Methods):
    """The methods of a handler, and where values go between their names."""

    def __init__(self, main: Code, others: Iterable[Code] = ()) -> None:
        super().__init__(main, others)
        self._values: dict[Method, tuple[tuple[str, Span], ...]] = {}

    @cached_property
    def _flow(self) -> Mapping[str, set[str]]:
        """For each term the names that it is assigned to, or passed to as an argument."""
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
                if code.tokens[at].key in ASSIGNING and code.tokens[at - 1].sort is Sort.WORD:
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
            if key in ASSIGNING:
                target = (
                    code.tokens[code.partner[at - 1] - 1] if code.tokens[at - 1].key == "]" else code.tokens[at - 1]
                )
                if target.sort is Sort.WORD:
                    yield target.key, (at + 1, end_of(code, at + 1, body[1], VALUE_ENDS))
            elif key == "return":
                name = method.key if method.is_property else f"{method.key}()"
                yield name, (at + 1, code.statement_end(at + 1, body[1]))
            elif key == "for" and at + 1 < body[1] and code.tokens[at + 1].key == "(":
                colon = end_of(code, at + 2, code.partner[at + 1], frozenset({":", ";"}))
                if colon < len(code.tokens) and code.tokens[colon].key == ":":
                    yield code.tokens[colon - 1].key, (colon + 1, code.partner[at + 1])
        for call in self.calls(method):
            for called in self.targets(call):
                if len(called.parameters) == len(call.arguments):
                    yield from zip((p.name for p in called.parameters), call.arguments, strict=True)
            if call.key in HOLDS and call.receiver:
                for argument in call.arguments:
                    yield call.receiver[-1], argument

    def follow(self, seeds: Iterable[str]) -> frozenset[str]:
        """Return the terms, and every name that may hold their values."""
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
        for left, right in comparisons(code, span):
            if any(term in names for side in (left, right) for term in terms(code, side)):
                return True
        for call in self.calls(method):
            if not span[0] <= call.at < span[1] or call.key in LOGS | HOLDS or not call.arguments:
                continue
            asked_for = call.arguments[:1] if call.key == RESULT else () if call.makes else call.arguments
            if any(term in names for argument in asked_for for term in terms(code, argument)):
                return True
        return False

    def _is_text(self, code: Code, span: Span) -> bool:
        """Whether a stretch of code is a text, or the name of one."""
        one = code.tokens[span[0]] if span[1] == span[0] + 1 else None
        return one is not None and (one.sort is Sort.STRING or one.key in self._constants)
