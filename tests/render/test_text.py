"""What a person reads: one trailer, no secret, nothing that a terminal or a CI runner obeys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Complaint, InputError, Place
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Change, FieldChange, Plan, Reason, Refusal, Release, Step
from reconciler.model.deployment import ComponentFailure, Deployed, Landing
from reconciler.model.finding import Attribution, Confidence, Finding, Touch, Unchecked
from reconciler.model.live import Modified, OrgInfo
from reconciler.model.reports import ApplyResult, DriftReport, StepResult
from reconciler.model.reports import ApplyResult as Result
from reconciler.render.json import baseline_document, documents
from reconciler.render.text import complaints, outcome, plain
from reconciler.render.words.safe import is_hidden, line
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import RawXml, SecretRef

from .samples import DRIFTS, GLOBAL, ORG, PLANS, RESULTS, finding, plan_of, update

PLAN_TRAILER = re.compile(r"^(Plan: .*\.|No changes\..*)$", re.MULTILINE)
DRIFT_TRAILER = re.compile(r"^(Drift: .*\.|No drift.*\.)$", re.MULTILINE)
RESULT_TRAILER = re.compile(r"^(Applied[:,] .*\.|Apply failed: .*\.|Not converged: .*\.|No changes\..*)$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

NASTY = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "\x1b[2J",
            "\x9b31m",
            "a\nNo changes.\nPlan: 0 to create",
            "\r\n::set-output name=x::y",
            "::error::boom",
            " ::add-mask::x",
            "##[command]x",
            "##vso[task.setvariable variable=x]y",
            "##teamcity[x]",
            "\u202egnp.exe",
            "\u2066hidden\u2069",
            "\u200bzero\u200d\ufeff",
            "line\u2028separator\u2029x\x85",
            "\ud800",
            "\U000e0041tag",
            ":",
            "#",
            "",
        ]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NASTY, st.just(SecretRef("env", "X")), NASTY.map(RawXml)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NASTY, inner, max_size=3)),
    max_leaves=6,
)
ADDRESSES = st.builds(
    Address,
    st.sampled_from(["ExtlClntAppGlobalOauthSettings", "ConnectedApp", "OauthTokenExchangeHandler"]) | NASTY,
    NASTY,
    st.just("") | NASTY.map(lambda app: f"enablements/{app}"),
)
PLACES = st.none() | st.builds(Place, NASTY, st.integers(0, 9), st.integers(0, 200), NASTY)
PATHS = st.lists(NASTY | st.sampled_from(["callbackUrl", "consumerSecret"]), min_size=1, max_size=3).map(tuple)
FIELDS = st.builds(
    FieldChange,
    PATHS,
    VALUES,
    VALUES,
    st.sampled_from(Direction),
    st.sampled_from(Severity),
    st.booleans(),
    st.booleans(),
    PLACES,
)
WHO = st.builds(Modified, NASTY, NASTY, NASTY)
BODIES = st.none() | st.dictionaries(NASTY | st.sampled_from(["callbackUrl", "idTokenConfig"]), VALUES, max_size=3)
CHANGES = st.builds(
    Change,
    ADDRESSES,
    BODIES,
    BODIES,
    st.sampled_from(Reason),
    st.lists(FIELDS, max_size=2).map(tuple),
    st.booleans(),
    NASTY,
    PLACES,
    WHO,
)
ATTRIBUTIONS = st.none() | st.builds(
    Attribution,
    st.just("") | NASTY,
    st.just("") | NASTY,
    st.just("") | NASTY,
    st.sampled_from(Confidence),
    NASTY,
    NASTY,
    st.booleans(),
    NASTY,
    st.lists(st.builds(Touch, NASTY, NASTY, NASTY, NASTY), max_size=7).map(tuple),
)
FINDINGS = st.builds(
    Finding,
    st.sampled_from(["drift.changed", "drift.gone"]) | NASTY,
    st.sampled_from(Severity),
    ADDRESSES,
    NASTY,
    PATHS | st.just(()),
    VALUES,
    VALUES,
    direction=st.sampled_from(Direction),
    modified=WHO,
    place=PLACES,
    ignored=st.booleans(),
    mend=NASTY,
    meaning=NASTY,
    subject=NASTY,
    position=st.none() | st.tuples(st.integers(1, 9), st.integers(1, 200)),
    also=st.lists(ADDRESSES, max_size=1).map(tuple),
    waived=st.just("") | NASTY,
    deferred=st.just("") | NASTY,
    attribution=ATTRIBUTIONS,
    known=st.none() | st.booleans(),
)
ORGS = st.builds(OrgInfo, NASTY, NASTY, NASTY, st.booleans(), NASTY, NASTY, NASTY)
STEPS = st.lists(CHANGES, max_size=2).map(lambda changes: Step(tuple(changes), ()))
UNCHECKED = st.builds(Unchecked, NASTY, ADDRESSES, NASTY, PATHS | st.just(()), PLACES)
PLANS_OF_ANYTHING = st.builds(
    Plan,
    ORGS,
    steps=st.lists(STEPS, max_size=2).map(tuple),
    drift=st.lists(FINDINGS, max_size=2).map(tuple),
    findings=st.lists(FINDINGS, max_size=1).map(tuple),
    unchecked=st.lists(UNCHECKED, max_size=1).map(tuple),
    refusals=st.lists(st.builds(Refusal, NASTY, st.none() | ADDRESSES, NASTY, NASTY), max_size=1).map(tuple),
    released=st.lists(st.builds(Release, ADDRESSES, PATHS), max_size=1).map(tuple),
    adopted=st.lists(ADDRESSES, max_size=1).map(tuple),
    notes=st.lists(NASTY, max_size=2).map(tuple),
    targets=st.lists(NASTY, max_size=1).map(tuple),
    created=NASTY,
)
RESULTS_OF_ANYTHING = st.builds(
    Result,
    PLANS_OF_ANYTHING,
    st.lists(
        st.builds(
            StepResult,
            STEPS,
            st.sampled_from(Landing),
            st.none()
            | st.builds(
                Deployed,
                NASTY,
                st.booleans(),
                NASTY,
                st.lists(st.builds(ComponentFailure, NASTY, NASTY, NASTY), max_size=1).map(tuple),
                NASTY,
                st.lists(NASTY, max_size=1).map(tuple),
            ),
        ),
        max_size=2,
    ).map(tuple),
    st.lists(CHANGES, max_size=1).map(tuple),
)
ERRORS = st.lists(st.builds(Complaint, NASTY, PLACES, NASTY, PLACES, NASTY), max_size=3).map(lambda c: InputError(*c))


def obeyed(output: str) -> list[str]:
    """What of an output a terminal or a CI runner would obey, or a reader could not see."""
    found = [repr(c) for c in output.replace("\n", "") if is_hidden(c)]
    found += [text for text in output.split("\n") if text.lstrip().startswith("::")]
    return found + re.findall(r"##(?:\[|vso\[|teamcity\[)", output)


@given(plan=PLANS_OF_ANYTHING, summary=st.booleans())
def test_a_plan_holds_nothing_that_is_obeyed_and_one_trailer(plan, summary):
    """Whoever reads plans of a pull request from a stranger, in a terminal or a CI log."""
    uncoloured = plain.plan(plan, summary=summary)

    assert [] == obeyed(uncoloured)
    assert 1 == len(PLAN_TRAILER.findall(uncoloured))
    assert uncoloured.endswith(PLAN_TRAILER.findall(uncoloured)[0] + "\n")
    assert [] == obeyed(documents.plan(plan))
    uncoloured.encode()


def test_nothing_is_managed_is_said_where_the_plan_would_manage_nothing_either():
    """Under a plan that creates or adopts something it is read as a contradiction."""
    app = Address("ExternalClientApplication", "order_portal")
    creates, adopts = plan_of(update(GLOBAL), undeclared_apps=3), plan_of(adopted=(app,), undeclared_apps=3)

    assert (
        "No changes. Nothing is managed: 3 apps are in no file; reconciler pull takes them in."
        == plain.plan_trailer(plan_of(undeclared_apps=3))
    )
    assert plain.plan_trailer(creates).endswith("to delete. 3 apps are in no file; reconciler pull takes them in.")
    assert "No changes. 1 to adopt. 3 apps are in no file; reconciler pull takes them in." == plain.plan_trailer(adopts)


@given(plan=PLANS_OF_ANYTHING)
def test_colours_change_no_word(plan):
    """Whoever compares a plan in a terminal with the same plan in a log."""
    assert plain.plan(plan) == COLOUR.sub("", plain.plan(plan, colour=True))


@given(org=ORGS, findings=st.lists(FINDINGS, max_size=3))
def test_drift_holds_nothing_that_is_obeyed_and_one_trailer(org, findings):
    """An administrator whose label is a terminal escape must not clear the log that reports it."""
    uncoloured = plain.drift(DriftReport(org, tuple(findings)))

    assert [] == obeyed(uncoloured)
    assert 1 == len(DRIFT_TRAILER.findall(uncoloured))
    assert [] == obeyed(documents.drift(DriftReport(org, tuple(findings))))


@given(result=RESULTS_OF_ANYTHING)
def test_a_result_holds_nothing_that_is_obeyed_and_one_trailer(result):
    """Whoever reads Salesforce's error text, which repeats what somebody wrote into a file."""
    uncoloured = outcome.apply_result(result)

    assert [] == obeyed(uncoloured)
    assert 1 == len(RESULT_TRAILER.findall(uncoloured))
    assert [] == obeyed(documents.apply_result(result))


