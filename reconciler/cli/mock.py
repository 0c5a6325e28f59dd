"""The `mock` commands: an org of one's own on this machine, looked at and edited as an admin in Setup would."""

import gc
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.options import AsJson, Chosen, grouped
from reconciler.cli.output import say
from reconciler.errors import Complaint, InputError, Place
from reconciler.render.words.safe import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from providers.mock import Faults, Served
    from providers.mock import Org as MockOrg

mock_app = typer.Typer(
    help="The mock org: an org of your own, on this machine.", no_args_is_help=True, rich_markup_mode=None
)
Switch = Annotated[
    list[str],
    typer.Option(
        "--switch",
        help="Choose a behaviour of the org, e.g. allow_connected_app_creation=true; providers/mock/README.md lists them.",
        metavar="NAME=VALUE",
    ),
]


@mock_app.command("users")
@grouped
def mock_users(chosen: Chosen = Chosen()) -> None:
    """List who there is in the mock org."""
    with _mock(chosen) as found:
        for user in found.users():
            state = "active" if user.is_active else "inactive"
            kind = ", API only" if user.is_api_only else ""
            known = f", to identity providers {user.federation_identifier}" if user.federation_identifier else ""
            say(f"{user.username:32} {user.name:24} {user.profile} ({state}{kind}{known})\n")


@mock_app.command("set")
@grouped
def mock_set(
    target: Annotated[str, typer.Argument(metavar="ADDRESS")],
    changes: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE")],
    as_user: Annotated[str, typer.Option("--as", help="Who does it; `mock users` lists them.", metavar="USERNAME")],
    delegate: Annotated[
        str, typer.Option("--delegate", help="Who had logged in as that user.", metavar="USERNAME")
    ] = "",
    chosen: Chosen = Chosen(),
) -> None:
    """Change a record of the mock org as an admin in Setup would."""
    pairs: dict[str, str | None] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not name:
            raise InputError(Complaint(f"{change!r} is not FIELD=VALUE", mend="for example isPkceRequired=false"))
        pairs[name] = value
    with _mock(chosen) as found:
        same = found.set(target, pairs, as_user=as_user, delegate=delegate or None)
    changed = [name for name in pairs if name not in same]
    told = [f"{as_user} changed {', '.join(changed)} of {target}"] if changed else []
    for name, kept in same.items():
        now = "is empty" if kept is None else "is as it was" if name == "body" else f"is {line(kept, 200)}"
        why = "already" if kept == pairs[name] else f"whatever is set: the org does not take {line(pairs[name], 200)}"
        told.append(f"{name} of {target} did not change: it {now} {why}")
    say("".join(f"{one}\n" for one in told), done=True)


@mock_app.command("reset")
@grouped
def mock_reset(switch: Switch = [], chosen: Chosen = Chosen()) -> None:
    """Make a new mock org, with a new id, in place of the old one."""
    with _mock(chosen) as found:
        _switch(found, switch)
        found.reset()
        say(f"new org {found.org_id} ({found.name})\n", done=True)


@mock_app.command("audit")
@grouped
def mock_audit(chosen: Chosen = Chosen()) -> None:
    """Show the mock org's Setup audit trail, newest first."""
    with _mock(chosen) as found:
        for row in found.audit():
            beside = f"   ({row.delegate_user} had logged in as that user)" if row.delegate_user else ""
            say(f"{row.created_date}  {row.created_by:28} {row.display}{beside}\n")


@mock_app.command("serve")
@grouped
def mock_serve(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.", min=0, max=65535)] = 0,
    switch: Switch = [],
    host: Annotated[str, typer.Option("--host", help="Loopback only.", metavar="ADDRESS")] = "127.0.0.1",
    tls: Annotated[bool, typer.Option("--tls", help="https, with a certificate made for this run.")] = False,
    latency: Annotated[
        str,
        typer.Option("--latency", help="How much later every answer comes: 0.2, or 0.05-0.3.", metavar="SECONDS"),
    ] = "0",
    faults: Annotated[
        Path | None,
        typer.Option("--faults", help="Failures to play: docs/faults.md.", metavar="FILE"),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", help="text, or json: one object on one line.", metavar="FORMAT")
    ] = "text",
    in_json: AsJson = False,
    chosen: Chosen = Chosen(),
) -> None:
    """Serve the mock org over HTTP or TLS on loopback, until Ctrl-C, and say what clients need to reach it."""
    from providers.mock import serve
    from providers.mock.http.clients import as_json, as_text

    form = "json" if in_json else output
    if output not in ("text", "json"):
        raise InputError(Complaint(f"--output {output}: no such format", mend="one of: text, json"))
    slower, played = _latency(latency), _faults(faults)
    gc.enable()
    with _mock(chosen) as found:
        _switch(found, switch)

        def ready(served: "Served") -> None:
            say(as_json(found, served) if form == "json" else as_text(found, served))

        try:
            serve(found, host, port, tls=tls, faults=played, latency=slower, ready=ready)
        except (ValueError, OverflowError) as wrong:
            raise InputError(str(wrong)) from None
        except OSError as wrong:
            mend = "choose another --port, or 0 for a free one"
            raise InputError(Complaint(f"cannot listen on {host}, port {port}: {wrong.strerror}", mend=mend)) from None
    for rule in played.unused() if played is not None else ():
        typer.echo(f"never happened: {line(rule)}", err=True)


