"""`reconciler baseline …`: what we manage, and what we last applied. Arguments in, text out; no logic."""

from typing import Annotated

import typer

from reconciler.cli.options import (
    Asked,
    LockTimeout,
    ShownPlainly,
    grouped,
    seconds,
)
from reconciler.cli.output import say

baseline_app = typer.Typer(
    help="What we manage, and what we last applied.", no_args_is_help=True, rich_markup_mode=None
)


@baseline_app.command("list")
@grouped
def baseline_list(
    shown: ShownPlainly = ShownPlainly(),
    asked: Asked = Asked(),
) -> None:
    """List what we manage in the org."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import baseline
    from reconciler.render.json import baseline_document
    from reconciler.render.text import plain

    outputs = shown.outputs()
    keep_apart(outputs, asked.project)
    space = asked.workspace()
    with space.session(files=False) as session:
        found = baseline.baseline(session)
    raise typer.Exit(
        outputs.emit(
            lambda colour: plain.baseline_list(found, alias=space.org.name, colour=colour),
            lambda: baseline_document.baseline(found, space.org.name),
        )
    )


@baseline_app.command("show")
@grouped
def baseline_show(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS")],
    shown: ShownPlainly = ShownPlainly(),
    asked: Asked = Asked(),
) -> None:
    """Show what we last applied for a resource."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import baseline
    from reconciler.render.json import baseline_document
    from reconciler.render.text import plain

    outputs, only = shown.outputs(), [baseline.typed_address(a) for a in addresses]
    keep_apart(outputs, asked.project)
    space = asked.workspace()
    with space.session(files=False) as session:
        found = baseline.baseline(session, only)
    raise typer.Exit(
        outputs.emit(
            lambda colour: plain.baseline_show(found, alias=space.org.name, colour=colour),
            lambda: baseline_document.baseline(found, space.org.name),
        )
    )


@baseline_app.command("accept")
@grouped
def baseline_accept(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS[.FIELD]")],
    lock_timeout: LockTimeout = "0s",
    asked: Asked = Asked(),
) -> None:
    """Take what the org has now as what should be: its drift is no longer reported. `*` and `?` fit many addresses."""
    from reconciler.engine import baseline
    from reconciler.render.words.safe import line

    chosen = []
    for given in addresses:
        head, dot, path = given.rpartition("/")[2].partition(".")
        prefix = given.rpartition("/")[0]
        chosen.append((f"{prefix}/{head}" if prefix else head, path if dot else ""))
    wait = seconds(lock_timeout, "--lock-timeout")
    space = asked.workspace(lock_timeout=wait)
    with space.session(files=False) as session:
        accepted = baseline.accept(session, chosen)
    say("".join(f"accepted {line(one)}\n" for one in accepted), done=True)


@baseline_app.command("forget")
@grouped
def baseline_forget(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS")],
    lock_timeout: LockTimeout = "0s",
    asked: Asked = Asked(),
) -> None:
    """Give resources up: they stay in the org, and we no longer own them."""
    from reconciler.engine import baseline
    from reconciler.render.words.safe import line

    chosen = [baseline.typed_address(a) for a in addresses]
    wait = seconds(lock_timeout, "--lock-timeout")
    space = asked.workspace(lock_timeout=wait)
    with space.session(files=False) as session:
        given_up = baseline.forget(session, chosen)
    say("".join(f"forgot {line(str(one))}\n" for one in given_up), done=True)