@given(error=ERRORS)
def test_complaints_hold_nothing_that_is_obeyed(error):
    """Whoever runs check on a file that somebody else wrote."""
    assert [] == obeyed(complaints.complaints(error))
    assert [] == obeyed(documents.complaints(error))


@given(address=ADDRESSES, body=BODIES, protect=NASTY)
def test_the_baseline_holds_nothing_that_is_obeyed(address, body, protect):
    """Whoever lists what we manage in an org that others name things in."""
    held = Baseline("00D", "p", 1, resources={address: Applied(body or {}, protect=frozenset({protect}))})

    assert [] == obeyed(plain.baseline_list(held))
    assert [] == obeyed(plain.baseline_show(held))
    assert [] == obeyed(baseline_document.baseline(held))


SECRET = "s3cr3t-that-nobody-may-see"


def test_no_output_holds_a_secret():
    """Whoever's client secret was returned by an org with the deprecated toggle on."""
    inside = Change(
        Address("ConnectedApp", "Legacy_ERP"),
        {"oauthConfig": {"consumerSecret": SECRET, "callbackUrl": "https://a.example"}},
        {
            "oauthConfig": {"consumerSecret": SECRET, "new_secret": SECRET},
            "unknown": RawXml(f"<secret>{SECRET}</secret>"),
            "sessionPolicy": RawXml(f"<sessionPolicy><consumerSecret>{SECRET}</consumerSecret></sessionPolicy>"),
        },
        Reason.EDITED,
        (
            FieldChange(("oauthConfig", "consumerSecret"), SECRET, SECRET + "2", secret=True),
            FieldChange(("oauthConfig",), {"consumerSecret": SECRET}, None),
            FieldChange(("oauthConfig", "new_secret"), None, SECRET),
            FieldChange(("unmarked",), SECRET, None, secret=True),
        ),
    )
    created = Change(GLOBAL, None, {"consumerSecret": SECRET}, Reason.DECLARED)
    drifted = finding(path=("consumerSecret",), old=SECRET, new=SECRET + "2")
    plan = plan_of(inside, created, drift=(drifted,))
    held = Baseline("00D", "p", 1, resources={GLOBAL: Applied({"consumerSecret": SECRET})})
    outputs = [
        plain.plan(plan),
        documents.plan(plan),
        plain.drift(DriftReport(ORG, (drifted,))),
        documents.drift(DriftReport(ORG, (drifted,))),
        plain.baseline_show(held),
    ]

    assert [False] * 5 == [SECRET in output for output in outputs]
    assert all("(secret)" in output for output in (outputs[0], outputs[2], outputs[4]))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("uncoloured: text :: inside", "uncoloured: text :: inside"),
        ("Ü → 漢字 🙂", "Ü → 漢字 🙂"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202eevil\u200b", "\\u202eevil\\u200b"),
        ("\U000e0041", "\\U000e0041"),
        ("  ::error::x", "  \\x3a:error::x"),
        ("x ##[group]", "x #\\x23[group]"),
        ("C# ## title", "C# ## title"),
    ],
)
def test_a_line_shows_what_it_hides(raw, expected):
    """Whoever would approve a name that looks like another one."""
    assert expected == line(raw)


