"""The token exchange handler's Apex class: it decides who gets in, so it is read.

TX12 and AX08 say what cannot work, AX10 what cannot be followed: that is never fine. The others are heuristics over source
text: they lean to the class's side (see `reconciler.apex.handler`), and are medium, so that none of them stops an apply by
default.

The classes that are cited are those of the Apex Reference Guide, namespace Auth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from reconciler.apex.code import DEEPEST, LONGEST, MOST, Code
from reconciler.apex.handler import Handler
from reconciler.apex.hardcoded import secrets
from reconciler.apex.lexer import Sort, Token
from reconciler.apex.methods import BASE, MAP_USER, PARAMETERS, VALIDATE, Spot
from reconciler.model.address import Address
from reconciler.rules import Broken, Example, NotChecked, Verdicts, rule
from reconciler.rules.examples import HANDLER_CLASS, TOKEN_EXCHANGE
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path
from reconciler.world.world import UNKNOWN, World

_CLASS: Final = "ApexClass"
_HANDLER: Final = "OauthTokenExchangeHandler"
_SOURCE: Final[Path] = ("content",)
_FIELD: Final[Path] = ("tokenHandlerApex",)
_BASE: Final = "Auth.Oauth2TokenExchangeHandler"
_NEIGHBOURS: Final = 50
"""Other classes that are read along with a handler class."""
_GUIDE: Final = "Apex Reference Guide, "
_HELP: Final = 'Salesforce Help, "Create a Token Exchange Handler Apex Class" (remoteaccess_token_exchange_create_apex)'
_JUDGEMENT: Final = "; that it is missing is our own judgement from the source text"


# -- the classes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Used:
    """The class of one or more handlers."""

    address: Address
    also: tuple[Address, ...]
    """The handlers."""
    handler: Handler | None = None
    unread: str = ""
    """Why there is no `handler`; empty if there is simply no such class."""
    is_hidden: bool = False
    """Whether that is because the org does not show the source."""
    lost: tuple[str, ...] = ()
    """Why the class, or others that it names, cannot be followed although they are here."""
    base: str = ""
    """The first base class that is not here; empty if the line of base classes ends where it should, or with none."""
    extends: str = ""
    """What that line ends with, as written."""

    def at(self, spot: Spot, message: str, mend: str) -> Broken:
        address = Address(_CLASS, spot.file or self.address.name)
        read = [Address(_CLASS, code.name) for code in self.handler.codes] if self.handler is not None else []
        also = (*self.also, *(one for one in read if one != address))
        place = (spot.token.line, spot.token.column)
        return Broken(address, message, _SOURCE, mend, spot.subject[:80], place, also)

    @property
    def top(self) -> Token:
        """The class's name in its source."""
        top = self.handler.main.top if self.handler is not None else None
        return top.name if top is not None else Token(Sort.WORD, "", "", 1, 1)


def _used(world: World) -> tuple[_Used, ...]:
    """The classes that handlers use, each once."""
    # Every rule asks, and a world does not change: the sources are read once. `World` keeps its own memory like this.
    memory: dict[str, Any] = world.__dict__
    if "_apex" not in memory:
        memory["_apex"] = tuple(_find(world))
    return cast("tuple[_Used, ...]", memory["_apex"])


def _handlers(world: World) -> Iterator[Address]:
    """The handlers that this run is about."""
    served: dict[Address, set[str]] = {}
    for enablement in world.enablements():
        served.setdefault(enablement.handler, set()).add(enablement.app.name)
    for address in world.of_kind(_HANDLER):
        if world.only is None or address not in served or not served[address].isdisjoint(world.only):
            yield address


def _find(world: World) -> Iterator[_Used]:
    classes = {address.name.casefold(): address for address in world.of_kind(_CLASS)}
    users: dict[Address, list[Address]] = {}
    for handler in _handlers(world):
        name = world.value(handler, _FIELD)
        if isinstance(name, str) and name:
            users.setdefault(classes.get(name.casefold(), Address(_CLASS, name)), []).append(handler)
    codes: dict[Address, Code | _Unread] = {}
    for address, handlers in users.items():
        yield _read(world, address, tuple(handlers), classes, codes)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Why a class's source is not looked at; empty if there is no such class."""

    why: str
    is_here: bool = False
    """Whether there is a source, which cannot be followed."""
    is_hidden: bool = False
    """Whether the org has the class and does not show its source."""


