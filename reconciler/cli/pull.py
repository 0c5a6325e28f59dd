"""`reconciler pull`: takes what an org has into the files. Arguments in, text out; no logic."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import Asked, LockTimeout, ShownPlainly, grouped, seconds
from reconciler.errors import Complaint, Exit, InputError


@grouped
def pull(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(metavar="ADDRESS", help="What to pull; * and ? fit many. Everything, if not given."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: say what would be written, and exit 2 if anything would.")
    ] = False,
    stubs: Annotated[
        bool,
        typer.Option("--stubs", help="Of what is new write only what is required: the rest is watched, not managed."),
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Of what is new write also what is at its default.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Overwrite also what was edited in the files and not applied yet.")
    ] = False,
    lock_timeout: LockTimeout = "0s",
    shown: ShownPlainly = ShownPlainly(),
    asked: Asked = Asked(),
) -> None:
    """Take what the org has into the files. Writes what no file declares, and fields that drifted; changes no org."""
    from reconciler.adoption.decision import Asked as Wanted
    from reconciler.adoption.writing import Style
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine.pull import pull
    from reconciler.render.json import pull_document
    from reconciler.render.text import pulled

    outputs = shown.outputs()
    if stubs and full:
        raise InputError(Complaint("--stubs and --full contradict each other", mend="leave one of them out"))
    if any(not address.strip() for address in addresses or ()):
        raise InputError(Complaint("an address is empty", mend="write Kind/name, or leave it out for everything"))
    keep_apart(outputs, asked.project)
    with outputs.telling("pull"):
        space = asked.workspace(lock_timeout=seconds(lock_timeout, "--lock-timeout"))
        _make(space.project.desired[0])
        wanted = Wanted(tuple(addresses or ()), Style(full, stubs), overwrite)
        with space.session() as session:
            found = pull(session, space.sources(), wanted, check=check)
    code = outputs.emit(lambda colour: pulled.text(found, colour=colour), lambda: pull_document.pull(found))
    if found.unreadable:
        raise typer.Exit(Exit.NOT_ALLOWED)
    raise typer.Exit(Exit.DIFFERENCES if check and found.anything else code)


def _make(folder: Path) -> None:
    """Make the folder of desired files where there is nothing of that name. Raises InputError."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
    except OSError as wrong:
        message = f"the folder of desired files cannot be made: {wrong.strerror}"
        raise InputError(Complaint(message, mend="make it, or name another one under `desired:`")) from None
