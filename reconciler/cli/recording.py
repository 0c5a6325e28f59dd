"""What `--record` and `--replay` mean together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.output import writable
from reconciler.errors import Complaint, InputError

if TYPE_CHECKING:
    from reconciler.cli.workspace import Record


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
    from reconciler.cli.workspace import Record

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
