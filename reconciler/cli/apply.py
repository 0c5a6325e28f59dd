"""`reconciler apply`: makes the org equal to the files. Arguments in, text out; no logic."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.asking import is_confirmed, org_in_words, refuse_unasked
from reconciler.cli.counting import severity
from reconciler.cli.options import (
    Asked,
    LockTimeout,
    Requested,
    Shown,
    StopOn,
    grouped,
    seconds,
)
from reconciler.cli.output import colour, read
from reconciler.errors import Exit, InputError

if TYPE_CHECKING:
    from reconciler.model.changes import Plan


Allow = Annotated[
    list[str],
    typer.Option(
        "--allow", help="Lift a guard by name: delete, replace, takeover, protected. Repeatable.", metavar="GUARD"
    ),
]


@grouped
def apply(
    saved: Annotated[Path | None, typer.Argument(help="A plan that was saved by plan --out.", metavar="[PLAN]")] = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", "-y", help="Do not ask.")] = False,
    allow: Allow = [],
    requested: Requested = Requested(),
    resume: Annotated[bool, typer.Option("--resume", help="Carry on the apply that was cut off.")] = False,
    shown: Shown = Shown(),
    fail_on: StopOn = "high",
    lock_timeout: LockTimeout = "0s",
    asked: Asked = Asked(),
) -> None:
    """Make the org equal to the files. Applies a plan that was saved, or a fresh one after yes."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import apply
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.json.saved import read_plan
    from reconciler.render.text import outcome, plain

    outputs, least = shown.outputs(asked), severity(fail_on)
    wait = seconds(lock_timeout, "--lock-timeout")
    keep_apart(outputs, asked.project, given={"the saved plan": saved})

    def confirm(made: "Plan") -> bool:
        if saved is not None or auto_approve:
            return True
        return is_confirmed(plain.plan(made, colour=colour(sys.stderr)), f"Apply this to {org_in_words(made.org)}?")

    with outputs.telling("apply"):
        if resume and (saved or requested.anything):
            raise InputError(
                "--resume carries on what was asked for then: it takes no plan, target, replace or destroy"
            )
        reviewed = None
        if saved is not None:
            reviewed = read_plan(read(saved, "make one with: reconciler plan --out FILE"), str(saved))
        if reviewed is None:
            request = requested.request()
        elif requested.anything:
            raise InputError("a saved plan already says what it is for: --target, --replace and --destroy go with plan")
        else:
            request = Requested(list(reviewed.targets), list(reviewed.replaced), reviewed.destroy).request()
        space = asked.workspace(allow=tuple(allow), fail_on=least, lock_timeout=wait)
        if reviewed is None and not auto_approve and not resume:
            # Reading a large org takes minutes; what was approved before it was cut off is not asked for again.
            refuse_unasked()
        with space.session() as session:
            result = apply.apply(session, request, saved=reviewed, resume=resume, confirm=confirm)
    code = outputs.emit(
        lambda colour: outcome.apply_result(result, colour=colour),
        lambda: documents.apply_result(result),
        lambda: report.of_apply(result),
        acted=True,
    )
    if result.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    error = apply.failed(result)
    if error is not None and result.unread:
        raise error
    raise typer.Exit(error.exit if error is not None else code)
