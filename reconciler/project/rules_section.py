"""The parts of the project file about rules: `rules:` (severities) and `waivers:`."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from reconciler.errors import suggestion
from reconciler.kinds import all_kinds, suggested_kind
from reconciler.model.address import Address
from reconciler.project.section import Notes, Section, text
from reconciler.rules.settings import OWN, Waiver
from reconciler.schema.severity import Severity
from reconciler.yaml.events import RawPath

OFF = "off"
_WAIVER = {
    "rule": "the id of a rule, like OA01",
    "address": "Kind/name, or Kind/prefix*",
    "reason": "why it may be so",
    "owner": "who answers for it",
    "expires": "the last day that it holds, like 2027-01-31",
}

WAIVER = Section(
    "a waiver",
    {key: text(words) for key, words in _WAIVER.items()},
    ("a waiver must hold the keys " + ", ".join(_WAIVER), "write them below each other"),
)


def severities(raw: Any, at: RawPath, notes: Notes) -> dict[str, Severity | None]:
    """Read `{OA01: info, TX11: off}` into severities by rule; `None` for a rule that is switched off."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        notes(at, "rules must be ids of rules and severities", "write rules: {OA01: info}")
        return {}
    found: dict[str, Severity | None] = {}
    for id, value in raw.items():
        if not _known(str(id), (*at, id), notes):
            continue
        # `off` is a boolean for readers of older YAML.
        if value in (OFF, False):
            found[str(id)] = None
            continue
        try:
            found[str(id)] = Severity.parse(str(value))
        except ValueError as wrong:
            notes((*at, id), str(wrong), f"write one of them, or {OFF}")
    return found


def waivers(raw: Any, at: RawPath, notes: Notes) -> tuple[Waiver, ...]:
    """Read `[{rule, address, reason, owner, expires}]` into waivers."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        notes(at, "waivers must be a list", f"write each as - {{{', '.join(_WAIVER)}}}")
        return ()
    found = (_waiver(item, (*at, index), notes) for index, item in enumerate(raw))
    return tuple(waiver for waiver in found if waiver is not None)


def _waiver(raw: Any, at: RawPath, notes: Notes) -> Waiver | None:
    values = WAIVER.read(raw, at, notes)
    if values is None:
        return None
    for key, words in _WAIVER.items():
        if key not in raw:
            notes((*at, key), f"{key} is missing", f"write {words}")
    if values.keys() != _WAIVER.keys() or len(raw) > len(_WAIVER):
        return None
    address, expires = (
        _address(values["address"], (*at, "address"), notes),
        _day(values["expires"], (*at, "expires"), notes),
    )
    if values["rule"] in OWN:
        notes(
            (*at, "rule"), f"{values['rule']} is about waivers and cannot be waived", "give it a severity under rules:"
        )
        return None
    if not _known(values["rule"], (*at, "rule"), notes) or address is None or expires is None:
        return None
    return Waiver(values["rule"], address, values["reason"], values["owner"], expires, notes.place(at))


def _address(text: str, at: RawPath, notes: Notes) -> Address | None:
    try:
        address = Address.parse(text)
    except ValueError as wrong:
        notes(at, str(wrong), f"write {_WAIVER['address']}")
        return None
    if "." in address.name:
        notes(at, f"{text!r} names a field, and a waiver covers a whole resource", f"write {text.partition('.')[0]}")
        return None
    if address.kind not in all_kinds():
        notes(at, f"{address.kind} is not a kind", suggested_kind(address.kind, all_kinds(), every=True))
        return None
    return address


def _day(text: str, at: RawPath, notes: Notes) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        notes(at, f"{text!r} is not a day", f"write {_WAIVER['expires']}")
        return None


def _known(id: str, at: RawPath, notes: Notes) -> bool:
    # Every rule is a function: loaded only for projects that speak of them.
    from reconciler.rules import all_rules

    known: Mapping[str, object] = {**all_rules(), **OWN}
    if id in known:
        return True
    mend = suggestion(id, known, every=True)
    if id.startswith("drift."):
        mend = "drift is accepted, not waived: reconciler baseline accept ADDRESS"
    notes(at, f"{id} is not a rule", mend)
    return False
