"""Fourth stage: exceptions. Whether a catch block lets a token pass whose verification failed."""

from collections.abc import Iterator
from functools import cached_property

from reconciler.apex.code import Code, Method, Span, Try
from reconciler.apex.dataflow import RESULT
from reconciler.apex.expressions import any_in, is_name, returns, within
from reconciler.apex.methods import Spot
from reconciler.apex.signature import PLACES, Signature


class Caught(Signature):
    """The verifications of a handler, and what its catch blocks do with those that failed."""

    def swallowed(self) -> Iterator[Spot]:
        """Catch blocks that let a token pass whose verification failed."""
        for method in self.validating:
            events = self._events(method) if method.body is not None else []
            if not events or method.body is None:
                continue
            held = [one for one in method.code.tries(method.body) if any_in(events, one.block)]
            if len(held) > PLACES:
                self._overlook(f"verifies in more than {PLACES} try statements of {method.name.text[:80]}")
            for one in held[:PLACES]:
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
        returned = list(returns(code, block))
        if returned:
            return any(self._says_yes(code, span) for span in returned)
        names = self._marks(method, body, one, block)
        rest = (one.end, body[1])
        if self._tests(method, rest, names):
            return False
        if any(self._accepting(code, call) for call in self.calls(method) if rest[0] <= call.at < rest[1]):
            return True
        if method.returns in ("void", ""):
            fields = {name for name, span in self._assigned(method, body) if within(span, block)}
            return not any(self._tests(m, m.body, fields) for m in self.validating if fields and m.body is not None)
        return any(not self._refuses(code, span) and not is_name(code, span, names) for span in returns(code, rest))

    def _marks(self, method: Method, body: Span, one: Try, block: Span) -> set[str]:
        """The names that tell afterwards whether an exception was caught.

        One that had a value before the try statement tells nothing, unless the catch block itself changes it.
        """
        code = method.code
        caught: set[str] = set()
        tried: set[str] = set()
        before: set[str] = set()
        for name, span in self._assigned(method, body):
            if within(span, block):
                caught.add(name)
            elif within(span, one.block):
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
            return calls[-1].key == RESULT and not self._accepting(code, calls[-1])
        targets = [m for m in self.targets(calls[-1]) if m.body is not None]
        return bool(targets) and all(m in self._refusing for m in targets)

    @cached_property
    def _refusing(self) -> frozenset[Method]:
        """The methods that return results, none of which is a valid one."""
        return frozenset(
            method
            for found in self._methods.values()
            for method in found
            if method.returns.endswith(RESULT)
            and not any(self._accepting(method.code, call) for call in self.calls(method))
            and any(call.key == RESULT for call in self.calls(method))
        )