def _latency(text: str) -> float | tuple[float, float]:
    least, dash, most = text.partition("-")
    try:
        found = (float(least), float(most) if dash else float(least))
    except ValueError:
        found = (1.0, 0.0)
    # Written so that what is no number ("nan") is refused too.
    if not 0 <= found[0] <= found[1] <= 3600:
        raise InputError(Complaint(f"--latency {text} is no number of seconds", mend="for example 0.2, or 0.05-0.3"))
    return found if dash else found[0]


def _faults(file: Path | None) -> "Faults | None":
    if file is None:
        return None
    from providers.mock import Faults, FaultsError

    try:
        return Faults.load(file)
    except FaultsError as wrong:
        complaints = [
            Complaint(each.text, Place(str(file), each.line, each.column), mend=each.mend) for each in wrong.problems
        ]
        raise InputError(*complaints) from None


@mock_app.command("token")
@grouped
def mock_token(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Whom the identity provider means.")],
    kind: Annotated[
        str, typer.Option("--type", help="jwt, id_token, access_token, refresh_token or saml2.", metavar="TYPE")
    ] = "jwt",
    audience: Annotated[str, typer.Option("--audience", help="Default: that of the only rule.", metavar="URL")] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="Default: that of the only rule.", metavar="URL")] = "",
    expires_in: Annotated[int, typer.Option("--expires-in", help="Seconds.", metavar="SECONDS")] = 300,
    forged: Annotated[bool, typer.Option("--forged", help="Let nobody have signed it.")] = False,
    chosen: Chosen = Chosen(),
) -> None:
    """Print a token of the mock org's identity provider, and nothing else, so that {command: …} may call it."""
    with _mock(chosen) as found:
        say(
            found.subject_token(
                subject, audience=audience, issuer=issuer, token_type=kind, expires_in=expires_in, forged=forged
            )
            + "\n"
        )


@mock_app.command("secret")
@grouped
def mock_secret(
    app: Annotated[str, typer.Argument(metavar="APP", help="An external client app or a connected app.")],
    chosen: Chosen = Chosen(),
) -> None:
    """Print the consumer secret of an app of the mock org, and nothing else, so that {command: …} may call it."""
    with _mock(chosen) as found:
        say(f"{found.consumer(app)[1]}\n")


@mock_app.command("rule")
@grouped
def mock_rule(
    apex_class: Annotated[str, typer.Argument(metavar="CLASS", help="The Apex class of a token exchange handler.")],
    issuer: Annotated[str, typer.Option("--issuer", help="Whose tokens it takes.", metavar="URL")],
    audience: Annotated[str, typer.Option("--audience", help="For whom they must be.", metavar="URL")],
    claim: Annotated[str, typer.Option("--claim", help="What in a token names the user.", metavar="NAME")] = "sub",
    user: Annotated[
        str, typer.Option("--user", help="FederationIdentifier, Username or Email.", metavar="FIELD")
    ] = "FederationIdentifier",
    creates: Annotated[bool, typer.Option("--creates", help="It makes users where its handler may.")] = False,
    chosen: Chosen = Chosen(),
) -> None:
    """Say how the mock org plays an Apex token exchange handler: it runs no Apex."""
    with _mock(chosen) as found:
        found.set_rule(apex_class, issuer=issuer, audience=audience, claim=claim, user=user, creates=creates)
    say(f"{apex_class} is played: {issuer} for {audience}, {claim} is the user's {user}\n", done=True)


@mock_app.command("rules")
@grouped
def mock_rules(chosen: Chosen = Chosen()) -> None:
    """List how the mock org plays Apex token exchange handlers."""
    with _mock(chosen) as found:
        for rule in found.rules():
            creates = ", makes users" if rule.creates else ""
            whose = f"{rule.claim} is the user's {rule.user_field}"
            say(f"{rule.apex_class}: {rule.issuer} for {rule.audience}, {whose}{creates}\n")


def _switch(found: "MockOrg", switches: "Sequence[str]") -> None:
    for given in switches:
        name, _, value = given.partition("=")
        try:
            found.switch(name, json.loads(value))
        except json.JSONDecodeError:
            found.switch(name, value)


@contextmanager
def _mock(chosen: Chosen) -> "Iterator[MockOrg]":
    from providers.mock import MockOrgError, open_org
    from reconciler.cli.workspace import Choices, Workspace

    space = Workspace.open(Choices(chosen.org, chosen.project))
    if space.org.mock is None:
        message = f"{space.org.name} is not a mock org"
        raise InputError(Complaint(message, mend="choose one that has `mock:` in reconciler.yaml"))
    try:
        yield open_org(space.org.mock)
    except MockOrgError as wrong:
        raise InputError(str(wrong)) from None
