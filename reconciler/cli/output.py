"""Where results go: `--output FORMAT[=FILE]`, several at once. What is not a result goes to standard error."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import files
from reconciler.cli.streams import READER_LEFT, lost
from reconciler.errors import Complaint, Exit, InputError, ReconcilerError
from reconciler.files import FileError
from reconciler.model.formats import FORMATS, PLAIN
from reconciler.redaction import redacted

if TYPE_CHECKING:
    from reconciler.render.report import Report

MOST_BYTES = 200 * 1024 * 1024
"""A saved plan or a report of more bytes is not read."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The formats that were asked for, and the file of each (`None`: standard output)."""

    sinks: tuple[tuple[str, Path | None], ...]
    whose: str = ""
    """Which org and project the command was asked about: known before anything is read, so the same if that fails."""

    @classmethod
    def of(
        cls, given: Sequence[str], formats: Sequence[str] = tuple(FORMATS), *, as_json: bool = False, whose: str = ""
    ) -> "Outputs":
        """Read the values of `--output`: `text`, `json=plan.json` … Raises InputError for what is no format and for what
        cannot be written.

        `as_json` is JSON on standard output, too.
        """
        sinks: list[tuple[str, Path | None]] = []
        wanted = [*given, "json"] if as_json and "json" not in given else given
        for one in wanted or ["text"]:
            form, equals, file = one.partition("=")
            if form not in formats:
                from reconciler.errors import suggestion

                mend = suggestion(form, formats) or f"one of: {', '.join(formats)}"
                raise InputError(Complaint(f"--output {one}: no such format", mend=mend))
            if equals and not file.strip():
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
        return cls(tuple(sinks), whose)

    @contextmanager
    def telling(self, command: str, *, keep: Path | None = None) -> Iterator[None]:
        """Write an error that stops the command in the formats for machines too.

        Else a pipeline would show yesterday's file. As text it goes to standard error. The file `keep` is left as it is: the
        next run compares with it. After Ctrl-C it is said what goes on without us.
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
                from reconciler.render import report
                from reconciler.render.json import documents

                stopped = report.of_error(command, error)
                told = documents.complaints(error)
                Outputs(sinks, self.whose).emit(lambda _: "", lambda: told, lambda: stopped)
            raise

    def emit(
        self,
        text: Callable[[bool], str],
        json: Callable[[], str],
        report: "Callable[[], Report] | None" = None,
        *,
        acted: bool = False,
    ) -> int:
        """Write every format. `text` gets whether colour is wanted; the others are made from `report`.

        What cannot be written stops none of the others. A result that arrives nowhere is said as text on standard error;
        but for a reader who left (`| head`), which is his good right, unless the command has `acted`: then what it did
        must be said. Returns the exit code of a command that has no worse one: not 0 if a file is missing that was asked
        for. Standard output is no such file: plan and drift answer by their exit code, too.
        """
        made: Report | None = None
        problems: list[str] = []
        arrived = False
        code = Exit.OK
        for form, file in self.sinks:
            if form in PLAIN:
                content = text(file is None and colour(sys.stdout)) if form == "text" else json()
            elif report is not None:
                made = made or report()
                content = _page(form, made, self.whose)
            if file is None:
                problem = _said(_in_encoding(content if content.endswith("\n") else content + "\n", form))
                if problem and (acted or problem != READER_LEFT):
                    problems.append(f"standard output cannot be written: {problem}")
                arrived |= not problem or not (acted or problem != READER_LEFT)
            else:
                problem = write(file, content)
                if problem:
                    problems.append(problem)
                    code = Exit.FAILED
                arrived |= not problem
        for problem in problems:
            sys.stderr.write(f"{redacted(problem)}\n")
        if problems and not arrived:
            shown = text(colour(sys.stderr))
            sys.stderr.write(redacted(shown if not shown or shown.endswith("\n") else f"{shown}\n"))
        return code


def _in_encoding(content: str, form: str) -> str:
    """Return XML and HTML in pure ASCII where standard output is not UTF-8, because they declare UTF-8.

    JSON is ASCII always; of the texts for people, the stream replaces what cannot be written.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    if not FORMATS[form].marked_up or encoding in ("utf-8", "utf8"):
        return content
    return content.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _page(form: str, report: "Report", whose: str) -> str:
    from reconciler.render.pages import page_of

    page = page_of(form)
    return page(report, run_of_pipeline(os.environ), whose) if form == "markdown" else page(report)


def asked_about(org: str | None, project: Path | None) -> str:
    """The org and the project as they were named on the command line: `prod`, `default`, `prod:teams/idp`."""
    return ":".join([org or "default", *([str(project)] if project is not None else [])])


def run_of_pipeline(environ: Mapping[str, str]) -> str:
    """The URL of the CI run that this process is part of, on GitHub or GitLab; empty elsewhere."""
    if environ.get("GITHUB_ACTIONS") == "true":
        parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else ""
    return environ.get("CI_JOB_URL", "") if environ.get("GITLAB_CI") == "true" else ""


def say(content: str, *, done: bool = False) -> None:
    """Write to standard output; what was already `done` goes to standard error if standard output is closed.

    Raises ReconcilerError where nothing was done and nothing arrives: then the text is all that was asked for.
    """
    problem = _said(content)
    if done:
        _instead(problem, content)
    elif problem and problem != READER_LEFT:
        raise ReconcilerError(f"standard output cannot be written: {problem}")


def _said(content: str) -> str:
    """Write to standard output, and return why that did not arrive; an empty text if it did."""
    stream = sys.stdout
    if not lost(stream):
        stream.write(redacted(content))
        stream.flush()
    return lost(stream)


def _instead(problem: str, content: str) -> None:
    if problem:
        sys.stderr.write(f"standard output cannot be written: {problem}\n{redacted(content)}")


def writable(file: Path) -> None:
    """Check that the files can be written, before anything is done: an apply whose report is lost is hard to explain.
    Raises InputError."""
    try:
        files.refuse_unwritable(file)
    except FileError as wrong:
        raise InputError(Complaint(f"{file} {wrong.problem}", mend=wrong.mend)) from None


def write(file: Path, content: str) -> str:
    """Write a file in UTF-8, and return why that went wrong, in words; an empty text if it did not."""
    try:
        files.write(file, redacted(content))
    except FileError as wrong:
        return f"{file} {wrong.problem}"
    return ""


def read(file: Path, missing: str = "") -> str:
    """Read a saved plan, or an earlier report; `missing` says how to make one. Raises InputError."""
    try:
        return files.text(files.read(file, MOST_BYTES, from_shell=True))
    except FileError as wrong:
        near = files.nearest(file) if wrong.missing else ""
        mend = "; ".join(part for part in (near, missing if wrong.missing else wrong.mend) if part)
        raise InputError(Complaint(f"{file} {wrong.problem}", mend=mend)) from None


def colour(stream: object) -> bool:
    """Whether colours are shown at the other end: a terminal, or a log whose reader says so with FORCE_COLOR.

    NO_COLOR goes before it (https://no-color.org, https://force-color.org: an empty one counts as not there)."""
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR", "")
    if forced:
        return forced.lower() not in ("0", "false")
    return bool(getattr(stream, "isatty", bool)()) and os.environ.get("TERM") != "dumb"
