"""The token exchange handler's Apex class: it decides who gets in, so it is read.

TX12 and AX08 say what cannot work, AX10 what cannot be followed: that is never fine. The others are heuristics over source
text: they lean to the class's side (see `reconciler.apex.handler`), and are medium, so that none of them stops an apply by
default.

The classes that are cited are those of the Apex Reference Guide, namespace Auth.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from reconciler.apex.code import DEEPEST, MOST
from reconciler.apex.handler import Handler
from reconciler.apex.hardcoded import secrets
from reconciler.apex.methods import BASE, MAP_USER, PARAMETERS, VALIDATE, Spot
from reconciler.rules import Broken, Example, NotChecked, Verdicts, rule
from reconciler.rules.examples import HANDLER_CLASS, TOKEN_EXCHANGE
from reconciler.rules.handler_classes import (
    FIELD,
    NEIGHBOURS,
    SOURCE,
    HandlerClass,
    each_handler,
    handler_classes,
    no_base,
    used_handlers,
)
from reconciler.schema.severity import Severity
from reconciler.world.world import UNKNOWN, World

_BASE: Final = "Auth.Oauth2TokenExchangeHandler"
_GUIDE: Final = "Apex Reference Guide, "
_HELP: Final = 'Salesforce Help, "Create a Token Exchange Handler Apex Class" (remoteaccess_token_exchange_create_apex)'
_JUDGEMENT: Final = "; that it is missing is our own judgement from the source text"


def _elsewhere(used: HandlerClass, handler: Handler) -> NotChecked | None:
    """The verdict where the source lacks something that another class, whose source is not here, may do."""
    if used.lost:
        return NotChecked(used.address, used.lost[0], SOURCE)
    if not handler.elsewhere:
        return None
    return NotChecked(used.address, f"it is left to {handler.elsewhere[:80]}, which is not here", SOURCE)


# -- the examples -----------------------------------------------------------------------------------------------------


def _but(*replacements: tuple[str, str]) -> Example:
    """The example of a sound class with passages replaced."""
    source = HANDLER_CLASS
    for old, new in replacements:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in the example")
        source = source.replace(old, new)
    return Example(TOKEN_EXCHANGE.files, {"PartnerIdpTokenHandler": source})


_VERIFY = "jwt = Auth.JWTUtil.validateJWTWithKeysEndpoint(incomingToken, KEYS, true);"
_REFUSE = "{\n            return new Auth.TokenValidationResult(false);\n        }\n"
_BY_HAND = """\
        String payload = incomingToken.split('\\\\.')[1];
        Map<String, Object> claims =
            (Map<String, Object>) JSON.deserializeUntyped(EncodingUtil.base64Decode(payload).toString());
