"""Reads a plan that was saved: what an apply has to know of it, and whether the file was altered since."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from reconciler.errors import Complaint, InputError, Place, RefusedError
from reconciler.model.effects import beside_texts, effects_of
from reconciler.model.saved_plan import SavedPlan
from reconciler.render.json import strict
from reconciler.render.words.safe import line

FORMAT = "1.2"
"""Of Terraform's JSON plan representation."""
LARGEST = 200 * 1024 * 1024
"""A saved plan of more characters is not read."""

Json = dict[str, Any]


def read_plan(text: str, file: str = "") -> SavedPlan:
    """Read a saved plan, which `documents.plan` wrote.

    Raises InputError for what is no plan, or one of another format; RefusedError for a plan that does not have the
    digest that it was saved with. The digest finds accidents and careless edits. It is no signature: a person who can write
    the file can also write its digest, so an apply compares everything with the org and the files again.
    """
    place = Place(file) if file else None
    content = _parsed(text, place)
    if content.get("format_version") != FORMAT:
        found = line(content.get("format_version", "none"), 20)
        raise InputError(_no_plan(f"this plan has format version {found}, and only {FORMAT} can be read", place))
    saved_digest = content.pop("plan_digest", "")
    if saved_digest != digest(content):
        raise RefusedError(
            Complaint("the plan was altered after it was saved", place, mend="make the plan again, and apply that one")
        )
    recorded = content["org"].get("recorded") if isinstance(content.get("org"), dict) else ""
    if recorded:
        message = f"this plan was made from a recording ({line(recorded, 40)}), not from the org: it cannot be applied"
        raise RefusedError(Complaint(message, place, mend="plan again without --replay"))
    try:
        return SavedPlan(
            org_id=_of(str, content["org"]["id"]),
            targets=_texts(content["targets"]),
            replaced=_texts(content["replaced"]),
            destroy=_of(bool, content["destroy"]),
            fingerprints=_pairs(content["fingerprints"]),
            payload=_of(str, content["payload_digest"]),
            desired=_of(str, content["desired_digest"]),
            files=_pairs(content.get("desired_files", {})),
            record_ids=_pairs(content.get("record_ids", {})),
            effects=effects_of(
                content["payload_digest"],
                ((one["address"], one["reason"]) for one in content["resource_changes"]),
                beside_texts(
                    _texts(content["adopted"]),
                    (".".join((one["address"], *one["path"])) for one in content["released"]),
                ),
            ),
            baseline_serial=_of(int, content["baseline_serial"]),
            created=_of(str, content["timestamp"]),
        )
    except (KeyError, TypeError, AttributeError) as wrong:
        raise InputError(_no_plan("this is not a plan of ours", place)) from wrong


def _parsed(text: str, place: Place | None) -> Json:
    if len(text) > LARGEST:
        raise InputError(_no_plan(f"this file is larger than {LARGEST // 2**20} MB, no plan is that large", place))
    try:
        content = strict.loads(text)
    except ValueError as wrong:
        raise InputError(_no_plan("this is not a saved plan: no JSON in it", place)) from wrong
    if not isinstance(content, dict) or "plan_digest" not in content:
        raise InputError(_no_plan("this is not a saved plan", place))
    return content


def _no_plan(message: str, place: Place | None) -> Complaint:
    return Complaint(message, place, mend="make one with: plan --out plan.json")


def _of(wanted: type[Any], value: Any) -> Any:
    # bool is an int in Python, and no serial number.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TypeError(f"{wanted.__name__} expected")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_of(str, item) for item in _of(list, value))


def _pairs(value: Any) -> Mapping[str, str]:
    return {key: _of(str, item) for key, item in _of(dict, value).items()}


def _canonical(content: Json) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(content: Json) -> str:
    """SHA-256 of a plan's canonical JSON; `content` is the plan without its own digest."""
    return hashlib.sha256(_canonical(content).encode("ascii")).hexdigest()
