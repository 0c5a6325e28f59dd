"""The `mock` commands: an org of one's own on this machine, looked at and edited as an admin in Setup would."""

import gc
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.errors import Complaint, InputError
from reconciler.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from providers.mock import Org as MockOrg

mock_app = typer.Typer(
    help="The mock org: an org of your own, on this machine.", no_args_is_help=True, rich_markup_mode=None
)
OrgName = Annotated[
    str, typer.Option("--org", help="Org of reconciler.yaml; default: its default_org.", metavar="NAME")
]
ProjectFile = Annotated[
    Path | None,
    typer.Option("--project", help="The project file; default: reconciler.yaml here or above.", metavar="FILE"),
]
Switch = Annotated[
    list[str],
    typer.Option(
        "--switch",
        help="Choose a behaviour of the org, e.g. allow_connected_app_creation=true; providers/mock/README.md lists them.",
        metavar="NAME=VALUE",
    ),
]


@mock_app.command("users")
def mock_users(org: OrgName = "", project: ProjectFile = None) -> None:
    """List who there is in the mock org."""
    with _mock(org, project) as found:
        for user in found.users():
            state = "active" if user.is_active else "inactive"
            kind = ", API only" if user.is_api_only else ""
            say(f"{user.username:32} {user.name:24} {user.profile} ({state}{kind})\n")


@mock_app.command("set")
def mock_set(
    target: Annotated[str, typer.Argument(metavar="ADDRESS")],
    changes: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE…")],
    as_user: Annotated[str, typer.Option("--as", help="Who does it; `mock users` lists them.", metavar="USERNAME")],
    delegate: Annotated[
        str, typer.Option("--delegate", help="Who had logged in as that user.", metavar="USERNAME")
    ] = "",
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Change a record of the mock org as an admin in Setup would."""
    pairs: dict[str, str | None] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not name:
            raise InputError(Complaint(f"{change!r} is not FIELD=VALUE", mend="for example isPkceRequired=false"))
        pairs[name] = value
    with _mock(org, project) as found:
        found.set(target, pairs, as_user=as_user, delegate=delegate or None)
    say(f"{as_user} changed {', '.join(pairs)} of {target}\n")


@mock_app.command("reset")
def mock_reset(switch: Switch = [], org: OrgName = "", project: ProjectFile = None) -> None:
    """Make a new mock org, with a new id, in place of the old one."""
    with _mock(org, project) as found:
        _switch(found, switch)
        found.reset()
        say(f"new org {found.org_id} ({found.name})\n")


@mock_app.command("audit")
def mock_audit(org: OrgName = "", project: ProjectFile = None) -> None:
    """Show the mock org's Setup audit trail, newest first."""
    with _mock(org, project) as found:
        for row in found.audit():
            beside = f"   ({row.delegate_user} had logged in as that user)" if row.delegate_user else ""
            say(f"{row.created_date}  {row.created_by:28} {row.display}{beside}\n")


@mock_app.command("serve")
def mock_serve(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.", min=0, max=65535)] = 0,
    switch: Switch = [],
    host: Annotated[str, typer.Option("--host", help="Loopback only.", metavar="ADDRESS")] = "127.0.0.1",
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Serve the mock org over HTTP on loopback, until Ctrl-C."""
    from providers.mock import serve

    gc.enable()
    with _mock(org, project) as found:
        _switch(found, switch)

        def ready(url: str) -> None:
            say(f"serving {found.name} ({found.org_id}) at {url}\naccess token: {found.access_token()}\n")

        try:
            serve(found, host, port, ready=ready)
        except ValueError as wrong:
            raise InputError(str(wrong)) from None


def _switch(found: "MockOrg", switches: "Sequence[str]") -> None:
    for given in switches:
        name, _, value = given.partition("=")
        try:
            found.switch(name, json.loads(value))
        except json.JSONDecodeError:
            found.switch(name, value)


@contextmanager
def _mock(org: str, project: Path | None) -> "Iterator[MockOrg]":
    from providers.mock import MockOrgError, open_org
    from reconciler.workspace import Choices, Workspace

    space = Workspace.open(Choices(org, project))
    if space.org.mock is None:
        message = f"{space.org.name} is not a mock org"
        raise InputError(Complaint(message, mend="choose one that has `mock:` in reconciler.yaml"))
    try:
        yield open_org(space.org.mock)
    except MockOrgError as wrong:
        raise InputError(str(wrong)) from None
