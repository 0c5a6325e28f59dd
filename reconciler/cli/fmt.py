"""`reconciler fmt`: brings desired files into canonical form. Arguments in, text out; no logic."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import ProjectFile
from reconciler.errors import Exit


def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Desired files, or folders of them; all of the project, if not given."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: name what is not in canonical form, and exit 2.")
    ] = False,
    project: ProjectFile = None,
) -> None:
    """Bring desired files into canonical form. Keys in Salesforce's order, two blanks a level; comments stay."""
    import os

    from reconciler.cli.output import say
    from reconciler.desired.canonical import changed, rewritten
    from reconciler.project.file import load_project
    from reconciler.render.words.safe import line

    found = load_project(project, environment=os.environ)
    folders = [*found.desired, *found.apart]
    files = changed(folders, found.root, [path.resolve() for path in paths or ()])
    if not check:
        rewritten(found.root, files)
    words = "is not in canonical form" if check else "written"
    total = f"{len(files):,} file{'' if len(files) == 1 else 's'}"
    last = f"{total} to be written" if check and files else f"{total} written" if files else "nothing to do"
    say("".join(f"{line(name)}: {words}\n" for name in sorted(files)) + f"Fmt: {last}.\n", done=not check)
    raise typer.Exit(Exit.DIFFERENCES if check and files else Exit.OK)