def _read(
    world: World,
    address: Address,
    handlers: tuple[Address, ...],
    classes: dict[str, Address],
    codes: dict[Address, Code | _Unread],
) -> _Used:
    main = _code(world, address, codes)
    if isinstance(main, _Unread):
        lost_whole = (main.why,) if main.is_here else ()
        return _Used(address, handlers, unread=main.why, is_hidden=main.is_hidden, lost=lost_whole)
    read, lost = _neighbours(world, main, address, classes, codes)
    handler = Handler(main, read)
    last = handler.lineage[-1]
    missing = "" if not last.base or last.extends.startswith("auth.") else last.base
    return _Used(address, handlers, handler, lost=tuple(lost), base=missing, extends=last.base)


def _code(world: World, address: Address, codes: dict[Address, Code | _Unread]) -> Code | _Unread:
    """A class's code, or why there is none."""
    if address not in codes:
        codes[address] = _load(world, address)
    return codes[address]


def _load(world: World, address: Address) -> Code | _Unread:
    name = address.name
    if "__" in name:
        return _Unread(f"{name} belongs to an installed package, which does not show its source")
    if (reason := world.reason_unreadable(address)) is not None and address not in world.bodies:
        return _Unread(f"{name} could not be read: {reason}")
    exists = world.has(address)
    if exists is UNKNOWN:
        return _Unread(f"{name} is not declared; the org may hold anything under this name")
    if not exists:
        return _Unread("")
    source = world.value(address, _SOURCE)
    if not isinstance(source, str) or not source.strip() or source.strip() == "(hidden)":
        # A file may leave the source to the org. What an org says instead of a source is that it hides it.
        return _Unread(f"the source of {name} is not here", is_hidden=isinstance(source, str))
    if len(source) > LONGEST:
        return _Unread(f"{name} is longer than the {LONGEST:,} characters that an org takes", is_here=True)
    code = Code(source, name)
    if code.unfollowed:
        return _Unread(f"{name} {code.unfollowed}: it is not followed", is_here=True)
    return code if code.top is not None else _Unread(f"no class could be found in the source of {name}", is_here=True)


def _neighbours(
    world: World, main: Code, address: Address, classes: dict[str, Address], codes: dict[Address, Code | _Unread]
) -> tuple[list[Code], list[str]]:
    """The other classes that the source names, and those that they name, as far as they are here, and why some that are
    here were left out."""
    seen = {address}
    todo = [main]
    found: list[Code] = []
    lost: list[str] = []
    read = len(main.tokens)
    while todo:
        named = {token.key for token in todo.pop().tokens if token.sort is Sort.WORD}
        for other in (classes[name] for name in sorted(named & classes.keys())):
            if other in seen:
                continue
            seen.add(other)
            if len(found) >= _NEIGHBOURS:
                # One sentence for all of them, however many there are.
                return found, [
                    *lost,
                    f"it leads to more than {_NEIGHBOURS} other classes, of which the rest is left out",
                ]
            code = _code(world, other, codes)
            if isinstance(code, _Unread):
                lost += [code.why] if code.is_here else []
            elif read + len(code.tokens) > MOST:
                lost.append(f"together with {other.name} it has more than {MOST:,} words and symbols")
            else:
                read += len(code.tokens)
                todo.append(code)
                found.append(code)
    return found, lost


def _each(world: World) -> Iterator[tuple[_Used, Handler] | NotChecked]:
    """The classes whose source can be judged. One with another base class, or none at all, is TX12's."""
    for used in _used(world):
        if used.handler is None:
            if used.unread:
                yield NotChecked(used.address, used.unread, _SOURCE)
        elif used.base:
            yield NotChecked(used.address, _no_base(used), _SOURCE)
        elif used.extends.lower() == BASE:
            yield used, used.handler
    for handler in _handlers(world):
        if world.value(handler, _FIELD) is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", _FIELD)


def _no_base(used: _Used) -> str:
    return f"{used.address.name} extends {used.base[:80]}, which is not here"


