"""Recordings on the command line: what `--record` and `--replay` mean together, and `reconciler cassette`. No logic."""
# ruff: noqa: PLC0415, B006 (imports are lazy; typer reads the defaults)

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.errors import Complaint, Exit, InputError
from reconciler.options import AsJson, PlainOutput
from reconciler.output import PLAIN, Outputs, writable

if TYPE_CHECKING:
    from reconciler.workspace import Record


def recorded_to(
    record: Path | None,
    replay: Path | None,
    scrub: Sequence[str],
    key: str | None,
    *,
    asks_org: bool = True,
    validate: bool = False,
) -> "Record | None":
    """What the options for recordings mean together. Raises InputError where they contradict each other."""
    from reconciler.workspace import Record

    if record is not None and replay is not None:
        raise InputError("--record and --replay: a replay has nothing to record")
    if (record is not None or replay is not None) and not asks_org:
        raise InputError("--record and --replay are about an org: with check they go with --live")
    if replay is not None and validate:
        raise InputError(
            Complaint(
                "--validate lets the org check the plan, and with --replay there is none", mend="leave one of them out"
            )
        )
    parts = [part.strip() for one in scrub for part in one.split(",")]
    if not all(parts):
        raise InputError(
            Complaint("--scrub names nothing between two commas", mend="write --scrub emails,certificates")
        )
    what = frozenset(parts)
    if record is None:
        if what or key:
            raise InputError("--scrub and --scrub-key go with --record")
        return None
    writable(record)
    return Record(record, what, key or "")


def cassette(
    file: Annotated[Path, typer.Argument(help="A file that --record wrote.", metavar="FILE")],
    output: PlainOutput = [],
    as_json: AsJson = False,
) -> None:
    """Look through a recording. Shows its age, its calls, and anything in it that looks like a secret (then exit 2)."""
    from providers.salesforce.tape.inspecting import inspect
    from reconciler.overwriting import keep_apart
    from reconciler.render import cassette as shown

    outputs = Outputs.of(output, PLAIN, as_json=as_json)
    keep_apart(outputs, None, given={"the recording": file})
    with outputs.telling("cassette"):
        found = inspect(file)
    summary = shown.Cassette(
        str(file),
        found.bytes,
        found.head.recorded_at,
        found.head.org_id,
        found.head.api_version,
        found.head.reconciler_version,
        found.head.scrub,
        found.head.scrubbed,
        found.head.classes,
        found.head.secret_ages,
        tuple((name, number, found.sizes[name]) for name, number in found.calls.items()),
        tuple((one.where, one.what) for one in found.suspicions),
    )
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    code = outputs.emit(lambda colour: shown.text(summary, now, colour=colour), lambda: shown.json(summary, now))
    raise typer.Exit(Exit.DIFFERENCES if found.suspicions else code)
