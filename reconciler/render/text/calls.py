"""What `verify` found, as text for people: call by call, app by app."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.address import Address
from reconciler.render.text.outcome import org
from reconciler.render.words.paint import Paint
from reconciler.render.words.safe import line, page
from reconciler.verify.verdicts import Standing, Verdict, VerifyReport

WORDS = 600
"""So many characters of one sentence or name."""
_COLOURS = {
    Standing.AS_PROMISED: "green",
    Standing.BROKEN: "red",
    Standing.WAITING: "yellow",
    Standing.NOT_RUN: "dim",
}
SIGNS = {
    Standing.AS_PROMISED: "ok",
    Standing.BROKEN: "broken",
    Standing.WAITING: "waiting",
    Standing.NOT_RUN: "not run",
}
"""One word for each, the same in all formats."""
_WIDTH = max(map(len, SIGNS.values()))


def verify(report: VerifyReport, *, colour: bool = False) -> str:
    """A verify report as text: each app with its calls, ending in `Verify: 12 as promised, 1 broken, 3 not run.`

    Calls that were not run for one reason stand in one line.
    """
    paint = Paint(colour)
    lines = [*org(report.org, paint), ""]
    for app in report.apps:
        found = report.of(app)
        if found:
            lines += [*_app(app, found, paint), ""]
    if report.notes:
        lines += [paint("Notes:", "bold"), *(f"  {line(note, WORDS)}" for note in report.notes), ""]
    return page([*lines, paint(trailer(report), "bold")])


def trailer(report: VerifyReport) -> str:
    """The last line of a verify: how many calls ended in which way."""
    told = [f"{report.count(Standing.AS_PROMISED)} as promised", f"{report.count(Standing.BROKEN)} broken"]
    if report.count(Standing.WAITING):
        told.append(f"{report.count(Standing.WAITING)} waiting")
    return f"Verify: {', '.join(told)}, {report.count(Standing.NOT_RUN)} not run."


def call(verdict: Verdict) -> str:
    """One call in words: `token exchange: through the handler PartnerIdp`"""
    return f"{verdict.probe.flow}: {line(verdict.probe.what, WORDS)}"


def _app(app: Address, verdicts: Sequence[Verdict], paint: Paint) -> Iterator[str]:
    yield paint(line(app, WORDS), "bold")
    for verdict in verdicts:
        if verdict.standing is Standing.NOT_RUN:
            continue
        sign = paint(SIGNS[verdict.standing].ljust(_WIDTH), _COLOURS[verdict.standing])
        said = f" ({line(verdict.message, WORDS)})" if verdict.message not in ("", "refused", "granted") else ""
        place = f"   {line(verdict.place.file)}:{verdict.place.line}" if verdict.counts and verdict.place else ""
        yield f"  {sign}  {call(verdict)}{'' if verdict.counts else said}{place}"
        if verdict.counts:
            yield from (f"           {text}" for text in _details(verdict, paint))
    yield from _not_run(verdicts, paint)


def _details(verdict: Verdict, paint: Paint) -> Iterator[str]:
    yield f"{paint.severity(verdict.severity)}: {line(verdict.message, WORDS)}"
    if verdict.quote:
        yield f"Salesforce: {line(verdict.quote, WORDS)}"
    if verdict.mend:
        yield f"mend: {line(verdict.mend, WORDS)}"


def _not_run(verdicts: Iterable[Verdict], paint: Paint) -> Iterator[str]:
    """Lines on the calls that were not made, one for all that lack the same thing."""
    reasons: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.standing is Standing.NOT_RUN:
            reasons.setdefault(verdict.message, []).append(verdict)
    for reason, found in reasons.items():
        sign = paint(SIGNS[Standing.NOT_RUN].ljust(_WIDTH), _COLOURS[Standing.NOT_RUN])
        what = call(found[0]) if len(found) == 1 else f"{len(found)} calls, the first of {call(found[0])}"
        yield f"  {sign}  {what}: {line(reason, WORDS)}"
