"""A recording as `reconciler cassette` shows it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.render.json import parts
from reconciler.render.words import value_text
from reconciler.render.words.paint import Paint
from reconciler.render.words.recorded import age
from reconciler.render.words.safe import json_page, line, page


@dataclass(frozen=True, slots=True)
class Cassette:
    """The facts about a recording: its calls, its age, and what in it looks like a secret."""

    file: str
    bytes: int
    recorded_at: str
    org_id: str
    api_version: str
    reconciler_version: str
    scrub: tuple[str, ...]
    """What was scrubbed besides secrets: `emails`, `certificates`."""
    scrubbed: Mapping[str, int]
    """What was taken out -> how often."""
    classes: tuple[str, ...]
    """Apex classes that were read besides those of handlers."""
    secret_ages: bool
    calls: tuple[tuple[str, int, int], ...]
    """Operation, number of calls, bytes of their answers."""
    suspicions: tuple[tuple[str, str], ...]
    """Where, and what it looks like. Never the value."""


def text(found: Cassette, now: str, *, colour: bool = False) -> str:
    """The facts about a recording as text, ending in `Cassette: 14 calls, nothing looks like a secret.`"""
    paint = Paint(colour)
    return page([*_about(found, now), *_calls(found), *_suspicions(found, paint), "", paint(_trailer(found), "bold")])


def _about(found: Cassette, now: str) -> Iterator[str]:
    made = age(found.recorded_at, now)
    yield f"Recorded at {line(found.recorded_at)}{f', {made}' if made else ''}, by reconciler {line(found.reconciler_version)}"
    yield f"Org {line(found.org_id)}, API {line(found.api_version)}"
    counts = ", ".join(f"{number:,} {line(what)}" for what, number in sorted(found.scrubbed.items()))
    asked = f" (besides secrets: {', '.join(map(line, found.scrub))})" if found.scrub else ""
    yield f"Scrubbed: {counts or 'nothing'}{asked}"
    if found.classes:
        yield f"Apex classes besides those of handlers: {', '.join(map(line, found.classes))}"
    if found.secret_ages:
        yield "The ages of consumer secrets were asked for."
    yield f"{found.bytes:,} bytes"


def _calls(found: Cassette) -> Iterator[str]:
    yield from ("", "Calls:")
    for operation, number, size in found.calls:
        yield f"  {number:>5,}  {size:>12,} bytes  {line(operation, 120)}"


def _suspicions(found: Cassette, paint: Paint) -> Iterator[str]:
    if found.suspicions:
        yield from ("", paint("Looks like a secret:", "alarm"))
        yield from (f"  {line(where, 200)}: {line(what, 120)}" for where, what in found.suspicions)


def _trailer(found: Cassette) -> str:
    calls = value_text.count(sum(number for _, number, _ in found.calls), "call")
    if not found.suspicions:
        return f"Cassette: {calls}, nothing looks like a secret."
    number = len(found.suspicions)
    return f"Cassette: {calls}, {value_text.count(number, 'place')} that {'looks' if number == 1 else 'look'} like a secret."


def json(found: Cassette, now: str) -> str:
    """The facts about a recording, as JSON for machines."""
    return json_page(
        {
            **parts.head("cassette", now),
            "file": found.file,
            "bytes": found.bytes,
            "recorded": found.recorded_at,
            "org_id": found.org_id,
            "api_version": found.api_version,
            "recorded_by": found.reconciler_version,
            "scrub": list(found.scrub),
            "scrubbed": dict(found.scrubbed),
            "classes": list(found.classes),
            "secret_ages": found.secret_ages,
            "calls": [{"operation": name, "calls": number, "bytes": size} for name, number, size in found.calls],
            "suspicions": [{"where": where, "what": what} for where, what in found.suspicions],
        }
    )