def test_a_line_is_bounded_only_on_request():
    """Whoever has to copy a long name from an error message."""
    assert "x" * 5000 == line("x" * 5000)
    assert "x" * 9 + "…" == line("x" * 5000, 10)


def test_a_summary_keeps_the_addresses_and_drops_the_fields():
    """Whoever puts a plan of 10,000 resources into a comment."""
    short = plain.plan(PLANS["an-app-is-created"], summary=True)

    assert 3 == len(re.findall(r"^  \+ ", short, re.MULTILINE))
    assert "callbackUrl" not in short


def test_ignored_drift_is_shown_and_not_counted():
    """Whoever ignores a field and still wants to know that it moves."""
    ignored = finding(path=("label",), old="a", new="b", ignored=True)

    assert plain.drift(DriftReport(ORG, (ignored,))).endswith("ignored by lifecycle.ignore)\n\nNo drift, 1 ignored.\n")


def test_certificates_are_named_by_digest_and_never_dumped():
    """Whoever reads a plan that replaces a certificate of 4,000 characters."""
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    shown = plain.plan(plan_of(update(GLOBAL, FieldChange(("certificate",), pem, None))))

    assert "MIIB" not in shown
    assert re.search(r"certificate: \(certificate, sha256 of its text [0-9a-f]{12}\) → \(unset\)", shown)


