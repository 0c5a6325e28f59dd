"""What a configuration promises of the token exchange flow.

Source: Salesforce Help, "Integrate an App for the Token Exchange Flow", "Enable Apps for a Token Exchange Handler" and
"Configure the Token Exchange Flow".
"""

from collections.abc import Iterator, Set
from dataclasses import replace

from reconciler.kinds import HANDLER
from reconciler.model.address import Address
from reconciler.schema.severity import Severity
from reconciler.verify.probe import Flow, Part, Probe, Refused, Secret, Tampered, WrongSecret
from reconciler.verify.refresh import refresh
from reconciler.verify.scopes import one_too_many
from reconciler.verify.subject import (
    APP_OFF,
    GRANT,
    NEVER_ASKED,
    PAST_THE_FLOW,
    SCOPE,
    SECRET,
    USER,
    Subject,
    enablement_address,
)
from reconciler.world.apps import (
    ADMIN_APPROVED,
    PERMITTED_USERS,
    SCOPES,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    TOKEN_EXCHANGE_SECRET,
)

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"  # noqa: S105 (a name, no token)
TYPES = {
    "access_token": "isAccessTokenSupported",
    "id_token": "isIdTokenSupported",
    "jwt": "isJwtSupported",
    "refresh_token": "isRefreshTokenSupported",
    "saml2": "isSaml2Supported",
}
"""Subject token types -> the handler's switch."""


def token_exchange(of: Subject) -> Iterator[Probe]:
    """Yield what the token exchange flow must grant, through each handler that the app is enabled for, and what it must
    refuse."""
    switched = of.switched(TOKEN_EXCHANGE, TOKEN_EXCHANGE_POLICY)
    if of.off is not None:
        if switched or of.enablements:
            yield from _off(of, f"{of.off[1][0]} is false", of.off, APP_OFF)
    elif switched is False:
        setting = TOKEN_EXCHANGE if of.says(TOKEN_EXCHANGE) is False else TOKEN_EXCHANGE_POLICY
        yield from _off(of, f"{of.app.spot(setting).path[-1]} is false", of.app.spot(setting), GRANT)
    elif of.enablements:
        yield from _on(of)
    elif switched or of.manages(TOKEN_EXCHANGE):
        # Without a handler the flow leads nowhere, whether it is on or not.
        yield from _off(of, "no file enables the app for a handler", of.app.spot(TOKEN_EXCHANGE), GRANT)


def _form(of: Subject, handler: str = "") -> dict[str, Part]:
    required = of.says(TOKEN_EXCHANGE_SECRET)
    secret = required is True or (required is not False and of.has_secret)
    kind = of.given.text("subject_token_type") or "jwt"
    form: dict[str, Part] = {
        "grant_type": GRANT_TYPE,
        "subject_token": Secret("subject_token"),
        "subject_token_type": TOKEN_TYPE + kind,
        **of.credentials(secret=secret),
    }
    return {**form, "token_handler": of.handler_parameter(handler)} if handler else form


def _off(of: Subject, because: str, at: tuple[Address, tuple[str, ...]], codes: frozenset[str]) -> Iterator[Probe]:
    """Yield probes that must be refused: the flow is off, so every handler of the org has to refuse."""
    for handler in ("", *of.handlers):
        form = {
            name: part._replace(borrow=True) if part == Secret("subject_token") else part
            for name, part in _form(of, handler).items()
        }
        if not of.has_secret:
            # No one has it: whether the org asks for it first is as good a refusal as any.
            form.pop("client_secret", None)
            codes = codes | SECRET
        how = f"through the handler {handler}" if handler else "without naming a handler"
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            f"token_exchange.off.{handler or 'default'}",
            f"{how}, although the flow is closed",
            Refused(codes - PAST_THE_FLOW, betrayed_by=PAST_THE_FLOW),
            form,
            because,
            Severity.HIGH,
            at,
        )


def _on(of: Subject) -> Iterator[Probe]:
    open_to = {one.handler.name: one for one in of.enablements}
    working = [name for name in sorted(open_to) if of.of_handler(name, "isEnabled") is not False]
    default = next((name for name in sorted(open_to) if open_to[name].value("isDefault") is True), "")
    main = default if default in working else next(iter(working), "")
    control = f"token_exchange.{main}" if main else ""
    granted = replace(of.granted, user=of.given.text("user"))
    for name in sorted(working, key=lambda name: name != main):
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            f"token_exchange.{name}",
            f"through the handler {name}",
            granted,
            _form(of, name),
            f"the app is enabled for {name}",
            Severity.HIGH,
            (enablement_address(name, of.app.name), ()),
        )
    if main:
        yield from refresh(of, control, f"the handler {main}")
    yield from _default(of, default, working, control)
    yield from _handlers(of, open_to.keys() - set(working), open_to.keys(), control)
    if main:
        yield from _clients(of, _form(of, main), control)
        yield from _tokens(of, main, control)
        for name in working:
            yield from _types(of, name)


def _default(of: Subject, default: str, working: list[str], control: str) -> Iterator[Probe]:
    """Yield the probe that names no handler: the app's default has to answer, or none."""
    if default in working:
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            "token_exchange.default",
            "without naming a handler",
            replace(of.granted, user=of.given.text("user")),
            _form(of),
            f"{default} is the app's default handler",
            Severity.HIGH,
            (enablement_address(default, of.app.name), ("isDefault",)),
        )
    elif not default and working:
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            "token_exchange.no_default",
            "without naming a handler",
            Refused(GRANT),
            _form(of),
            "no enablement of the app is the default",
            Severity.HIGH,
            (enablement_address(working[0], of.app.name), ("isDefault",)),
            control=control,
        )


