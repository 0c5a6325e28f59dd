"""What `verify` writes, in every format: call by call, and nothing that a terminal, a browser or a CI runner obeys."""

import json
from dataclasses import replace

from hypothesis import given, settings
from lxml import etree

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.live import OrgInfo
from reconciler.render import graph, junit, markdown, sarif
from reconciler.render.html import html_page
from reconciler.render.json import verify_document
from reconciler.render.report import of_verify
from reconciler.render.text import calls
from reconciler.schema.severity import Severity
from reconciler.verify.probe import Flow, Granted, Probe, Refused
from reconciler.verify.verdicts import Standing, Verdict, VerifyReport

from .samples import ORG
from .test_hostile_text import FORMATS, HOSTILE, harmless, lines, of_json, resources
from .test_hostile_text import org as org_of
from .test_junit import assert_adds_up
from .test_sarif import run_of

PORTAL = Address("ExternalClientApplication", "order_portal")
GLOBAL = Address("ExtlClntAppGlobalOauthSettings", "order_portal")
POLICY = Address("ExtlClntAppOauthConfigurablePolicies", "order_portal")
ERP = Address("ConnectedApp", "Legacy_ERP")
FILE = "desired/apps/order_portal.yaml"


def probe(id: str, what: str, *, success: bool = False, app: Address = PORTAL, **more: object) -> Probe:
    expects = Granted() if success else Refused(frozenset({"invalid_client"}))
    known = {
        "flow": Flow.TOKEN_EXCHANGE,
        "form": {},
        "because": "it says so",
        "severity": Severity.HIGH,
        "address": app,
    }
    return Probe(app=app, id=id, what=what, expects=expects, **{**known, **more})  # type: ignore[arg-type]


def verdict(made: Probe, standing: Standing, message: str = "", **more: object) -> Verdict:
    return Verdict(made, standing, message, **{"sent": standing is not Standing.NOT_RUN, **more})  # type: ignore[arg-type]


NO_SECRET = probe(
    "token_exchange.no_secret", "without the client secret", address=GLOBAL, path=("isSecretRequiredForTokenExchange",)
)
REPORT = VerifyReport(
    ORG,
    (
        verdict(
            probe("token_exchange.PartnerIdp", "through the handler PartnerIdp", success=True),
            Standing.AS_PROMISED,
            "granted, as pat@acme.example",
        ),
        verdict(
            NO_SECRET,
            Standing.BROKEN,
            "granted, as pat@acme.example, although isSecretRequiredForTokenExchange is true",
            mend="compare the org with the files",
            id="verify.granted",
            severity=Severity.HIGH,
            place=Place(FILE, 14, 3),
        ),
        verdict(probe("token_exchange.wrong_secret", "with a wrong client secret"), Standing.AS_PROMISED, "refused"),
        verdict(
            probe("client_credentials", "as the service", success=True, flow=Flow.CLIENT_CREDENTIALS),
            Standing.WAITING,
            "refused, although the flow is switched on",
            mend="wait",
            id="verify.waiting",
            severity=Severity.HIGH,
            error="invalid_client_id",
            quote="invalid_client_id: client identifier invalid",
        ),
        verdict(
            probe("token_exchange.expired", "with a token that has expired"),
            Standing.NOT_RUN,
            "give orgs.dev.verify.order_portal.expired",
        ),
        *(
            verdict(
                probe(f"jwt_bearer{n}", f"with key {n}", app=ERP, flow=Flow.JWT_BEARER),
                Standing.NOT_RUN,
                "give orgs.dev.verify.Legacy_ERP.private_key",
            )
            for n in ("", "2")
        ),
    ),
    (PORTAL, ERP),
    notes=("ConnectedApp/Legacy_ERP: nothing could be run, so nothing is known of what it does",),
    created="2026-05-04T09:00:00Z",
    seconds=1.5,
)
KEPT = VerifyReport(ORG, REPORT.verdicts[:1], (PORTAL,), created="2026-05-04T09:00:00Z")


def test_people_read_it_app_by_app():
    """The whole of it, as it stands in a terminal; what waits for one token is one line."""
    assert (
        f"{calls.verify(KEPT).splitlines()[0]}\n"
        "\n"
        "ExternalClientApplication/order_portal\n"
        "  ok       token exchange: through the handler PartnerIdp (granted, as pat@acme.example)\n"
        "  broken   token exchange: without the client secret   desired/apps/order_portal.yaml:14\n"
        "           high: granted, as pat@acme.example, although isSecretRequiredForTokenExchange is true\n"
        "           mend: compare the org with the files\n"
        "  ok       token exchange: with a wrong client secret\n"
        "  waiting  client credentials: as the service\n"
        "           high: refused, although the flow is switched on\n"
        "           Salesforce: invalid_client_id: client identifier invalid\n"
        "           mend: wait\n"
        "  not run  token exchange: with a token that has expired: give orgs.dev.verify.order_portal.expired\n"
        "\n"
        "ConnectedApp/Legacy_ERP\n"
        "  not run  2 calls, the first of JWT bearer: with key : give orgs.dev.verify.Legacy_ERP.private_key\n"
        "\n"
        "Notes:\n"
        "  ConnectedApp/Legacy_ERP: nothing could be run, so nothing is known of what it does\n"
        "\n"
        "Verify: 2 as promised, 1 broken, 1 waiting, 3 not run.\n"
    ) == calls.verify(REPORT)
    assert calls.verify(KEPT).endswith("Verify: 1 as promised, 0 broken, 0 not run.\n")


