"""The results of commands as JSON for machines, in the forms of `shapes`. `saved` and `earlier` read them back.

The plan follows Terraform's JSON plan representation, format 1.2, where that has a word for a thing
(https://developer.hashicorp.com/terraform/internals/json-format), so that policy tools that read Terraform's plans read
ours. What is ours besides stands beside it. Output is canonical: sorted keys, and the same plan gives the same text.
"""

from collections.abc import Iterable

from reconciler.errors import ReconcilerError
from reconciler.model.changes import Action, Change, FieldChange, Plan, Reason, Refusal
from reconciler.model.deployment import ComponentFailure, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Finding
from reconciler.model.reports import ApplyResult, CheckReport, DriftReport, StepResult
from reconciler.plan.diff import new_fields
from reconciler.render.json import parts, shapes
from reconciler.render.json.parts import Json
from reconciler.render.json.saved import FORMAT, digest
from reconciler.render.words import value_text
from reconciler.render.words.safe import json_page
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Immutable, OrgBound, WriteOnly
from reconciler.schema.values import Body, Value

_ACTIONS = {
    Action.CREATE: ["create"],
    Action.UPDATE: ["update"],
    Action.DELETE: ["delete"],
    Action.REPLACE: ["delete", "create"],
}
# Terraform has words for some reasons, and tools that read its plans look for just these.
_ACTION_REASONS = {
    Reason.ASKED: "replace_by_request",
    Reason.REMOVED: "delete_because_no_resource_config",
    Reason.UNDECLARED: "delete_because_no_resource_config",
}


def plan(plan: Plan) -> str:
    """A plan as JSON, in Terraform's words and ours; `plan --out` writes it and `apply` reads it with `saved`."""
    content: shapes.UnsignedPlan = {
        **parts.head("plan", plan.created),
        "applyable": bool(plan.changes) and not plan.refusals and not plan.org.recorded,
        "complete": not plan.targets,
        "errored": False,
        "resource_changes": [_resource_change(c, number) for number, s in enumerate(plan.steps) for c in s.changes],
        "resource_drift": parts.resource_drift(plan.drift),
        "org": parts.org(plan.org),
        "drift": [parts.finding(finding) for finding in plan.drift],
        "findings": [parts.finding(finding) for finding in plan.findings],
        "unchecked": [parts.unchecked(one) for one in plan.unchecked],
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "released": [{"address": str(r.address), "path": list(r.path)} for r in plan.released],
        "adopted": [str(address) for address in plan.adopted],
        "notes": list(plan.notes),
        "summary": {
            "create": plan.count(Action.CREATE),
            "update": plan.count(Action.UPDATE),
            "delete": plan.count(Action.DELETE),
            "replace": plan.count(Action.REPLACE),
            "unchanged": plan.unchanged,
            "steps": len(plan.steps),
        },
        "targets": list(plan.targets),
        "replaced": list(plan.replaced),
        "destroy": plan.destroy,
        "fingerprints": dict(plan.fingerprints),
        "payload_digest": plan.payload,
        "desired_digest": plan.desired,
        "desired_files": dict(plan.files),
        "record_ids": dict(plan.record_ids),
        "undeclared_apps": plan.undeclared_apps,
        "baseline_serial": plan.baseline_serial,
    }
    plain = value_text.plain(content)
    return json_page({**plain, "plan_digest": digest(plain)})


def apply_result(result: ApplyResult) -> str:
    """The result of an apply as JSON: what became of each step, and what the second plan would still change."""
    plan = result.plan
    landed = all(step.landing is Landing.LANDED for step in result.steps)
    content: shapes.Applied = {
        **parts.head("apply", plan.created),
        "errored": not landed or bool(result.left) or bool(result.meanwhile),
        "org": parts.org(plan.org),
        "steps": [_step(step) for step in result.steps],
        "left": [_resource_change(change, 0) for change in result.left],
        "unread": result.unread,
        "meanwhile": [parts.finding(finding) for finding in result.meanwhile],
        "adopted": [str(address) for address in plan.adopted],
        "baseline_written": result.baseline_written,
        "drift": [parts.finding(finding) for finding in plan.drift],
        "findings": [parts.finding(finding) for finding in plan.findings],
        "unchecked": [parts.unchecked(one) for one in plan.unchecked],
        "notes": list(plan.notes),
        "seconds": round(result.seconds, 3),
    }
    return json_page(value_text.plain(content))


def drift(report: DriftReport) -> str:
    """The findings of a drift check, what it was compared with, and how many findings count of each severity."""
    content: shapes.Drift = {
        **parts.head("drift", report.created),
        "org": parts.org(report.org),
        "against": report.against,
        "compared": len(report.compared),
        "in_flight": [_in_flight(deployment) for deployment in report.in_flight],
        "resource_drift": parts.resource_drift(report.findings),
        "findings": [parts.finding(finding) for finding in report.findings],
        "unchecked": [],
        "summary": _summary(report.findings),
        "notes": list(report.notes),
        "unreadable": dict(report.unreadable),
        "resolved": list(report.resolved),
        "undeclared_apps": report.undeclared_apps,
    }
    return json_page(value_text.plain(content))


