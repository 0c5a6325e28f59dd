"""`reconciler doctor`: can we work with this org, and if not, what is to be done? Arguments in, text out; no logic."""

from functools import partial

import typer

from reconciler.cli.options import AllowCommands, AsJson, OrgName, PlainOutput, ProjectFile, Quiet, Verbose
from reconciler.cli.output import PLAIN, Outputs
from reconciler.errors import InputError


def doctor(
    output: PlainOutput = [],
    as_json: AsJson = False,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Say what plan and apply lack in an org. Looks at everything that they need, and says how to mend it; changes nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.cli.workspace import Choices, Workspace
    from reconciler.engine.doctor import examine
    from reconciler.model.declared import Snapshot
    from reconciler.project.file import as_written
    from reconciler.render.json import doctor_document
    from reconciler.render.text import diagnoses

    outputs = Outputs.of(output, PLAIN, as_json=as_json)
    keep_apart(outputs, project)
    with outputs.telling("doctor"):
        space = Workspace.open(Choices(org, project, allow_commands=allow_commands, quiet=quiet, verbose=verbose))
        try:
            desired, files = (space.desired() if space.project.desired.is_dir() else Snapshot({})), True
        except InputError:
            desired, files = Snapshot({}), False
        found = examine(lambda: space.session(desired=desired), files=files, pinned_version=space.org.api_version)
        found = found.as_written(partial(as_written, space.org))
    code = outputs.emit(
        lambda colour: diagnoses.text(found, colour=colour),
        lambda: doctor_document.json(found),
    )
    raise typer.Exit(found.exit or code)