def test_big_sets_are_cut_and_counted():
    """Whoever reads the plan that first fills a list of 128 addresses."""
    many = frozenset(f"https://{i:03}.example" for i in range(100))
    shown = plain.plan(plan_of(update(GLOBAL, FieldChange(("callbackUrl",), frozenset(), many))))

    assert "+ https://000.example" in shown
    assert "… and 88 more" in shown


def test_a_set_that_the_org_keeps_as_one_text_is_shown_as_entries():
    """Whoever compares scopes in a plan with scopes in a file."""
    address = Address("ExtlClntAppOauthSettings", "order_portal")
    shown = plain.plan(plan_of(update(address, FieldChange(("commaSeparatedOauthScopes",), "Api, Web", "Api,Full"))))

    assert "commaSeparatedOauthScopes: + Full, - Web" in shown


def test_complaints_point_into_the_file():
    """Whoever has to find the one wrong character in a file of 2,000 lines."""
    error = InputError(
        Complaint(
            "'Ap' is not a scope",
            Place("desired/a.yaml", 7, 10, "  scopes: [Ap]\n"),
            mend="did you mean Api?",
            also=Place("desired/b.yaml", 2),
            quote="There's a problem with your scope(s): Ap",
        )
    )

    assert (
        "desired/a.yaml:7:10: 'Ap' is not a scope\n"
        "      scopes: [Ap]\n"
        "             ^\n"
        "  also at desired/b.yaml:2\n"
        "  mend: did you mean Api?\n"
        "  Salesforce: There's a problem with your scope(s): Ap\n"
    ) == complaints.complaints(error)


def test_the_caret_stays_under_its_column_in_a_very_long_line():
    """Whoever has a minified file, and a terminal of 200 columns."""
    source = "x" * 5000 + "!" + "y" * 5000
    shown = complaints.complaints(InputError(Complaint("odd", Place("f", 1, 5001, source)))).splitlines()

    assert len(shown[1]) < 200
    assert "!" == shown[1][shown[2].index("^")]


def test_samples_end_with_their_trailers():
    """The scripts that grep for them."""
    created = plain.plan(PLANS["an-app-is-created"]).splitlines()[-1]
    applied = outcome.apply_result(RESULTS["applied"]).splitlines()[-1]

    assert "Plan: 3 to create, 0 to update, 0 to delete." == created
    assert "No changes." == plain.plan(PLANS["nothing-to-do"]).splitlines()[-1]
    assert "No drift." == plain.drift(DriftReport(ORG, tuple(DRIFTS["drift-none"]))).splitlines()[-1]
    assert "Applied: 3 created, 0 updated, 0 deleted in 3.2 s." == applied


def test_what_came_between_us_and_the_org_is_not_put_into_its_mouth():
    """Whoever reads "Salesforce:" looks there, and not at the network; and is told what to do where nobody knows."""
    why = Complaint("acme cannot be reached: HTTP 503", mend="try again later")
    plan = PLANS["an-app-is-created"]
    for landing, status in ((Landing.UNKNOWN, "unknown"), (Landing.NOT_LANDED, "not sent")):
        done = Deployed("", False, status, error="acme cannot be reached: HTTP 503", why=(why,))
        said = outcome.apply_result(ApplyResult(plan, (StepResult(plan.steps[0], landing, done),)))

        assert "    error: acme cannot be reached: HTTP 503\n      mend: try again later\n" in said
        assert (False, landing is Landing.UNKNOWN) == ("Salesforce:" in said, "mend: apply --resume" in said)
