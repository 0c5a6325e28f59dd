"""`reconciler explain` and `reconciler schema`: what an id, a field, a guard or our JSON means."""

from typing import Annotated

import typer

from reconciler.cli.output import say
from reconciler.errors import Complaint, InputError


def explain(
    name: Annotated[
        str, typer.Argument(help="A finding's id, Kind, Kind.field, a guard or an exit code.", metavar="NAME")
    ],
) -> None:
    """Explain a rule, a field, a guard or an exit code. Names its source."""
    from reconciler.render.explanations import explain as explained

    say(explained(name))


def schema(
    name: Annotated[
        str,
        typer.Argument(
            help="plan, apply, drift, pull, compare, check, doctor, verify or error; or desired or project, for editors.",
            metavar="NAME",
        ),
    ] = "plan",
) -> None:
    """Print the JSON Schema of what a command writes as JSON, or of the files that it reads."""
    from reconciler.project import editor_schema
    from reconciler.render.json import desired_schema, schemas

    if name in ("desired", "project"):
        say(desired_schema.schema() if name == "desired" else editor_schema.schema())
        return
    if name not in schemas.NAMES:
        known = ", ".join((*schemas.NAMES, "desired", "project"))
        raise InputError(Complaint(f"there is no schema called {name}", mend=f"one of: {known}"))
    say(schemas.schema(name))
