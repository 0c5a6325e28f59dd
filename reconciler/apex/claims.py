"""Fifth stage: claims. Whether what a token says is compared with anything."""

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.apex.caught import Caught
from reconciler.apex.code import Code, Method, Span
from reconciler.apex.dataflow import HOLDS, LOGS
from reconciler.apex.expressions import Trace, asked, comparisons, is_null, word_set

CARRIES: Final = (
    LOGS
    | HOLDS
    | word_set(
        "valueof tostring trim format join isblank isnotblank isempty isnotempty get containskey deserialize newinstance"
        " deserializeuntyped deserializestrict serialize createparser base64decode base64encode urldecode urlencode"
        " escapesinglequotes tolowercase touppercase replace replaceall split remove substring abs min max setbody"
        " setendpoint setheader valueofgmt parse parseint escapejava getchildelement getchildelements getattribute"
        " getattributevalue gettext"
    )
)
"""Calls that carry a value on, or ask whether there is one, and compare it with nothing."""


CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "iss": ("Issuer",),
    "aud": ("Audience",),
    "exp": ("NotOnOrAfter",),
}
"""Claims of a JWT, and what a SAML assertion calls them (SAML 2.0 Core, 2.2.5 and 2.5.1)."""


class Claims(Caught):
    """What a handler verifies, and which claims it checks."""

    def __init__(self, main: Code, others: Iterable[Code] = ()) -> None:
        super().__init__(main, others)
        self._compared: dict[Method, tuple[tuple[Span, Span], ...]] = {}

    @property
    def reads_jwt(self) -> bool:
        """Whether it looks into the token itself, so that checking the claims is its own business."""
        keys = {call.key for method in self.validating for call in self.calls(method)}
        return bool(self.decodings) or any(key.startswith("validatejwt") for key in keys)

    def checks(self, claim: str) -> bool:
        """Whether the value of a claim, or something made of it, is compared with anything."""
        names = (claim, *(f"{prefix}{name}" for name in CLAIMS[claim] for prefix in ("", "saml:", "saml2:")))
        found = Trace(self.codes, self.follow({*(f"'{name}'" for name in names), f"get{claim}()", f".{claim}"}))
        return any(
            self._compares(method, method.body, found)
            for method in dict.fromkeys((*self.validating, *self.mapping))
            if method.body is not None
        )

    def _compares(self, method: Method, body: Span, found: "Trace") -> bool:
        code = method.code
        if method not in self._compared:
            self._compared[method] = tuple(comparisons(code, body))
        for sides in self._compared[method]:
            if not any(is_null(code, side) for side in sides) and any(found.touches(code, side) for side in sides):
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
            elif not asks and call.key not in CARRIES and not self.targets(call):
                asks = any(found.touches(code, one) for one in call.arguments)
            if asks:
                return True
        return any(found.touches(code, span) for span in asked(code, body))