def compare(report: DriftReport) -> str:
    """The comparison of two orgs as JSON: where they differ, and how many differences count of each severity."""
    content: shapes.Comparison = {
        **parts.head("compare", report.created),
        "org": parts.org(report.org),
        "against": report.against,
        "compared": len(report.compared),
        "findings": [parts.finding(finding) for finding in report.findings],
        "unchecked": [],
        "summary": _summary(report.findings),
        "notes": list(report.notes),
        "unreadable": dict(report.unreadable),
        "resolved": [],
    }
    return json_page(value_text.plain(content))


def check(report: CheckReport) -> str:
    """The result of a check as JSON: what the rules say of files, or of an org; `org` is null for files."""
    content: shapes.Check = {
        **parts.head("check", report.created),
        "org": None if report.org is None else parts.org(report.org),
        "checked": len(report.checked),
        "findings": [parts.finding(finding) for finding in report.findings],
        "unchecked": [parts.unchecked(one) for one in report.unchecked],
        "summary": _summary(report.findings),
        "notes": list(report.notes),
        "unreadable": dict(report.unreadable),
        "resolved": list(report.resolved),
    }
    return json_page(value_text.plain(content))


def complaints(error: ReconcilerError) -> str:
    """An error that stopped a command as JSON: all complaints with their places, and the exit code."""
    content: shapes.Stopped = {
        "format_version": FORMAT,
        "errored": True,
        "exit_code": int(error.exit),
        "error": type(error).__name__,
        "complaints": [
            {
                "message": complaint.message,
                "place": parts.place(complaint.place),
                "also": parts.place(complaint.also),
                "mend": complaint.mend,
                "salesforce": complaint.quote,
            }
            for complaint in error.complaints
        ],
    }
    return json_page(value_text.plain(content))


def _resource_change(change: Change, step: int) -> shapes.Change:
    schema = value_text.schema(change.address)
    before, before_sensitive = _halves(schema, change.before)
    after, after_sensitive = _halves(schema, change.after)
    fresh = change.action in (Action.CREATE, Action.REPLACE)
    return {
        **parts.resource(
            change.address,
            {
                "actions": _ACTIONS[change.action],
                "before": before,
                "after": after,
                "after_unknown": _given_by_the_org(schema, change.after) if fresh and change.after is not None else {},
                "before_sensitive": before_sensitive,
                "after_sensitive": after_sensitive,
                "replace_paths": _immutable_paths(schema, change) if change.action is Action.REPLACE else [],
            },
        ),
        "action_reason": _ACTION_REASONS.get(change.reason),
        "reason": str(change.reason),
        "fields": [_field(schema, field) for field in _fields(schema, change)],
        "modified": parts.modified(change.modified),
        "place": parts.place(change.place),
        "record": change.record,
        "step": step + 1,
    }


def _fields(schema: type[Struct] | None, change: Change) -> tuple[FieldChange, ...]:
    if schema is not None and change.action is Action.CREATE and change.after is not None and not change.fields:
        return new_fields(schema, change.after)
    return change.fields


def _halves(schema: type[Struct] | None, body: Body | None) -> tuple[Value, Value]:
    """Return a body with its secrets hidden, and Terraform's map of where secrets are (`false` if there is no body)."""
    if body is None:
        return None, False
    hidden = value_text.hidden(schema, body)
    return value_text.plain(hidden), parts.sensitive(hidden) or {}


def _given_by_the_org(schema: type[Struct] | None, body: Body) -> Json:
    """The fields of a new record whose values are known only after the org has made it: keys, secrets and links."""
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
    """The changed fields that only a replacement can change; empty where the user asked for the replacement."""
    at = ((field.path, value_text.field_at(schema, field.path)) for field in change.fields)
    return [list(path) for path, declared in at if declared is not None and declared.has(Immutable)]


def _field(schema: type[Struct] | None, change: FieldChange) -> shapes.Field:
    old, new = (value_text.hidden_at(schema, change.path, value) for value in (change.old, change.new))
    if change.secret:
        old, new = (None if value is None else value_text.SECRET for value in (old, new))
    return {
        "path": list(change.path),
        "old": old,
        "new": new,
        "direction": str(change.direction),
        "severity": str(change.severity),
        "conflict": change.conflict,
        "restores": change.restores,
        "sensitive": bool(parts.sensitive(old) or parts.sensitive(new)),
        "place": parts.place(change.place),
    }


def _refusal(refusal: Refusal) -> shapes.Refusal:
    return {
        "guard": refusal.guard,
        "address": None if refusal.address is None else str(refusal.address),
        "message": refusal.message,
        "allow": refusal.allow,
    }


def _step(result: StepResult) -> shapes.Step:
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
            "failures": [_failure(failure) for failure in deployed.failures],
        },
    }


def _failure(failure: ComponentFailure) -> shapes.Failure:
    return {
        "type": failure.kind,
        "record": failure.record,
        "address": str(failure.address) if failure.address is not None else None,
        "salesforce": failure.problem,
        "file_name": failure.file_name,
        "line": failure.line,
        "column": failure.column,
        "place": parts.place(failure.place),
    }


def _summary(findings: Iterable[Finding]) -> dict[str, int]:
    counted = [str(finding.severity) for finding in findings if finding.counts]
    return {severity: counted.count(severity) for severity in counted}


def _in_flight(deployment: Deployment) -> shapes.InFlight:
    return {
        "id": deployment.id,
        "status": deployment.status,
        "by": deployment.by,
        "by_id": deployment.by_id,
        "started": deployment.started,
    }