def _elsewhere(used: _Used, handler: Handler) -> NotChecked | None:
    """Said where something was not found that a class which is not here may do."""
    if used.lost:
        return NotChecked(used.address, used.lost[0], _SOURCE)
    if not handler.elsewhere:
        return None
    return NotChecked(used.address, f"it is left to {handler.elsewhere[:80]}, which is not here", _SOURCE)


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
    """Without the class, or with another base class, nobody gets a token."""
    for handler in _handlers(world):
        name = world.value(handler, _FIELD)
        if name is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", _FIELD)
        elif not isinstance(name, str) or not name:
            yield Broken(handler, "the handler names no Apex class", _FIELD, f"name a class that extends {_BASE}")
    for used in _used(world):
        name = used.address.name
        if used.handler is None and used.unread:
            yield NotChecked(used.address, used.unread)
        elif used.handler is None:
            yield from _absent(world, used)
        elif used.base:
            yield NotChecked(used.address, _no_base(used), _SOURCE)
        elif used.extends.lower() != BASE:
            has = f"extends {used.extends[:80]}" if used.extends else "extends nothing"
            message = f"{name} {has}; a handler's class extends {_BASE}"
            yield used.at(Spot("", used.top, name), message, f"write: class {name} extends {_BASE}")


def _absent(world: World, used: _Used) -> Verdicts:
    """A class that the org says it does not have. What a handler in the org names is there, whatever was read."""
    for handler in used.also:
        live = world.live.get(handler, {}).get(_FIELD[0])
        if isinstance(live, str) and live.casefold() == used.address.name.casefold():
            yield NotChecked(used.address, "a handler in the org uses it, but the org did not show it")
        else:
            message = f"there is no Apex class {used.address.name}, neither in the files nor in the org"
            mend = f"declare {used.address.name}.cls and its meta file, or mend the name"
            yield Broken(handler, message, _FIELD, mend, also=(used.address,))


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
    """A token is only as good as its signature: what it says can be written by anybody.

    Medium as the others, although it lets anybody in: a class may verify in a way that is not seen here.
    """
    for one in _each(world):
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


def _never_verified(used: _Used, handler: Handler) -> Broken:
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
    for one in _each(world):
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

    Medium as the others, although it lets anybody in: a mark may be asked for in a way that is not seen here.
    """
    for one in _each(world):
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
    """What AX03 to AX05 have in common. In a token that nobody verified no claim is worth a check: that is TX16."""
    for one in _each(world):
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
    for one in _each(world):
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
    for one in _each(world):
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
    for one in _each(world):
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
    for one in _each(world):
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
    f"{MOST:,} words and symbols, {DEEPEST} brackets in each other and {_NEIGHBOURS} other classes are followed; "
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
    for used in _used(world):
        if used.handler is None:
            if used.is_hidden:
                yield replace(_unseen(used, used.unread, _REVIEW), severity=Severity.MEDIUM)
            elif used.unread and not used.lost:
                yield NotChecked(used.address, used.unread, _SOURCE)
            yield from (_lost(used, why) for why in used.lost)
        elif used.base or used.extends.lower() == BASE:
            yield from (_lost(used, why) for why in (*used.lost, *_overlooked(used, used.handler)))
            if not used.lost and (name := used.base or _left_to(used.handler)):
                yield _left(used, name)
    for handler in _handlers(world):
        if world.value(handler, _FIELD) is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", _FIELD)


_REVIEW: Final = "have those who have the source review it, and waive this"


def _overlooked(used: _Used, handler: Handler) -> Iterator[str]:
    yield from (f"{used.address.name} {why}" for why in handler.overlooked)


def _left_to(handler: Handler) -> str:
    """The class that is not here and may verify the token, where nothing that is here does."""
    return "" if handler.verifications or not handler.overrides(VALIDATE) else handler.elsewhere


def _lost(used: _Used, why: str) -> Broken:
    mend = (
        f"take out what it does not need, or split it: at most {MOST:,} words and symbols, {DEEPEST} brackets in each other "
        f"and {_NEIGHBOURS} other classes are followed; else review it by hand, and waive this"
    )
    return _unseen(used, why, mend)


def _left(used: _Used, name: str) -> Broken:
    verb = "extends" if used.base else "leaves the token to"
    mend = f"declare {name[:80]}.cls beside it, or verify the token in {used.address.name} itself"
    return replace(_unseen(used, f"it {verb} {name[:80]}, which is not here", mend), severity=Severity.MEDIUM)


def _unseen(used: _Used, why: str, mend: str) -> Broken:
    whose = ", ".join(handler.name for handler in used.also[:3]) + (", …" if len(used.also) > 3 else "")
    message = f"what {used.address.name}, the class of {whose}, does with a token cannot be seen: {why}"
    return used.at(Spot("", used.top, why[:80]), message, mend)
