"""The parts that our JSON outputs have in common: findings, places, people, the org, drift in Terraform's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler import __version__
from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.finding import GONE, UNMANAGED, Attribution, Finding, Unchecked
from reconciler.model.live import Modified, OrgInfo
from reconciler.render.json import shapes
from reconciler.render.json.saved import FORMAT
from reconciler.render.words import value_text
from reconciler.schema.values import Path, Value

PROVIDER = "reconciler/salesforce"

Json = dict[str, Any]


def head(command: str, created: str) -> shapes.Output:
    """The keys that every JSON output has: versions, command and timestamp."""
    return {
        "format_version": FORMAT,
        "reconciler_version": __version__,
        "command": command,
        "timestamp": created,
    }


def finding(found: Finding) -> shapes.Finding:
    """A finding as JSON, with its secrets hidden."""
    schema = value_text.schema(found.address)
    old, new = (value_text.hidden_at(schema, found.path, value) for value in (found.old, found.new))
    position = found.position
    return {
        "key": found.key,
        "id": found.id,
        "severity": str(found.severity),
        "address": str(found.address),
        "path": list(found.path),
        "message": found.message,
        "meaning": found.meaning,
        "subject": found.subject,
        "position": None if position is None else {"line": position[0], "column": position[1]},
        "also": [str(address) for address in found.also],
        "old": old,
        "new": new,
        "direction": str(found.direction),
        "attribution": _attribution(found.attribution),
        "modified": modified(found.modified),
        "place": place(found.place),
        "mend": found.mend,
        "counts": found.counts,
        "ignored": found.ignored,
        "waived": found.waived,
        "deferred": found.deferred,
        "known": found.known,
        "unmanaged": found.unmanaged,
    }


def unchecked(found: Unchecked) -> shapes.Unchecked:
    return {
        "id": found.id,
        "address": str(found.address),
        "path": list(found.path),
        "message": found.message,
        "place": place(found.place),
    }


def org(info: OrgInfo) -> shapes.Org:
    return {
        "id": info.id,
        "alias": info.alias,
        "name": info.name,
        "instance": info.instance,
        "is_sandbox": info.is_sandbox,
        "organization_type": info.organization_type,
        "api_version": info.api_version,
        "username": info.username,
        "recorded": info.recorded,
    }


def modified(found: Modified) -> shapes.Modified | None:
    known = found.by or found.by_id or found.date
    return {"by": found.by, "by_id": found.by_id, "date": found.date} if known else None


def place(found: Place | None) -> shapes.Place | None:
    return None if found is None else {"file": found.file, "line": found.line, "column": found.column}


def _attribution(found: Attribution | None) -> shapes.Attribution | None:
    if found is None:
        return None
    return {
        "by": found.by,
        "by_id": found.by_id,
        "date": found.date,
        "confidence": str(found.confidence),
        "delegate": found.delegate,
        "deployment": found.deployment,
        "ours": found.ours,
        "because": found.because,
        "also_touched": [
            {"by": one.by, "by_id": one.by_id, "date": one.date, "delegate": one.delegate} for one in found.also
        ],
    }


_DRIFT_ACTIONS = {GONE: ["delete"], UNMANAGED: ["create"]}


def resource_drift(findings: Sequence[Finding]) -> list[shapes.Resource]:
    """Terraform's view of the drift: one entry a resource, holding only the fields that moved."""
    by_address: dict[Address, list[Finding]] = {}
    for one in findings:
        by_address.setdefault(one.address, []).append(one)
    return [_drifted(address, found) for address, found in sorted(by_address.items())]


def _drifted(address: Address, findings: list[Finding]) -> shapes.Resource:
    schema = value_text.schema(address)
    before: Json = {}
    after: Json = {}
    for one in findings:
        for side, value in ((before, one.old), (after, one.new)):
            if one.path:
                _put(side, one.path, value_text.hidden_at(schema, one.path, value))
    whole = next((_DRIFT_ACTIONS[f.id] for f in findings if not f.path and f.id in _DRIFT_ACTIONS), None)
    return resource(
        address,
        {
            "actions": whole or ["update"],
            "before": None if whole == ["create"] else before,
            "after": None if whole == ["delete"] else after,
            "after_unknown": {},
            "before_sensitive": sensitive(before) or {},
            "after_sensitive": sensitive(after) or {},
            "replace_paths": [],
        },
    )


def _put(body: Json, path: Path, value: Value) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
        if not isinstance(body, dict):
            return
    body[path[-1]] = value


def resource(address: Address, change: shapes.Values) -> shapes.Resource:
    """A resource as Terraform would name it."""
    return {
        "address": str(address),
        "mode": "managed",
        "type": address.kind,
        "name": f"{address.name}/{address.part}" if address.part else address.name,
        "provider_name": PROVIDER,
        "change": change,
    }


def sensitive(value: Value) -> Value:
    """Mark where secrets are: `True` for each, in the same structure as `value`; `None` if there is none."""
    if value is value_text.SECRET:
        return True
    if isinstance(value, Mapping):
        return {name: found for name, item in value.items() if (found := sensitive(item))} or None
    if isinstance(value, list | tuple):
        found = [sensitive(item) or False for item in value]
        return found if any(found) else None
    return None