"""


# -- the rules --------------------------------------------------------------------------------------------------------


@rule(
    "TX12",
    Severity.HIGH,
    f"A handler's class exists and extends {_BASE}",
    hurts="Every exchange through the handler fails, for all its apps.",
    source=f"{_HELP}: an Apex class that extends the Oauth2TokenExchangeHandler abstract class",
    good=TOKEN_EXCHANGE,
    bad=_but((f"extends {_BASE}", "extends Auth.ExternalClientAppOauthHandler")),
)
def handler_class(world: World) -> Verdicts:
    """Without the class, or with another base class, no one gets a token."""
    for handler in used_handlers(world):
        name = world.value(handler, FIELD)
        if name is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", FIELD)
        elif not isinstance(name, str) or not name:
            yield Broken(handler, "the handler names no Apex class", FIELD, f"name a class that extends {_BASE}")
    for used in handler_classes(world):
        name = used.address.name
        if used.handler is None and used.unread:
            yield NotChecked(used.address, used.unread)
        elif used.handler is None:
            yield from _absent(world, used)
        elif used.base:
            yield NotChecked(used.address, no_base(used), SOURCE)
        elif used.extends.lower() != BASE:
            has = f"extends {used.extends[:80]}" if used.extends else "extends nothing"
            message = f"{name} {has}; a handler's class extends {_BASE}"
            yield used.at(Spot("", used.top, name), message, f"write: class {name} extends {_BASE}")


def _absent(world: World, used: HandlerClass) -> Verdicts:
    """A class that the org says it does not have. What a handler in the org names is there, whatever was read."""
    for handler in used.also:
        live = world.live.get(handler, {}).get(FIELD[0])
        if isinstance(live, str) and live.casefold() == used.address.name.casefold():
            yield NotChecked(used.address, "a handler in the org uses it, but the org did not show it")
        else:
            message = f"there is no Apex class {used.address.name}, neither in the files nor in the org"
            mend = f"declare {used.address.name}.cls and its meta file, or mend the name"
            yield Broken(handler, message, FIELD, mend, also=(used.address,))


@rule(
    "TX16",
    Severity.MEDIUM,
    "A handler verifies the signature of the token that it is given",
    hurts="Anybody who knows the app's key can write a token that names any user, and gets in as that user.",
    source=f"{_GUIDE}JWTUtil Class; {_HELP}: use the first method to validate the incoming token{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(
        (_VERIFY, "jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"),
    ),
)
def signature(world: World) -> Verdicts:
    """A token is only as good as its signature: what it says can be written by anyone.

    Medium as the others, although it lets anyone in: a class may verify in a way that is not seen here.
    """
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        if handler.verifications or not handler.overrides(VALIDATE):
            continue
        if (unknown := _elsewhere(used, handler)) is not None:
            yield unknown
        elif handler.accepts:
            yield _never_verified(used, handler)


def _never_verified(used: HandlerClass, handler: Handler) -> Broken:
    message = f"{VALIDATE} accepts tokens whose signature nothing verifies"
    method = handler.overrides(VALIDATE)[0]
    spot = Spot(method.code.name, method.name, method.name.text)
    if handler.decodings:
        place, at = handler.decodings[0]
        spot = handler.spot(place, at)._replace(subject=spot.subject)
        message = f"{message}: it takes what a token says from {spot.token.text[:80]}, which verifies nothing"
    mend = "verify the token with Auth.JWTUtil.validateJWTWithKeysEndpoint, …WithCert or …WithKey before it is believed"
    return used.at(spot, message, mend)


@rule(
    "AX01",
    Severity.MEDIUM,
    "A handler takes claims from verified tokens only, and accepts no others",
    hurts="Whoever finds the way around the verification writes a token that names any user, and gets in as that user.",
    source=f"{_GUIDE}JWTUtil Class: parseJWTFromStringWithoutValidation; RFC 8725, 3.1 (the header alg){_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(
        (
            "        Auth.JWT jwt;\n        try {\n            " + _VERIFY,
            _BY_HAND + "        Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);\n"
            "        try {\n            if (claims.containsKey('kid')) {\n                "
            + _VERIFY
            + "\n            }",
        )
    ),
)
def claims_by_hand(world: World) -> Verdicts:
    """A token that is taken apart by hand, or accepted, was verified first, on every way that leads there.

    Where nothing verifies it at all, that is TX16: one mistake, one finding.
    """
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        if not handler.verifications:
            unknown = _elsewhere(used, handler) if handler.decodings else None
            yield from (unknown,) if unknown is not None else ()
            continue
        mend = "verify the token before that, whatever the token itself says, and refuse it if that fails"
        by_hand = list(handler.unverified_decodings())
        for spot in by_hand:
            message = (
                f"{spot.subject[:80]} takes the token apart by hand on a way on which nothing verifies its signature"
            )
            yield used.at(spot, message, mend)
        for spot in handler.unverified_acceptances() if not by_hand else ():
            message = f"{spot.subject[:80]} accepts the token on a way on which nothing verifies it"
            yield used.at(spot, message, mend)


@rule(
    "AX02",
    Severity.MEDIUM,
    "A token whose verification fails is refused",
    hurts="A token with any signature is accepted: the exception that says so is caught and forgotten.",
    source=f"{_GUIDE}JWTUtil Class: 'Salesforce returns an Auth.JWTValidationException exception'{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(
        ("(Auth.JWTValidationException e) " + _REFUSE, "(Exception e) {\n            System.debug(e);\n        }\n"),
        ("Auth.JWT jwt;", "Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"),
    ),
)
def swallowed_exception(world: World) -> Verdicts:
    """The catch block around the verification ends in a refusal: it throws, returns, or leaves a mark that is asked for.

    Medium as the others, although it lets anyone in: a mark may be asked for in a way that is not seen here.
    """
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        if not handler.verifications:
            unknown = _elsewhere(used, handler)
            yield from (unknown,) if unknown is not None else ()
        for spot in handler.swallowed():
            message = f"when the token cannot be verified, {spot.subject[:80]} catches the exception and goes on"
            yield used.at(spot, message, "return new Auth.TokenValidationResult(false), or let the exception through")


def _claim(world: World, claim: str, message: str, mend: str) -> Verdicts:
    """Judge one claim, for AX03 to AX05. In a token that is not verified no claim is worth a check: that is TX16."""
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        methods = handler.overrides(VALIDATE)
        if not methods or (handler.reads_jwt and handler.checks(claim)):
            continue
        if (unknown := _elsewhere(used, handler)) is not None:
            yield unknown
        elif handler.verifications and handler.reads_jwt and handler.accepts:
            yield used.at(Spot(methods[0].code.name, methods[0].name, methods[0].name.text), message, mend)


@rule(
    "AX03",
    Severity.MEDIUM,
    "A handler checks who issued a token",
    hurts="Where several issuers share their keys, tokens of all of them are accepted, those of strangers too.",
    source=f"RFC 7519, 4.1.1; RFC 8725, 3.8; {_GUIDE}JWT Class: getIss{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(("        if (!ISSUER.equals(jwt.getIss())) " + _REFUSE, "")),
)
def issuer(world: World) -> Verdicts:
    """A signature says that a key signed, not for whom: many identity providers sign for all their customers with one."""
    yield from _claim(
        world,
        "iss",
        "nothing compares the token's issuer (iss) with the one that is trusted",
        "compare jwt.getIss() with the issuer that you trust, with equals() (== ignores case)",
    )


@rule(
    "AX04",
    Severity.MEDIUM,
    "A handler checks for whom a token was issued",
    hurts="A token that a user gave to any other application of the same identity provider opens Salesforce too.",
    source=f"RFC 7519, 4.1.3; RFC 8725, 3.9; {_GUIDE}JWT Class: getAud{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(("        if (!AUDIENCE.equals(jwt.getAud())) " + _REFUSE, "")),
)
def audience(world: World) -> Verdicts:
    """Every application of the identity provider gets tokens that it signed."""
    yield from _claim(
        world,
        "aud",
        "nothing compares the token's audience (aud) with this org or app",
        "compare jwt.getAud() with the audience that the identity provider gives this app's tokens",
    )


@rule(
    "AX05",
    Severity.MEDIUM,
    "A handler checks whether a token has expired",
    hurts="A token that once leaked opens Salesforce for ever.",
    source=f"RFC 7519, 4.1.4; {_GUIDE}Auth Exceptions: a JWTValidationException says that a token cannot be parsed, or "
    f"validated with the key; of its expiry the guide says nothing{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(("        if (hasExpired(jwt.getAdditionalClaims().get('exp'))) " + _REFUSE, "")),
)
def expiry(world: World) -> Verdicts:
    """What Auth.JWTUtil makes of `exp` is not documented, and a token without one it may not refuse at all."""
    yield from _claim(
        world,
        "exp",
        "nothing compares the token's expiry (exp) with the time",
        "refuse tokens without exp, and those whose exp (jwt.getAdditionalClaims().get('exp')) is past",
    )


@rule(
    "AX06",
    Severity.MEDIUM,
    "A handler makes users only where it may",
    hurts="Whoever the identity provider knows becomes a user of the org, although the handler's definition forbids it.",
    source=f"{_GUIDE}Oauth2TokenExchangeHandler Class: canCreateUser 'Specifies whether the handler can set up a User "
    f"object if no user exists'{_JUDGEMENT}",
    good=TOKEN_EXCHANGE,
    bad=_but(
        ("canCreateUser ? new User(FederationIdentifier = subject) : null", "new User(FederationIdentifier = subject)")
    ),
)
def unasked_creation(world: World) -> Verdicts:
    """`isUserCreationAllowed` of the handler reaches the class only as `canCreateUser`."""
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        for spot in handler.unasked_creations():
            message = f"{spot.subject[:80]} makes a user, and nothing asks whether it may (canCreateUser)"
            yield used.at(spot, message, "make the user only if canCreateUser is true, else return null")


@rule(
    "AX07",
    Severity.MEDIUM,
    "A handler's source holds no secret",
    hurts="Everybody who may read the class or the repository has the secret, and it stays in both their histories.",
    source="OWASP ASVS 4.0.3, 2.10.4; what looks like a secret is our own judgement",
    good=TOKEN_EXCHANGE,
    bad=_but(
        (
            "    private static final String AUDIENCE =",
            "    private static final String CLIENT_SECRET = 'p4rtner-IdP-7c1e90';\n"
            "    private static final String AUDIENCE =",
        )
    ),
)
def secret_in_source(world: World) -> Verdicts:
    """Where it stands is said, never what it is."""
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        seen: set[str] = set()
        for secret in secrets(handler.main):
            if secret.subject.lower() not in seen:
                seen.add(secret.subject.lower())
                message = f"{secret.subject} looks like {secret.what} in the source"
                mend = "replace it at its owner, and keep the new one in a named credential or a certificate"
                yield used.at(Spot(handler.main.name, secret.token, secret.subject), message, mend)


@rule(
    "AX08",
    Severity.HIGH,
    f"A handler overrides {VALIDATE} and {MAP_USER}",
    hurts="Every exchange through the handler fails: what is not overridden answers null.",
    source=f"{_HELP}: this method must be overridden by the extending class, of either",
    good=TOKEN_EXCHANGE,
    bad=_but(
        (
            "public override User getUserForTokenSubject(\n        Id networkId,\n        ",
            "private User find(\n        ",
        )
    ),
)
def overrides(world: World) -> Verdicts:
    """Both methods of the base class are virtual and do nothing."""
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        for name in (VALIDATE, MAP_USER):
            if handler.overrides(name):
                continue
            wanted = f"{name}({', '.join(PARAMETERS[name])})"
            other = handler.named(name)
            token = other[0].name if other else used.top
            file = other[0].code.name if other else ""
            problem = f"{name} takes other parameters than Salesforce gives" if other else f"{name} is not overridden"
            yield used.at(Spot(file, token, name), problem, f"override {wanted}")


@rule(
    "AX09",
    Severity.MEDIUM,
    "A handler's class says whether it keeps to sharing rules",
    hurts="The class reads all users and records whatever the execution user may see, and nobody decided that it should.",
    source="Apex Developer Guide, Apex Security and Sharing Model: up to API version 66.0 a class without a sharing "
    "keyword that is called first runs without sharing; from 67.0 on with sharing",
    good=TOKEN_EXCHANGE,
    bad=_but(("public with sharing class", "public class")),
)
def sharing(world: World) -> Verdicts:
    """From API version 67.0 on, a class that says nothing keeps to the sharing rules."""
    for one in each_handler(world):
        if isinstance(one, NotChecked):
            yield one
            continue
        used, handler = one
        top = handler.main.top
        version = world.value(used.address, ("apiVersion",))
        if top is None or top.sharing:
            continue
        if not isinstance(version, int | float):
            yield NotChecked(used.address, "the class's API version is not known", ("apiVersion",))
        elif version < 67:
            message = (
                f"{used.address.name} has no sharing keyword: with API version {version:.1f} it runs without sharing"
            )
            mend = "write `with sharing class`, or `without sharing class` if it has to see every user"
            yield used.at(Spot("", top.name, used.address.name), message, mend)


@rule(
    "AX10",
    Severity.HIGH,
    "A handler's class can be followed",
    hurts="What the class does with a token cannot be seen: it may let in anybody who can write one.",
    source="our own judgement: what cannot be judged is not fine. At most "
    f"{MOST:,} words and symbols, {DEEPEST} brackets in each other and {NEIGHBOURS} other classes are followed; "
    "what hands the token to a class that is not here is medium, as TX16",
    good=TOKEN_EXCHANGE,
    bad=_but(
        (
            "    private static final String AUDIENCE =",
            f"    private static Object unused = {'(' * (DEEPEST + 1)}1{')' * (DEEPEST + 1)};\n"
            "    private static final String AUDIENCE =",
        )
    ),
)
def followed(world: World) -> Verdicts:
    """What is too long, too deep or too widely spread to be read would else hide whatever a reviewer should see."""
    for used in handler_classes(world):
        if used.handler is None:
            if used.is_hidden:
                yield replace(_unseen(used, used.unread, _REVIEW), severity=Severity.MEDIUM)
            elif used.unread and not used.lost:
                yield NotChecked(used.address, used.unread, SOURCE)
            yield from (_lost(used, why) for why in used.lost)
        elif used.base or used.extends.lower() == BASE:
            yield from (_lost(used, why) for why in (*used.lost, *_overlooked(used, used.handler)))
            if not used.lost and (name := used.base or _left_to(used.handler)):
                yield _left(used, name)
    for handler in used_handlers(world):
        if world.value(handler, FIELD) is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", FIELD)


_REVIEW: Final = "have those who have the source review it, and waive this"


def _overlooked(used: HandlerClass, handler: Handler) -> Iterator[str]:
    yield from (f"{used.address.name} {why}" for why in handler.overlooked)


def _left_to(handler: Handler) -> str:
    """The class that is not here and may verify the token, where nothing that is here does."""
    return "" if handler.verifications or not handler.overrides(VALIDATE) else handler.elsewhere


def _lost(used: HandlerClass, why: str) -> Broken:
    mend = (
        f"take out what it does not need, or split it: at most {MOST:,} words and symbols, {DEEPEST} brackets in each other "
        f"and {NEIGHBOURS} other classes are followed; else review it by hand, and waive this"
    )
    return _unseen(used, why, mend)


def _left(used: HandlerClass, name: str) -> Broken:
    verb = "extends" if used.base else "leaves the token to"
    mend = f"declare {name[:80]}.cls beside it, or verify the token in {used.address.name} itself"
    return replace(_unseen(used, f"it {verb} {name[:80]}, which is not here", mend), severity=Severity.MEDIUM)


def _unseen(used: HandlerClass, why: str, mend: str) -> Broken:
    whose = ", ".join(handler.name for handler in used.also[:3]) + (", …" if len(used.also) > 3 else "")
    message = f"what {used.address.name}, the class of {whose}, does with a token cannot be seen: {why}"
    return used.at(Spot("", used.top, why[:80]), message, mend)
