"""Plans, drift and results as JSON for machines. The way back from a saved plan is in `saved_plan`.

The plan follows Terraform's JSON plan representation, format 1.2, where that has a word for a thing
(https://developer.hashicorp.com/terraform/internals/json-format), so that policy tools that read Terraform's plans read
ours. What is ours besides stands beside it. Output is canonical: sorted keys, and the same plan gives the same text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler import __version__
from reconciler.diff import new_fields
from reconciler.errors import Place, ReconcilerError
from reconciler.kind import Body, Immutable, OrgBound, Struct, Value, WriteOnly
from reconciler.model import (
    Action,
    Address,
    ApplyResult,
    Change,
    FieldChange,
    Finding,
    Modified,
    OrgInfo,
    Path,
    Plan,
    Refusal,
    StepResult,
)
from reconciler.render import values
from reconciler.render.safe import json_page
from reconciler.render.saved_plan import FORMAT, digest

PROVIDER = "reconciler/salesforce"

Json = dict[str, Any]

_ACTIONS = {
    Action.CREATE: ["create"],
    Action.UPDATE: ["update"],
    Action.DELETE: ["delete"],
    Action.REPLACE: ["delete", "create"],
}


def plan(plan: Plan) -> str:
    """A plan in Terraform's words and ours; also what `plan --out` writes and `apply` reads with `saved_plan`."""
    content: Json = {
        "format_version": FORMAT,
        "reconciler_version": __version__,
        "timestamp": plan.created,
        "applyable": bool(plan.changes) and not plan.refusals,
        "complete": not plan.targets,
        "errored": False,
        "resource_changes": [_resource_change(c, number) for number, s in enumerate(plan.steps) for c in s.changes],
        "resource_drift": _resource_drift(plan.drift),
        "org": _org(plan.org),
        "drift": [_finding(finding) for finding in plan.drift],
        "findings": [_finding(finding) for finding in plan.findings],
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "released": [{"address": str(r.address), "path": list(r.path)} for r in plan.released],
        "adopted": [str(address) for address in plan.adopted],
        "notes": list(plan.notes),
        "summary": {
            **{str(action): plan.count(action) for action in Action},
            "unchanged": plan.unchanged,
            "steps": len(plan.steps),
        },
        "targets": list(plan.targets),
        "replaced": list(plan.replaced),
        "destroy": plan.destroy,
        "fingerprints": dict(plan.fingerprints),
        "payload_digest": plan.payload,
        "desired_digest": plan.desired,
        "baseline_serial": plan.baseline_serial,
    }
    plain = values.plain(content)
    return json_page({**plain, "plan_digest": digest(plain)})


def drift(org_info: OrgInfo, findings: Sequence[Finding]) -> str:
    """The findings of a drift check, and how many there are of each severity (ignored ones are not counted)."""
    counted = [str(finding.severity) for finding in findings if not finding.ignored]
    return _text(
        {
            "format_version": FORMAT,
            "reconciler_version": __version__,
            "org": _org(org_info),
            "resource_drift": _resource_drift(findings),
            "findings": [_finding(finding) for finding in findings],
            "summary": {severity: counted.count(severity) for severity in counted},
        }
    )


def apply_result(result: ApplyResult) -> str:
    """Each step as landed, not landed or unknown, and what the second plan still wants."""
    return _text(
        {
            "format_version": FORMAT,
            "reconciler_version": __version__,
            "org": _org(result.plan.org),
            "steps": [_step(step) for step in result.steps],
            "left": [_resource_change(change, 0) for change in result.left],
            "seconds": round(result.seconds, 3),
        }
    )


def complaints(error: ReconcilerError) -> str:
    """All that is wrong, with places, and the exit code that goes with it."""
    return _text(
        {
            "exit_code": int(error.exit),
            "error": type(error).__name__,
            "complaints": [
                {
                    "message": complaint.message,
                    "place": _place(complaint.place),
                    "also": _place(complaint.also),
                    "mend": complaint.mend,
                    "salesforce": complaint.quote,
                }
                for complaint in error.complaints
            ],
        }
    )


def _resource_change(change: Change, step: int) -> Json:
    schema = values.schema(change.address)
    before, before_sensitive = _halves(schema, change.before)
    after, after_sensitive = _halves(schema, change.after)
    fresh = change.action in (Action.CREATE, Action.REPLACE)
    return {
        **_identity(change.address),
        "action_reason": str(change.reason),
        "change": {
            "actions": _ACTIONS[change.action],
            "before": before,
            "after": after,
            "after_unknown": _given_by_the_org(schema, change.after) if fresh and change.after is not None else {},
            "before_sensitive": before_sensitive,
            "after_sensitive": after_sensitive,
            "replace_paths": _immutable_paths(schema, change) if change.action is Action.REPLACE else [],
        },
        "fields": [_field(schema, field) for field in _fields(schema, change)],
        "modified": _modified(change.modified),
        "place": _place(change.place),
        "record": change.record,
        "step": step + 1,
    }


def _fields(schema: type[Struct] | None, change: Change) -> tuple[FieldChange, ...]:
    if schema is not None and change.action is Action.CREATE and change.after is not None and not change.fields:
        return new_fields(schema, change.after)
    return change.fields


def _identity(address: Address) -> Json:
    return {
        "address": str(address),
        "mode": "managed",
        "type": address.kind,
        "name": f"{address.name}/{address.part}" if address.part else address.name,
        "provider_name": PROVIDER,
    }


