"""Where results go: `--output FORMAT[=FILE]`, several at once. What is not a result goes to standard error."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from reconciler.errors import Complaint, InputError, ReconcilerError
from reconciler.redaction import redacted

if TYPE_CHECKING:
    from reconciler.render.report import Report

PLAIN = ("text", "json")
FORMATS = (*PLAIN, "markdown", "sarif", "junit", "html", "graph", "dot")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The formats that were asked for, and the file of each (`None`: standard output)."""

    sinks: tuple[tuple[str, Path | None], ...]

    @classmethod
    def of(cls, given: Sequence[str], formats: Sequence[str] = FORMATS) -> "Outputs":
        """`text`, `json=plan.json` … Raises InputError for what is no format and for what cannot be written."""
        sinks: list[tuple[str, Path | None]] = []
        for one in given or ["text"]:
            form, equals, file = one.partition("=")
            if form not in formats:
                from reconciler.kind import suggestion

                mend = suggestion(form, formats) or f"one of: {', '.join(formats)}"
                raise InputError(Complaint(f"--output {one}: no such format", mend=mend))
            if equals and not file:
                # An empty variable of a pipeline: a page of HTML in its log is not what was meant.
                raise InputError(Complaint(f"--output {one}: no file is named", mend=f"write {form}=FILE, or {form}=-"))
            path = Path(file) if file not in ("", "-") else None
            if path is not None:
                writable(path)
            sinks.append((form, path))
        for path in {path for _, path in sinks}:
            if sum(other == path for _, other in sinks) > 1:
                where = f"the file {path}" if path is not None else "standard output"
                mend = "give each but one a file of its own, like --output json=FILE"
                raise InputError(Complaint(f"--output: two formats go to {where}", mend=mend))
        return cls(tuple(sinks))

    @contextmanager
    def telling(self, command: str, *, keep: Path | None = None) -> Iterator[None]:
        """What stops the command is told in the formats for machines too: a pipeline that finds no file, or the one of
        yesterday, shows nothing where people look. As text it goes to standard error, as always.

        The file `keep` is left as it is: the next run compares with it. Whoever interrupts is told what goes on without us.
        """
        try:
            yield
        except KeyboardInterrupt as impatient:
            if impatient.args:
                sys.stderr.write(f"{impatient}\n")
            raise
        except ReconcilerError as error:
            kept = keep.absolute() if keep is not None else None
            sinks = tuple(
                (form, file)
                for form, file in self.sinks
                if form != "text" and (file is None or file.absolute() != kept)
            )
            if sinks:
                from reconciler.render import json_plan, report

                stopped = report.of_error(command, error)
                told = json_plan.complaints(error)
                Outputs(sinks).emit(lambda _: "", lambda: told, lambda: stopped)
            raise

    def emit(
        self,
        text: Callable[[bool], str],
        json: Callable[[], str],
        report: "Callable[[], Report] | None" = None,
    ) -> None:
        """Write every format. `text` is told whether colour is wanted; the others are made from `report`."""
        made: Report | None = None
        for form, file in self.sinks:
            if form in PLAIN:
                content = text(file is None and colour(sys.stdout)) if form == "text" else json()
            elif report is not None:
                made = made or report()
                content = _page(form, made)
            if file is None:
                say(content if content.endswith("\n") else content + "\n")
            else:
                write(file, content)


def _page(form: str, report: "Report") -> str:
    from reconciler.render import graph, html, junit, markdown, sarif

    pages: dict[str, Callable[[Report], str]] = {
        "markdown": markdown.page,
        "sarif": sarif.page,
        "junit": junit.page,
        "html": html.page,
        "graph": graph.mermaid,
        "dot": graph.dot,
    }
    return pages[form](report)


def say(content: str) -> None:
    """Write to standard output. Raises ReconcilerError where it cannot be written."""
    # Python has none at all where it was closed before the start.
    if getattr(sys, "stdout", None) is None:
        raise ReconcilerError("standard output cannot be written: it is closed")
    try:
        sys.stdout.write(redacted(content))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): that is its good right, and changes nothing of what was done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as wrong:
        raise ReconcilerError(f"standard output cannot be written: {wrong.strerror}") from None


class _Guarded:
    """A stream without the secrets that are held: for those who write past us."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for one in lines:
            self.write(one)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guarded(stream: TextIO) -> TextIO:
    """The stream, with every secret taken out of what is written to it at once; what there is none of stays as it is."""
    return cast(TextIO, _Guarded(stream)) if stream is not None else stream


def writable(file: Path) -> None:
    """Said before anything is done: an apply whose report is lost is hard to explain. Raises InputError."""
    if not file.parent.is_dir() or file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError(Complaint(f"{file} cannot be written", mend="name a file in a folder that exists"))


def write(file: Path, content: str) -> None:
    """Raises InputError."""
    try:
        file.write_text(redacted(content), encoding="utf-8")
    except OSError as wrong:
        raise InputError(f"{file} cannot be written: {wrong.strerror}") from None


def read(file: Path) -> str:
    """Raises InputError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{file} cannot be read: {getattr(wrong, 'strerror', None) or 'not text in UTF-8'}") from None


def colour(stream: object) -> bool:
    """Whether a terminal that shows colours is at the other end."""
    return bool(getattr(stream, "isatty", bool)()) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
