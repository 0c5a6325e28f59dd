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
        str, typer.Argument(help="plan, apply, drift, check, doctor, verify or error.", metavar="NAME")
    ] = "plan",
) -> None:
    """Print the JSON Schema of what a command writes as JSON."""
    from reconciler.render.json import schemas

    if name not in schemas.NAMES:
        raise InputError(Complaint(f"there is no schema called {name}", mend=f"one of: {', '.join(schemas.NAMES)}"))
    say(schemas.schema(name))
