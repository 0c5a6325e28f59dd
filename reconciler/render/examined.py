"""What `doctor` found, as text for people and as JSON for machines."""

from collections.abc import Iterator

from reconciler.doctor import Diagnosis, Examined, Health
from reconciler.render import json_parts, shapes, values
from reconciler.render.outcome import org
from reconciler.render.paint import Paint
from reconciler.render.safe import json_page, line, page

_COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.PROBLEM: "red"}


def text(found: Examined, *, colour: bool = False) -> str:
    """One line for each thing that was looked at, ending in `Doctor: 1 problem, 2 warnings.` or `Doctor: all is well.`"""
    paint = Paint(colour)
    lines = [*org(found.org, paint), ""] if found.org is not None else []
    for one in found.diagnoses:
        lines += _diagnosis(one, paint)
    return page([*lines, "", paint(trailer(found), "bold")])


def _diagnosis(one: Diagnosis, paint: Paint) -> Iterator[str]:
    yield f"{paint(f'{one.health:8}', _COLOURS[one.health])} {line(one.topic)}: {line(one.message)}"
    if one.mend:
        yield f"           mend: {line(one.mend)}"
    if one.quote:
        yield f"           Salesforce: {line(one.quote)}"


def trailer(found: Examined) -> str:
    counted = [(found.count(Health.PROBLEM), "problem"), (found.count(Health.WARNING), "warning")]
    told = ", ".join(values.count(number, word) for number, word in counted if number)
    return f"Doctor: {told or 'all is well'}."


def json(found: Examined) -> str:
    """The same, in the form that `schema doctor` publishes."""
    content: shapes.Examined = {
        **json_parts.head("doctor", found.created),
        "org": json_parts.org(found.org) if found.org is not None else None,
        "exit_code": int(found.exit),
        "diagnoses": [
            {
                "topic": one.topic,
                "health": str(one.health),
                "message": one.message,
                "mend": one.mend,
                "salesforce": one.quote,
                "exit_code": int(one.exit),
            }
            for one in found.diagnoses
        ],
    }
    return json_page(values.plain(content))
