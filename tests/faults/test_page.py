"""docs/failures.md is made from the table that the matrix asserts. `make docs` writes it anew."""

import os
from pathlib import Path

from tests.faults.expected import FINE, ROWS, UNKNOWN, End, Row

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"
HEAD = """\
# When something fails

What `plan`, `drift` and `apply` do when the network, the org or something between them fails, and what you do then. The
table is made from what is tested: each of these failures at each call of each command (`make faults`).

Three promises hold in every row. The org is as before or as after: a step lands as a whole or not at all. Nothing is
deployed twice: a deployment whose answer is lost is looked for in the org's list, for a minute, and never sent again on a
guess. And the next run puts right what this one left: it first finds out what became of the last deployment.

| what happens | we | a call that reads | the call that deploys | you |
|---|---|---|---|---|
"""
TAIL = """
*Fine* means that the command ends as if nothing had happened. *Found* is a deployment that the org has taken: its end is
waited for. Where a call that follows a deployment fails for good, `apply` ends with exit 6 and the step is listed as
unknown; where everything landed and cannot be read back, with exit 1, and the baseline holds what was sent. A command that
only asks *who* changed something, or whether a user exists, goes on where the org refuses to tell, and says what is not
known. Pauses grow and are spread by chance; all troubles of a run together get 15 minutes, all waiting two hours.

## An apply that did not end well

| it ends with | which means | you |
|---|---|---|
| exit 1, 4 or 5, and no list of steps | nothing was sent | mend what is named, apply again |
| exit 6, `not landed` | the org did nothing, or undid it | mend what is named, apply again |
| exit 6, `unknown` | sent, and nobody could tell what became of it | `apply --resume` when the org answers again |
| exit 1, `Deployment: landed`, and `FILE cannot be written` | it is done, and its report is not | make room; the result stands on standard error |
| exit 1, `everything landed, and could not be read back` | it is done | apply again: it reads the org and finishes the baseline |
| exit 7 | landed, and the org holds something else than was sent, or others changed it meanwhile | read what is left, and who it was; `drift` goes on telling it |
| exit 130, or killed | see below | `apply --resume` |

**Ctrl-C, a terminal that is closed, or SIGTERM from a CI runner:** the deployment is cancelled in the org and its last word waited for, two minutes at
most; the steps are listed as they then are. A second Ctrl-C leaves it in the org as it is. What a script starts with `&`, or `nohup` starts, ignores Ctrl-C, as every
program there does: send it SIGTERM.

**Killed, or the machine died:** before anything is sent a journal is written beside the baseline, with no secret in it. The
next `apply` finds it, asks the org what became of the deployment, waits for it if it still runs, and writes what landed into
the baseline; then it plans anew. `apply --resume` besides does what was left to do, without asking again for what somebody
had said yes to; it refuses (exit 4) if the files have changed since, or if there is nothing to carry on. Running the job once
more with the same saved plan does the same. `plan` and `drift` change nothing, and can be killed at any time.

**A queue that stands still:** after an hour we stop waiting, and the org goes on. `apply --resume` waits for it again; or cancel
it in Setup, Deployment Status, and then `apply --resume`.

## When others work in the org at the same time

Right before a deployment is sent the org is read for the last time; whatever takes time (the zip, secrets, the list of
deployments) is done before that. If a record that the plan touches has moved, nothing is sent (exit 4).

A deployment of others that is under way is waited for, ten minutes at most: what it holds is not known before it has ended,
so each one that may change the org counts. Then the org is read again. If it does not end, nothing is sent (exit 4), and its
owner, its id and since when it runs are named. A validation is not waited for.

An edit that comes between that last look and the deployment cannot be kept: the record is replaced whole. After the apply
the audit trail is asked who touched a record that was sent, from its last look on (by the org's clock). It is told with the
user, the time and the entry's words (`drift.undone`), and the apply ends with exit 7. Ask that user what was changed; declare
it, or set it once more in Setup. Deployments of others that were queued behind ours are waited for before the org is read
back, so "Applied" is not said of a value that is gone; whose it is now is named. Where the org does not show its audit trail
or its deployments, nothing of this is told.

## When nothing can be written

A log collector that goes away, a full disk or a closed stream stops nothing: an apply is carried to its end, and `plan` and
`drift` keep their exit code. What standard output does not take is told on standard error; of a reader who has seen enough
(`plan | head`) nothing is said. An error that standard error does not take is told on standard output, if no result stands
there. With standard input closed there is nobody to ask: `apply` without `--auto-approve` ends with exit 4.

A file of `--output` that cannot be written stops none of the others, and makes exit 1 of exit 0. A plan that `--out` could
not save is always exit 1.

Files are UTF-8. A terminal or a pipe may be something else (cp1252 on Windows): arrows and the like become `->`, any other
character that it lacks is written as its number, such as `\\u0142`; XML and HTML are written in ASCII there.
"""


def page() -> str:
    return HEAD + "".join(f"| {' | '.join(_cells(row))} |\n" for row in ROWS) + TAIL


def _cells(row: Row) -> tuple[str, ...]:
    only_deploys = all(way.on == "deploying" for way in row.ways)
    only_reads = all(way.on == "zip" for way in row.ways)
    reading = "–" if only_deploys else _ends(row.reading)
    return row.happens, row.we, reading, "–" if only_reads else _deploying(row), row.you or "nothing"


def _deploying(row: Row) -> str:
    can_be_done = any(way.done for way in row.ways)
    found = _ends(row.done if can_be_done else row.sending)
    return f"found: fine; else {_ends(row.sending)}" if can_be_done and row.sending != row.done else found


def _ends(ends: tuple[End, End]) -> str:
    once, for_ever = (end.value if end is not FINE else "fine" for end in ends)
    return once if once == for_ever else f"{once}; if it stays, {for_ever}"


def test_the_page_says_what_is_tested() -> None:
    """Somebody who reads it at night with a red pipeline."""
    if os.environ.get("REWRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")

    assert page() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_whoever_reads_unknown_is_told_what_to_do() -> None:
    """The only end that leaves somebody with a question."""
    assert UNKNOWN.value == "exit 6, unknown"
    assert "`unknown`" in page()
    assert [] == [row.happens for row in ROWS if row.reading[1] is not FINE and not (row.says and row.you and row.we)]
