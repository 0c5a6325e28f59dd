"""Third stage: where the token is verified, and whether a way leads around that."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from reconciler.apex.branches import FEW, Guard, branches, in_tests_only
from reconciler.apex.code import Call, Code, Method, Span
from reconciler.apex.dataflow import RESULT, DataFlow
from reconciler.apex.expressions import MANY, starts_statement, within
from reconciler.apex.methods import VALIDATE, Spot

PLACES: Final = 10
"""Places in one method that take a token apart, or accept it, and try statements around a verification."""


class Signature(DataFlow):
    """The verifications of a handler, what it decodes, and what it accepts."""

    def __init__(self, main: Code, others: Iterable[Code] = ()) -> None:
        super().__init__(main, others)
        self._guarded: dict[Method, list[Guard] | None] = {}

    @cached_property
    def verifications(self) -> Mapping[Method, tuple[int, ...]]:
        """Where the token is verified: by JWTUtil, by Crypto, or by a callout that carries it to another server."""
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
        """Whether the answer of a verification is used. Crypto answers true or false, a callout yes or no in its body:
        an answer that is dropped, or kept and never looked at, verifies nothing."""
        if call.end >= len(code.tokens) or code.tokens[call.end].key != ";":
            return True
        if starts_statement(code, call.start):
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
        if call.key != RESULT or not call.makes or not call.arguments:
            return call.receiver[-1:] == (RESULT,) and call.key == "success"
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
            if looked_at[method] > PLACES:
                self._overlook(f"takes the token apart at more than {PLACES} places of {method.name.text[:80]}")
            elif self._uncovered(method, at):
                found.add(method)
                yield self.spot(method, at)

    def unverified_acceptances(self) -> Iterator[Spot]:
        """Where a token is said to be valid although a way leads there on which nothing verifies it, once a method."""
        for method in self.validating:
            places = [call for call in self.calls(method) if self._says_true(method.code, call)]
            for call in places[:PLACES]:
                returned = method.code.tokens[call.start - 1].key == "return"
                if self._uncovered(method, call.at, late=returned) and not in_tests_only(method, call.at):
                    yield self.spot(method, call.at)
                    break
            else:
                if len(places) > PLACES:
                    self._overlook(f"accepts the token at more than {PLACES} places of {method.name.text[:80]}")

    def _says_true(self, code: Code, call: Call) -> bool:
        """Whether it makes a result that is valid whatever happened. One of a variable depends on that."""
        if call.key != RESULT or not call.makes or not call.arguments:
            return False
        return [code.tokens[at].key for at in code.inside(call.arguments[0])] == ["true"]

    def _uncovered(self, method: Method, at: int, *, late: bool = False) -> bool:
        """Whether a place can be reached without any verification; with `late`, one that comes after the place does not
        count."""
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
        if any(self._told_apart(method, block, at) for block in list(blocks)[:FEW]):
            return True
        if len(blocks) > FEW:
            # One of the others may tell: neither "verified" nor "not verified" would be known.
            self._overlook(f"verifies the token in more than {FEW} blocks of {method.name.text[:80]}")
        return len(blocks) > FEW

    def _told_apart(self, method: Method, block: Span, at: int) -> bool:
        """Whether something that is set in a block is asked for between the block and a place: who did not come
        through the block does not get there."""
        if method.body is None or at < block[1]:
            return False
        names = {name for name, span in self._assigned(method, method.body) if within(span, block)}
        return self._tests(method, (block[1], at), names)

    def _guards(self, method: Method) -> list[Guard] | None:
        """The verifications in a method, each with what has to be entered for it; `None` if there are too many."""
        events = self._events(method)
        if not events or method.body is None:
            return []
        parts = branches(method.code, method.body)
        many = f"has too many branches and loops in {method.name.text[:80]}"
        if parts.is_cut:
            self._overlook(many)
        if len(parts.conditions) * len(events) > MANY * 10 or len(parts.others) * len(events) > MANY * 10:
            self._overlook(many)
            return None
        return [
            Guard(
                event,
                tuple((a, b) for a, b in parts.conditions if a <= event < b),
                tuple(other for (a, b), other in parts.others if a <= event < b),
                tuple((a, b) for a, b in parts.loops if a <= event < b),
            )
            for event in events
        ]
