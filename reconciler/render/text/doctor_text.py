"""What `doctor` found, as text for people."""

from collections.abc import Iterator

from reconciler.doctor import DoctorEntry, DoctorReport, Health
from reconciler.render.text.outcome import org
from reconciler.render.words import value_text
from reconciler.render.words.paint import Paint
from reconciler.render.words.safe import line, page

_COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.PROBLEM: "red"}


def text(found: DoctorReport, *, colour: bool = False) -> str:
    """One line for each thing that was looked at, ending in `Doctor: 1 problem, 2 warnings.` or `Doctor: all is well.`"""
    paint = Paint(colour)
    lines = [*org(found.org, paint), ""] if found.org is not None else []
    for one in found.entries:
        lines += _entry(one, paint)
    return page([*lines, "", paint(trailer(found), "bold")])


def _entry(one: DoctorEntry, paint: Paint) -> Iterator[str]:
    yield f"{paint(f'{one.health:8}', _COLOURS[one.health])} {line(one.topic)}: {line(one.message)}"
    if one.mend:
        yield f"           mend: {line(one.mend)}"
    if one.quote:
        yield f"           Salesforce: {line(one.quote)}"


def trailer(found: DoctorReport) -> str:
    counted = [(found.count(Health.PROBLEM), "problem"), (found.count(Health.WARNING), "warning")]
    told = ", ".join(value_text.count(number, word) for number, word in counted if number)
    return f"Doctor: {told or 'all is well'}."
