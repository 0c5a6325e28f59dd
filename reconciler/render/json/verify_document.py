"""What `verify` found, as JSON for machines; `shapes` says what is in it. No token stands in a report, so none can here."""

from reconciler.model.address import Address
from reconciler.render.json import parts, shapes
from reconciler.render.words import value_text
from reconciler.render.words.safe import json_page
from reconciler.verify.verdicts import Standing, Verdict, VerifyReport


def verify(report: VerifyReport) -> str:
    """App by app and call by call, and the broken promises once more as findings."""
    content: shapes.Verified = {
        **parts.head("verify", report.created),
        "errored": not report.kept,
        "org": parts.org(report.org),
        "apps": [_app(app, report) for app in report.apps],
        "findings": [parts.finding(finding) for finding in report.findings],
        "unchecked": [],
        "summary": {
            "as_promised": report.count(Standing.AS_PROMISED),
            "broken": report.count(Standing.BROKEN),
            "waiting": report.count(Standing.WAITING),
            "not_run": report.count(Standing.NOT_RUN),
        },
        "strict": report.strict,
        "notes": list(report.notes),
        "seconds": round(report.seconds, 3),
    }
    return json_page(value_text.plain(content))


def _app(app: Address, report: VerifyReport) -> shapes.VerifiedApp:
    return {"address": str(app), "calls": [_call(verdict) for verdict in report.of(app)]}


def _call(verdict: Verdict) -> shapes.VerifiedCall:
    probe = verdict.probe
    return {
        "id": probe.id,
        "flow": str(probe.flow),
        "what": probe.what,
        "promise": "granted" if probe.is_promise_of_success else "refused",
        "because": probe.because,
        "standing": str(verdict.standing),
        "sent": verdict.sent,
        "message": verdict.message,
        "mend": verdict.mend,
        "error": verdict.error,
        "salesforce": verdict.quote,
        "address": str(probe.address),
        "path": list(probe.path),
        "place": parts.place(verdict.place),
    }
