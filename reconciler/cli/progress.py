"""Progress of a run on standard error: a live line with the elapsed time on a terminal, plain lines into a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from reconciler.provider import Progress
from reconciler.redaction import redacted
from reconciler.render.words.safe import line


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """Yield a callable that shows the stage that a run is in. Repetitions are shown once; nothing if `quiet`."""
    if quiet:
        yield _silent
    elif sys.stderr is not None and sys.stderr.isatty():
        with _live() as tell:
            yield tell
    else:
        yield _Lines()


def _silent(_: str) -> None:
    """Show no progress."""


class _Lines:
    def __init__(self) -> None:
        self._begun = monotonic()
        self._last = ""

    def __call__(self, stage: str) -> None:
        if stage and stage != self._last:
            self._last = stage
            sys.stderr.write(f"[{monotonic() - self._begun:5.1f} s] {redacted(line(stage))}\n")
            sys.stderr.flush()


@contextmanager
def _live() -> Iterator[Progress]:
    # Loaded only where someone watches: it costs start-up time.
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(stage: str) -> None:
            # A line that moves below a question writes over the answer.
            if not stage:
                bar.stop()
                return
            bar.start()
            bar.update(task, description=redacted(line(stage)))

        yield tell