def _halves(schema: type[Struct] | None, body: Body | None) -> tuple[Value, Value]:
    """A body without its secrets, and Terraform's map of where they stood (`false` if there is no body)."""
    if body is None:
        return None, False
    hidden = values.hidden(schema, body)
    return values.plain(hidden), _sensitive(hidden) or {}


def _sensitive(value: Value) -> Value:
    """`True` where a secret stood, and the way there; `None` where there is none below."""
    if value is values.SECRET:
        return True
    if isinstance(value, Mapping):
        return {name: found for name, item in value.items() if (found := _sensitive(item))} or None
    if isinstance(value, list | tuple):
        found = [_sensitive(item) or False for item in value]
        return found if any(found) else None
    return None


def _given_by_the_org(schema: type[Struct] | None, body: Body) -> Json:
    """Where only the org will say what a new record holds: generated keys, secrets and links."""
    found: Json = {}
    for name, declared in schema.fields().items() if schema is not None else ():
        if name not in body:
            if declared.has(Immutable, WriteOnly, OrgBound):
                found[name] = True
        elif declared.struct is not None and isinstance(body[name], dict):
            below = _given_by_the_org(declared.struct, body[name])
            found |= {name: below} if below else {}
    return found


def _immutable_paths(schema: type[Struct] | None, change: Change) -> list[list[str]]:
    """The fields that an update could not change. Empty where a person asked for the replacement."""
    at = ((field.path, values.field_at(schema, field.path)) for field in change.fields)
    return [list(path) for path, declared in at if declared is not None and declared.has(Immutable)]


def _field(schema: type[Struct] | None, change: FieldChange) -> Json:
    old, new = (values.hidden_at(schema, change.path, value) for value in (change.old, change.new))
    if change.secret:
        old, new = (None if value is None else values.SECRET for value in (old, new))
    return {
        "path": list(change.path),
        "old": old,
        "new": new,
        "direction": str(change.direction),
        "severity": str(change.severity),
        "conflict": change.conflict,
        "sensitive": bool(_sensitive(old) or _sensitive(new)),
        "place": _place(change.place),
    }


def _resource_drift(findings: Sequence[Finding]) -> list[Json]:
    """Terraform's view of the drift: one entry a resource, holding only the fields that moved."""
    by_address: dict[Address, list[Finding]] = {}
    for finding in findings:
        by_address.setdefault(finding.address, []).append(finding)
    return [_drifted(address, found) for address, found in sorted(by_address.items())]


_DRIFT_ACTIONS = {"drift.gone": ["delete"], "drift.unmanaged": ["create"]}


def _drifted(address: Address, findings: list[Finding]) -> Json:
    schema = values.schema(address)
    before: Json = {}
    after: Json = {}
    for finding in findings:
        for side, value in ((before, finding.old), (after, finding.new)):
            if finding.path:
                _put(side, finding.path, values.hidden_at(schema, finding.path, value))
    whole = next((_DRIFT_ACTIONS[f.id] for f in findings if not f.path and f.id in _DRIFT_ACTIONS), None)
    return {
        **_identity(address),
        "change": {
            "actions": whole or ["update"],
            "before": None if whole == ["create"] else before,
            "after": None if whole == ["delete"] else after,
            "after_unknown": {},
            "before_sensitive": _sensitive(before) or {},
            "after_sensitive": _sensitive(after) or {},
        },
    }


def _put(body: Json, path: Path, value: Value) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
        if not isinstance(body, dict):
            return
    body[path[-1]] = value


def _finding(finding: Finding) -> Json:
    schema = values.schema(finding.address)
    old, new = (values.hidden_at(schema, finding.path, value) for value in (finding.old, finding.new))
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "address": str(finding.address),
        "path": list(finding.path),
        "message": finding.message,
        "old": old,
        "new": new,
        "direction": str(finding.direction),
        "modified": _modified(finding.modified),
        "place": _place(finding.place),
        "ignored": finding.ignored,
        "mend": finding.mend,
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "guard": refusal.guard,
        "address": None if refusal.address is None else str(refusal.address),
        "message": refusal.message,
        "allow": refusal.allow,
    }


def _step(result: StepResult) -> Json:
    deployed = result.deployed
    return {
        "landing": str(result.landing),
        "changes": [{"address": str(c.address), "action": str(c.action)} for c in result.step.changes],
        "deployment": None
        if deployed is None
        else {
            "id": deployed.id,
            "success": deployed.success,
            "status": deployed.status,
            "error": deployed.error,
            "warnings": list(deployed.warnings),
            "failures": [
                {
                    "type": failure.kind,
                    "record": failure.record,
                    "address": str(failure.address) if failure.address is not None else None,
                    "salesforce": failure.problem,
                    "file_name": failure.file_name,
                    "line": failure.line,
                    "column": failure.column,
                    "place": _place(failure.place),
                }
                for failure in deployed.failures
            ],
        },
    }


def _org(info: OrgInfo) -> Json:
    return {
        "id": info.id,
        "name": info.name,
        "instance": info.instance,
        "is_sandbox": info.is_sandbox,
        "organization_type": info.organization_type,
        "api_version": info.api_version,
        "username": info.username,
    }


def _modified(modified: Modified) -> Json | None:
    known = modified.by or modified.by_id or modified.date
    return {"by": modified.by, "by_id": modified.by_id, "date": modified.date} if known else None


def _place(place: Place | None) -> Json | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


def _text(content: Json) -> str:
    return json_page(values.plain(content))
