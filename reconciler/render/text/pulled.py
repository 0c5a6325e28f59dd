"""What a pull took from an org into the files, as text for people."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.address import Address
from reconciler.model.reports import PulledField, PullReport
from reconciler.render.text.outcome import org
from reconciler.render.words import value_text
from reconciler.render.words.paint import Paint
from reconciler.render.words.safe import line, page
from reconciler.schema.severity import Direction

_SHOWN = 20
_SYMBOLS = {"create": "+", "change": "~", "remove": "-"}
_COLOURS = {"create": "green", "change": "yellow", "remove": "red"}


def text(found: PullReport, *, colour: bool = False) -> str:
    """Each file with what was taken into it, ending in `Pull: 12 files written, 3 fields changed; adopted 70.`

    The trailer is `Pull: nothing to do.` if files and baseline already hold what the org has, and says `would be` where
    nothing was written since only that was asked.
    """
    paint = Paint(colour)
    lines = [*org(found.org, paint), ""]
    by_file: dict[str, list[Address]] = {}
    for address, name in found.taken.items():
        by_file.setdefault(name, []).append(address)
    fields: dict[str, list[PulledField]] = {}
    for one in found.fields:
        fields.setdefault(one.file, []).append(one)
    for file in found.files:
        symbol = paint(_SYMBOLS[file.action], _COLOURS[file.action])
        what = ", ".join(map(line, _heads(by_file.get(file.name, []))))
        lines.append(f"{symbol} {line(file.name)}{f'   {what}' if what else ''}")
        lines += [f"    {_field(one, paint)}" for one in fields.get(file.name, [])]
    if found.files:
        lines.append("")
    lines += _section("Taken out of the files, since the org has them no more", map(str, found.gone), paint)
    lines += _section("Variables", _variables(found.variables), paint)
    lines += _section("Taken into the baseline alone: no file has to say it", map(_spot, found.accepted), paint)
    lines += _section("Left as it is", (_left(*one) for one in found.left), paint)
    lines += _section("Not in the files", _omitted(found), paint)
    hidden = (f"{what}: {why}" for what, why in found.unreadable.items())
    lines += _section("Could not be read, and is in no file for that", hidden, paint)
    return page([*lines, paint(trailer(found), "bold")])


def _heads(addresses: list[Address]) -> list[str]:
    """Name the records of a file; sections and enablements inside a record are only counted."""
    own = [str(one) for one in addresses if not (one.part or one.is_satellite)]
    inside = len(addresses) - len(own)
    if not own:
        return list(map(str, addresses[:3]))
    return [*own, *([f"with {value_text.count(inside, 'part')}"] if inside else [])]


def _field(one: PulledField, paint: Paint) -> str:
    """A pulled field on one line; if the change weakens or tightens security, with that and its severity."""
    moved = value_text.difference(one.address.struct, one.path, one.old, one.new, secret=one.secret)
    said = line(f"{one.address}.{'.'.join(one.path)}: {moved}")
    if one.direction is Direction.NEUTRAL:
        return said
    return said + paint.severity(one.severity, f"   ({one.direction}, {one.severity})")


def _variables(variables: Mapping[str, str]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in sorted(variables.items()))


def _spot(one: tuple[Address, tuple[str, ...]]) -> str:
    return f"{one[0]}.{'.'.join(one[1])}"


def _left(what: str, why: str, mend: str) -> str:
    return f"{what}: {why}{f' ({mend})' if mend else ''}"


def _omitted(found: PullReport) -> Iterator[str]:
    by_why: dict[tuple[str, str], list[Address]] = {}
    for address, path, why in found.omitted:
        by_why.setdefault((".".join(path), why), []).append(address)
    for (name, why), addresses in by_why.items():
        first = f"{len(addresses):,} records, the first of them " if len(addresses) > 1 else ""
        yield f"{name}: {why} ({first}{addresses[0]})"


def _section(title: str, entries: Iterable[str], paint: Paint) -> list[str]:
    found = list(entries)
    if not found:
        return []
    more = [f"    … and {len(found) - _SHOWN:,} more"] if len(found) > _SHOWN else []
    return [paint(f"{title}:", "bold"), *(f"    {line(one)}" for one in found[:_SHOWN]), *more, ""]


def trailer(found: PullReport) -> str:
    """The last line of a pull."""
    if not found.anything:
        return f"Pull: nothing to do{', ' + _number(len(found.left)) + ' left as it is' if found.left else ''}."
    would = "would be " if found.checked else ""
    parts = [f"{value_text.count(len(found.files), 'file')} {would}written" if found.files else "nothing to write"]
    if found.fields:
        parts.append(f"{value_text.count(len(found.fields), 'field')} {would}changed")
    if found.left:
        parts.append(f"{_number(len(found.left))} left as it is")
    adopted = f"; {found.adopted:,} would be adopted" if would else f"; adopted {found.adopted:,}"
    adopted = adopted if found.adopted else ""
    return f"Pull: {', '.join(parts)}{adopted}."


def _number(count: int) -> str:
    return f"{count:,}"
