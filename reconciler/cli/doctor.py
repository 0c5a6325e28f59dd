"""`reconciler doctor`: can we work with this org, and if not, what is to be done? Arguments in, text out; no logic."""

from functools import partial

import typer

from reconciler.cli.options import (
    Asked,
    ShownPlainly,
    grouped,
)
from reconciler.errors import InputError


@grouped
def doctor(
    shown: ShownPlainly = ShownPlainly(),
    asked: Asked = Asked(),
) -> None:
    """Say what plan and apply lack in an org. Looks at everything that they need, and says how to mend it; changes
    nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine.doctor import doctor
    from reconciler.model.declared import Snapshot
    from reconciler.project.filling import as_written
    from reconciler.render.json import doctor_document
    from reconciler.render.text import doctor_text

    outputs = shown.outputs()
    keep_apart(outputs, asked.project)
    with outputs.telling("doctor"):
        space = asked.workspace()
        try:
            there = any(one.is_dir() for one in space.folders)
            desired, files = (space.desired() if there else Snapshot({})), True
        except InputError:
            desired, files = Snapshot({}), False
        found = doctor(lambda: space.session(desired=desired), files=files, pinned_version=space.org.api_version)
        found = found.as_written(partial(as_written, space.org))
    code = outputs.emit(
        lambda colour: doctor_text.text(found, colour=colour),
        lambda: doctor_document.json(found),
    )
    raise typer.Exit(found.exit or code)
