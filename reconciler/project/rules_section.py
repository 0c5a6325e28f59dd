"""The parts of the project file about rules: `rules:` (severities) and `waivers:`."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from reconciler.errors import Place, suggestion
from reconciler.kinds import all_kinds, suggested_kind
from reconciler.model.address import Address
from reconciler.rules.settings import OWN, Waiver
from reconciler.schema.severity import Severity

Path = tuple[str | int, ...]
Note = Callable[[Path, str, str], None]
"""Told where, what is wrong, and what to do about it."""

OFF = "off"
_WAIVER = {
    "rule": "the id of a rule, like OA01",
    "address": "Kind/name, or Kind/prefix*",
    "reason": "why it may be so",
    "owner": "who answers for it",
    "expires": "the last day that it holds, like 2027-01-31",
}


def severities(raw: Any, at: Path, note: Note) -> dict[str, Severity | None]:
    """`{OA01: info, TX11: off}` -> severities, `None` for what is switched off."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        note(at, "rules must be ids of rules and severities", "write rules: {OA01: info}")
        return {}
    found: dict[str, Severity | None] = {}
    for id, value in raw.items():
        if not _known(str(id), (*at, id), note):
            continue
        # `off` is a boolean for readers of older YAML.
        if value in (OFF, False):
            found[str(id)] = None
            continue
        try:
            found[str(id)] = Severity.parse(str(value))
        except ValueError as wrong:
            note((*at, id), str(wrong), f"write one of them, or {OFF}")
    return found


def waivers(raw: Any, at: Path, note: Note, place: Callable[[Path], Place]) -> tuple[Waiver, ...]:
    """`[{rule, address, reason, owner, expires}]` -> waivers."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        note(at, "waivers must be a list", f"write each as - {{{', '.join(_WAIVER)}}}")
        return ()
    found = (_waiver(item, (*at, index), note, place) for index, item in enumerate(raw))
    return tuple(waiver for waiver in found if waiver is not None)


def _waiver(raw: Any, at: Path, note: Note, place: Callable[[Path], Place]) -> Waiver | None:
    if not isinstance(raw, dict):
        note(at, "a waiver must hold the keys " + ", ".join(_WAIVER), "write them below each other")
        return None
    sound = True
    for key in raw:
        if key not in _WAIVER:
            note((*at, key), f"{key} is not a key of a waiver", suggestion(str(key), _WAIVER, every=True))
            sound = False
    for key, words in _WAIVER.items():
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            note((*at, key), f"{key} is missing" if key not in raw else f"{key} must be a text", f"write {words}")
            sound = False
    if not sound:
        return None
    address, expires = _address(raw["address"], (*at, "address"), note), _day(raw["expires"], (*at, "expires"), note)
    if raw["rule"] in OWN:
        note((*at, "rule"), f"{raw['rule']} is about waivers and cannot be waived", "give it a severity under rules:")
        return None
    if not _known(raw["rule"], (*at, "rule"), note) or address is None or expires is None:
        return None
    return Waiver(raw["rule"], address, raw["reason"].strip(), raw["owner"].strip(), expires, place(at))


def _address(text: str, at: Path, note: Note) -> Address | None:
    try:
        address = Address.parse(text)
    except ValueError as wrong:
        note(at, str(wrong), f"write {_WAIVER['address']}")
        return None
    if "." in address.name:
        note(at, f"{text!r} names a field, and a waiver covers a whole resource", f"write {text.partition('.')[0]}")
        return None
    if address.kind not in all_kinds():
        note(at, f"{address.kind} is not a kind", suggested_kind(address.kind, all_kinds(), every=True))
        return None
    return address


def _day(text: str, at: Path, note: Note) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        note(at, f"{text!r} is not a day", f"write {_WAIVER['expires']}")
        return None


def _known(id: str, at: Path, note: Note) -> bool:
    # Every rule is a function: loaded only for projects that speak of them.
    from reconciler.rules import all_rules

    known: Mapping[str, object] = {**all_rules(), **OWN}
    if id in known:
        return True
    mend = suggestion(id, known, every=True)
    if id.startswith("drift."):
        mend = "drift is accepted, not waived: reconciler baseline accept ADDRESS"
    note(at, f"{id} is not a rule", mend)
    return False
