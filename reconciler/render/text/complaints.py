"""Errors as text for people: the message, the line of the file that it is about, and what to do."""

from collections.abc import Iterator

from reconciler.errors import Complaint, Place, ReconcilerError
from reconciler.render.words.paint import Paint
from reconciler.render.words.safe import line, page

_SNIPPET = 160


def complaints(error: ReconcilerError, *, colour: bool = False) -> str:
    """An error as text for stderr: place, message, source line with a caret, what to do, Salesforce's own words."""
    paint = Paint(colour)
    return page(text for complaint in error.complaints for text in complaint_lines(complaint, paint))


def complaint_lines(complaint: Complaint, paint: Paint) -> Iterator[str]:
    where = f"{paint(line(complaint.place), 'bold')}: " if complaint.place is not None else paint("error: ", "red")
    yield f"{where}{line(complaint.message)}"
    if complaint.place is not None:
        yield from _snippet(complaint.place, paint)
    if complaint.also is not None:
        yield f"  also at {line(complaint.also)}"
        yield from _snippet(complaint.also, paint)
    if complaint.mend:
        first, *more = complaint.mend.splitlines()
        yield f"  mend: {line(first)}"
        yield from (f"    {line(text)}" for text in more)
    if complaint.quote:
        yield f"  Salesforce: {line(complaint.quote)}"


def _snippet(place: Place, paint: Paint) -> Iterator[str]:
    """The source line, and a caret below the column. Of a very long line, the part around the column."""
    source = place.snippet.rstrip("\r\n")
    if not source.strip():
        return
    # Cut at the left if the column is far out; keep the line's own indentation otherwise, it is part of YAML.
    start = max(0, place.column - _SNIPPET // 2) if len(source) > _SNIPPET else 0
    yield f"    {line(source[start:], _SNIPPET)}"
    if place.column:
        yield f"    {' ' * len(line(source[start : place.column - 1]))}{paint('^', 'red')}"