def _handlers(of: Subject, disabled: Set[str], enabled: Set[str], control: str) -> Iterator[Probe]:
    for name in sorted(disabled):
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            f"token_exchange.disabled.{name}",
            f"through the handler {name}, which is switched off",
            Refused(GRANT),
            _form(of, name),
            "isEnabled of the handler is false",
            Severity.HIGH,
            (Address(HANDLER, name), ("isEnabled",)),
            control=control,
        )
    for name in of.handlers:
        if name not in enabled:
            yield of.probe(
                Flow.TOKEN_EXCHANGE,
                f"token_exchange.not_enabled.{name}",
                f"through the handler {name}, which is not the app's",
                Refused(GRANT),
                _form(of, name),
                f"no file enables the app for {name}",
                Severity.HIGH,
                (of.app.address, ()),
                control=control,
            )


def _clients(of: Subject, form: dict[str, Part], control: str) -> Iterator[Probe]:
    """Yield probes of who asks and for what: a wrong client, a scope too many."""
    required = of.says(TOKEN_EXCHANGE_SECRET)
    if required is True:
        tried: tuple[tuple[str, str, dict[str, Part]], ...] = (
            ("no_secret", "without the client secret", of.without(form, "client_secret")),
            ("wrong_secret", "with a wrong client secret", of.without(form, client_secret=WrongSecret())),
        )
        for id, what, changed in tried:
            yield of.probe(
                Flow.TOKEN_EXCHANGE,
                f"token_exchange.{id}",
                what,
                Refused(SECRET),
                changed,
                "isSecretRequiredForTokenExchange is true",
                Severity.HIGH,
                TOKEN_EXCHANGE_SECRET,
                control=control,
            )
    extra = one_too_many(of.scopes) if of.scopes is not None else ""
    if extra:
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            "token_exchange.scope",
            f"with the scope {extra}, which is not the app's",
            Refused(SCOPE, unless_without=extra),
            of.without(form, scope=extra),
            "the scope is not declared",
            Severity.CRITICAL if extra == "full" else Severity.HIGH,
            SCOPES,
            control=control,
        )


def _tokens(of: Subject, main: str, control: str) -> Iterator[Probe]:
    """Yield probes with subject tokens that no handler may take."""
    form = _form(of, main)
    handler = (Address(HANDLER, main), ("tokenHandlerApex",))
    forged: Part = Secret("forged") if "forged" in of.given.secrets else Tampered("subject_token")
    kind = of.given.text("subject_token_type") or "jwt"
    elsewhere, over = "the token is not meant for this org", "the token's time is over"
    wrong: list[tuple[str, str, Part, str, Severity]] = [
        ("wrong_audience", "with a token for another audience", Secret("wrong_audience"), elsewhere, Severity.CRITICAL),
        ("expired", "with a token that has expired", Secret("expired"), over, Severity.HIGH),
    ]
    if kind in ("jwt", "id_token") or "forged" in of.given.secrets:
        wrong.insert(0, ("forged", "with a forged signature", forged, "its signature is nobody's", Severity.CRITICAL))
    for id, what, token, because, severity in wrong:
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            f"token_exchange.{id}",
            what,
            Refused(GRANT),
            of.without(form, subject_token=token),
            because,
            severity,
            handler,
            control=control,
        )
    if of.says(PERMITTED_USERS) in ADMIN_APPROVED:
        spot = of.app.spot(PERMITTED_USERS)
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            "token_exchange.not_preauthorised",
            "for a user who is not pre-authorised",
            Refused(USER, unclear=NEVER_ASKED),
            of.without(form, subject_token=Secret("not_preauthorised")),
            "only users whom an admin has approved may use the app",
            Severity.CRITICAL,
            spot,
            control=control,
        )
    if of.app.world.value(Address(HANDLER, main), ("isUserCreationAllowed",)) is False:
        yield of.probe(
            Flow.TOKEN_EXCHANGE,
            "token_exchange.unknown_user",
            "for somebody who has no user",
            # Who is refused for not being approved has a user by now.
            Refused(USER - PAST_THE_FLOW, betrayed_by=PAST_THE_FLOW),
            of.without(form, subject_token=Secret("unknown_user")),
            "isUserCreationAllowed is false",
            Severity.HIGH,
            (Address(HANDLER, main), ("isUserCreationAllowed",)),
            control=control,
            mend="see whether the org made a user for the token, deactivate it, and compare the org with the files",
        )


def _types(of: Subject, handler: str) -> Iterator[Probe]:
    """Yield probes with the subject token under a type that the handler does not support."""
    for kind, switch in TYPES.items():
        if of.app.world.value(Address(HANDLER, handler), (switch,)) is False:
            # The same token under another name, unless there is one that really is of the type.
            token = Secret(kind) if kind in of.given.secrets else Secret("subject_token")
            yield of.probe(
                Flow.TOKEN_EXCHANGE,
                f"token_exchange.{handler}.as_{kind}",
                f"through the handler {handler}, with the token as {kind}",
                Refused(GRANT),
                of.without(_form(of, handler), subject_token_type=TOKEN_TYPE + kind, subject_token=token),
                f"{switch} is false",
                Severity.HIGH,
                (Address(HANDLER, handler), (switch,)),
                control=f"token_exchange.{handler}",
            )
