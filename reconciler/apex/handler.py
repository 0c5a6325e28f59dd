"""What a token exchange handler does with the token that it is given, as far as its source tells.

README.md beside this file is the essay, with a worked example. Everything leans to the handler's side, so what is reported
missing is missing; what the class hands on to code that is not here is named (`elsewhere`), and what was too much to look at
is said (`overlooked`).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from reconciler.apex.claims import Claims
from reconciler.apex.code import Call, Code, Method
from reconciler.apex.dataflow import HOLDS, LOGS
from reconciler.apex.expressions import MANY, word_set
from reconciler.apex.methods import MAP_USER, Spot

STANDARD: Final = word_set(
    "string integer long decimal double boolean date datetime time blob id object list set map iterator iterable math"
    " json jsonparser jsongenerator jsontoken encodingutil crypto http httprequest httpresponse url userinfo system"
    " auth database test limits pattern matcher exception sobject user profile permissionset permissionsetassignment"
    " contact account schema type xmlstreamreader xmlstreamwriter dom cache flow messaging eventbus assert apexpages"
    " connectapi restcontext restrequest restresponse network site security label trigger uuid version request this"
    " super sobjecttype sobjectfield describe queueable callable savepoint quiddity formula approval search select"
    " where group userrole organization federationidentifier"
)
"""What Apex itself has, as far as handlers use it: such a call hands the token to no other code."""


class Handler(Claims):
    """Everything that rules ask of a handler: the last stage, with what it does to users and what it hands to others."""

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
        """Whether an expression makes no new user: `new User(Id = …)` stands for one that exists."""
        return any(
            code.tokens[a].key == "id" and b > a + 1 and code.tokens[a + 1].key == "=" for a, b in call.arguments
        )

    @cached_property
    def overlooked(self) -> tuple[str, ...]:
        """Why parts of the class were not looked at, in words that follow its name. What those parts do is not known."""
        # Each of these stops at its limits, and notes them.
        for looking in (self.unverified_decodings, self.unverified_acceptances, self.swallowed):
            for _ in looking():
                pass
        if self.token.is_cut:
            self._overlook(f"names the token more than {MANY} times in one call")
        return tuple(self._overlooked)

    @cached_property
    def elsewhere(self) -> str:
        """A class that is handed the token and is not here; empty if there is none."""
        for method in self.validating:
            for call in self.calls(method):
                if call.key in LOGS | HOLDS or not call.arguments:
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
        """Return the name of a class if its source is not here and it is not one of Apex's own; else an empty text."""
        first = name.partition(".")[0]
        own = first in self._classes or first.endswith(("__c", "__mdt", "__e", "()", "exception"))
        if own or first in STANDARD or not first:
            return ""
        return next((one.text for code in self.codes for one in code.tokens if one.key == first), name)