def test_machines_read_every_call():
    """A dashboard that counts what was run, and what was not."""
    told = json.loads(verify_document.verify(REPORT))
    first, broken, *_ = told["apps"][0]["calls"]

    assert {"as_promised": 2, "broken": 1, "waiting": 1, "not_run": 3} == told["summary"]
    assert told["errored"]
    assert ("granted", "as promised", True) == (first["promise"], first["standing"], first["sent"])
    assert ("refused", "broken", {"file": FILE, "line": 14, "column": 3}) == (
        broken["promise"],
        broken["standing"],
        broken["place"],
    )
    assert ["verify.granted", "verify.waiting"] == [finding["id"] for finding in told["findings"]]
    assert not json.loads(verify_document.verify(KEPT))["errored"]


def test_a_call_is_a_test():
    """A CI server shows one line a call: red, grey or green."""
    page = junit.page(of_verify(REPORT))
    suite = etree.fromstring(page.encode())[0]
    cases = {str(case.get("name")): [child.tag for child in case] for case in suite.iter("testcase")}

    assert_adds_up(page)
    assert ["failure"] == cases["token exchange: without the client secret"]
    assert ["system-out"] == cases["token exchange: through the handler PartnerIdp"]
    assert ["skipped"] == cases["token exchange: with a token that has expired"]
    assert {str(PORTAL), str(ERP)} == {case.get("classname") for case in suite.iter("testcase")}


def test_code_scanning_shows_the_broken_promise_at_its_line():
    """The alert stands where the setting is declared, and what was not run is told too."""
    run = run_of(of_verify(REPORT))
    found = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in run["results"]}
    first = found["verify.granted"]

    assert {"verify.granted", "verify.waiting"} == found.keys()
    assert (FILE, 14) == (first["artifactLocation"]["uri"], first["region"]["startLine"])
    assert 3 == sum(
        "not run" in note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]
    )


def test_pages_for_people_list_the_calls():
    """A comment and a page that only say that something is broken are not believed."""
    comment, page = markdown.page(of_verify(REPORT)), html_page.page(of_verify(REPORT))

    assert (
        "| **broken** | `ExternalClientApplication/order_portal` | token exchange | without the client secret"
        in comment
    )
    assert "Calls (7)" in page
    assert "<h1>Verify: " in page
    assert graph.mermaid(of_verify(REPORT))
    assert "verify.granted" in comment


def hostile(t: str) -> VerifyReport:
    app = Address("ExternalClientApplication", f"a{t}.")
    place = Place(f"desired/f{t}.", 3, 7, t)

    def made(name: str, standing: Standing, **more: object) -> Verdict:
        one = replace(probe(f"{name}{t}", t, app=app), because=t, path=(f"n{t}.",))
        return verdict(one, standing, t, mend=t, error=t, quote=t, place=place, **more)

    verdicts = (
        made("a", Standing.AS_PROMISED),
        made("b", Standing.BROKEN, id="verify.granted", severity=Severity.CRITICAL),
        made("c", Standing.WAITING, id="verify.waiting", severity=Severity.HIGH),
        made("d", Standing.NOT_RUN),
    )
    org: OrgInfo = org_of(t)
    return VerifyReport(org, verdicts, (app,), notes=(t,), bodies=resources(t), created=f"d{t}.")


def skeletons(t: str) -> dict[str, object]:
    made = hostile(t)
    pages = {name: skeleton(page(of_verify(made))) for name, (page, skeleton) in FORMATS.items()}
    return {"text": lines(calls.verify(made)), "json": of_json(verify_document.verify(made)), **pages}


@settings(max_examples=25, deadline=None)
@given(t=HOSTILE)
def test_no_text_changes_what_an_output_is(t):
    """Whoever verifies an org in which somebody else chooses names, and what an error says."""
    assert skeletons(harmless(t)) == skeletons(t)


def test_every_format_is_made_of_a_report_without_calls():
    """An app that promises nothing."""
    nothing = of_verify(VerifyReport(ORG, (), (PORTAL,), created="2026-05-04T09:00:00Z"))

    assert all(skeleton(page(nothing)) is not None for page, skeleton in FORMATS.values())
    assert [] == run_of(nothing)["results"]
    assert sarif.page(nothing)
