"""Who did it, and how sure that is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drift.attribution import attributed
from reconciler.model.address import Address
from reconciler.model.facts import AuditEntry, Deployment, History, moment
from reconciler.model.finding import Attribution, Confidence, Finding, Touch
from reconciler.model.live import Modified
from reconciler.schema.severity import Severity

DANA, ELI, CI = "005000000000001AAA", "005000000000002AAA", "005000000000009AAA"
NAMES = {DANA: "dana@acme.example", ELI: "eli@acme.example", CI: "ci@acme.example"}
GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
APP = "ExternalClientApplication/portal"
ENABLED = "OauthTokenExchangeHandler/Idp/enablements/portal"
RECORDS = {GLOBAL: "portal_glbloauth"}
NOON = "2026-03-01T12:00:00.000Z"


def finding(
    address: str = GLOBAL, by: str = DANA, date: str = NOON, id: str = "drift.changed", path: tuple[str, ...] = ("x",)
) -> Finding:
    modified = Modified("Dana Reyes" if by == DANA else by, by, date) if by else Modified()
    return Finding(id, Severity.HIGH, Address.parse(address), "x changed", path, modified=modified)


def gone(address: str = GLOBAL) -> Finding:
    return finding(address, by="", id="drift.gone")


def entry(display: str, by: str = DANA, date: str = NOON, delegate: str = "") -> AuditEntry:
    return AuditEntry(NAMES.get(by, by), by, date, "External Client Apps", display, delegate)


def deployment(id: str = "0Af000000000001AAA", by: str = DANA, **more: Any) -> Deployment:
    fields = {"status": "Succeeded", "started": "2026-03-01T11:59:50Z", "completed": "2026-03-01T12:00:10Z", **more}
    return Deployment(id, by=NAMES.get(by, by), by_id=by, **fields)


def judged(
    found: Finding, *entries: AuditEntry, ours: tuple[str, ...] = (), as_of: Modified = Modified(), **history: Any
) -> Finding:
    records = {Address.parse(text): record for text, record in RECORDS.items()}
    (one,) = attributed([found], History(entries, **history), ours, records, {found.address: as_of})
    return one


def who(found: Finding, *entries: AuditEntry, **more: Any) -> tuple[str, str]:
    attribution = judged(found, *entries, **more).attribution
    assert attribution is not None
    return attribution.by, str(attribution.confidence)


def touched(found: Finding, *entries: AuditEntry, **more: Any) -> tuple[str, ...]:
    """Who else touched it, where nobody is named everybody who did."""
    attribution = judged(found, *entries, **more).attribution
    assert attribution is not None
    return tuple(one.by for one in attribution.also)


# -- how sure ----------------------------------------------------------------------------------------------------------


def test_two_sources_that_agree_are_high():
    """With less than this nobody should be asked why."""
    because = "the audit trail agrees, and has no entry of another user"
    assert Attribution("dana@acme.example", DANA, "2026-03-01T12:00:00Z", Confidence.HIGH, because=because) == (
        judged(finding(), entry("Changed portal_glbloauth")).attribution
    )


@pytest.mark.parametrize(
    ("display", "confidence"),
    [
        ("Changed PORTAL_GLBLOAUTH.", "high"),
        ("Changed external client app portal", "high"),
        ("Changed external client app 'portal': callback URL", "high"),
        ("Changed portal_oauth", "unknown"),
        ("Changed customer_portal", "unknown"),
        ("Changed the portals", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_entry_counts_if_it_names_the_record_or_its_app(display: str, confidence: str):
    """`portal` in the middle of another app's name would confirm what never happened."""
    assert confidence == who(finding(), entry(display))[1]


@pytest.mark.parametrize(
    ("date", "confidence"),
    [
        ("2026-03-01T12:01:59.000+0000", "high"),
        ("2026-03-01T11:58:01.000+0000", "high"),
        ("2026-03-01T13:00:30.000+01:00", "high"),
        ("2026-03-01T12:02:01.000+0000", "medium"),
        ("2026-03-01T11:57:59.000+0000", "medium"),
        ("yesterday", "medium"),
    ],
)
def test_an_entry_counts_within_two_minutes(date: str, confidence: str):
    """The same person's edit of last week is another edit."""
    assert confidence == who(finding(), entry("Changed portal_glbloauth", date=date))[1]


def test_of_two_people_at_one_record_neither_is_named():
    """Eli moved the callback and Dana corrected the label an hour later: she would have to answer for what he did."""
    mine, theirs = entry("Changed portal_glbloauth"), entry("Changed portal_glbloauth", ELI, "2026-03-01T09:00:00Z")
    expected = Attribution(
        because="which of them changed it, no audit entry tells",
        also=(
            Touch("dana@acme.example", DANA, "2026-03-01T12:00:00Z"),
            Touch("eli@acme.example", ELI, "2026-03-01T09:00:00Z"),
        ),
    )

    assert expected == judged(finding(), mine, theirs).attribution


def test_somebody_else_s_entry_for_another_record_of_the_app_casts_no_doubt():
    """As long as the trail is precise, an app that many people work on still has findings with a name."""
    others = [entry("Changed portal_oauth", ELI), entry("Changed portal", ELI)]

    assert "high" == who(finding(), entry("Changed portal_glbloauth"), *others)[1]
    assert "unknown" == who(finding(), entry("Changed app portal"), *others)[1]


def test_an_entry_that_only_names_the_app_convicts_nobody_of_what_they_did_not_touch_last():
    """Eli changed the app; what became of the record left no entry, and our own deployment touched it last."""
    ours = deployment(by=CI)
    mine = {"deployments": (ours,), "ours": (ours.id,)}

    assert ("", "unknown") == who(finding(by=CI), entry("Changed portal", ELI, "2026-03-01T09:00:00Z"), **mine)
    written = entry("Changed portal_glbloauth", CI)
    assert () == tuple(
        one for one in touched(finding(by=CI), written, entry("Changed portal", ELI), **mine) if "eli" in one
    )


@pytest.mark.parametrize(
    ("display", "named"),
    [
        ("Changed portal_glbloauth: callbackUrl", True),
        ("Changed external client app portal: Callback URL", True),
        ("Changed callback url of portal", True),
        ("Changed portal: isIntrospectAllTokens", False),
        ("Changed portal_glbloauth", False),
        ("Changed portal: callbackUrls", False),
        ("Changed portal: otherCallbackUrl", False),
        ("Changed label of portal to callbackUrl", False),
        ("Changed label of portal from callback url to x", False),
        ("Changed portal: label 'callbackUrl'", False),
        ('Changed portal: label "callback url"', False),
    ],
)
def test_whose_entry_names_the_field_is_named(display: str, named: bool):
    """However often others were at the record since, and however the entry spells the field."""
    mine, theirs = entry("Changed portal"), entry(display, ELI, "2026-03-01T09:00:00Z")
    found = finding(path=("callbackUrl",))

    assert (("eli@acme.example", "medium") if named else ("", "unknown")) == who(found, mine, theirs)
    assert named is ("eli@acme.example" not in touched(found, mine, theirs))


def test_an_app_that_is_called_like_a_field_names_none():
    """Every entry of it would name the field."""
    address = "ExternalClientApplication/label"
    entries = entry("Changed app label", ELI, "2026-03-01T09:00:00Z"), entry("Changed app label", DANA)

    assert ("", "unknown") == who(finding(address, path=("label",)), *entries)


def test_the_latest_of_those_whose_entries_name_the_field_is_named_and_of_two_in_one_second_none():
    """Both moved it; which value is there now, the order tells."""
    found, first = finding(path=("callbackUrl",)), entry("Changed portal: callbackUrl", ELI, "2026-03-01T09:00:00Z")
    second = entry("Changed portal: callbackUrl")

    assert ("dana@acme.example", "medium") == who(found, second, first)
    assert ("", "unknown") == who(found, second, entry("Changed portal: callbackUrl", ELI))


def test_alone_and_with_the_field_named_it_is_high():
    """Nothing is left to doubt, though our own deployment touched the record since."""
    found = finding(path=("callbackUrl",), by=CI)
    ours = deployment(by=CI)

    assert ("eli@acme.example", "high") == who(
        found,
        entry("Changed portal: callbackUrl", ELI, "2026-03-01T09:00:00Z"),
        deployments=(ours,),
        ours=(ours.id,),
    )


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        (Modified("", ELI, "2026-03-01T09:00:00Z"), True),
        (Modified("", CI, "2026-03-01T09:00:01Z"), True),
        (Modified("", CI, "2026-03-01T09:00:00Z"), False),
        (Modified("", ELI, "2026-03-01T08:59:59Z"), False),
        (Modified("", ELI, "once"), False),
        (Modified(), False),
    ],
)
def test_what_the_baseline_has_seen_is_not_what_changed_it(seen: Modified, named: bool):
    """Last month's colleagues would come into question for good; in one second only the same user's entry is the same."""
    mine, theirs = entry("Changed portal_glbloauth"), entry("Changed portal_glbloauth", ELI, "2026-03-01T09:00:00Z")

    assert ("high" if named else "unknown") == who(finding(), mine, theirs, as_of=seen)[1]


def test_a_trail_that_was_read_in_part_proves_nobody_the_only_one():
    """Who was there before its oldest entry is not in it."""
    mine, cut = entry("Changed portal_glbloauth"), {"audit": "only its newest 2 entries were read"}

    assert ("", "unknown") == who(finding(), mine, unknown=cut)
    assert "was read back to 2026-03-01T12:00:00.000Z only" in judged(finding(), mine, unknown=cut).attribution.because
    later = entry("Changed something else", CI, "2026-03-01T08:00:00Z")
    assert "high" == who(finding(), mine, later, unknown=cut, as_of=Modified("", CI, "2026-03-01T09:00:00Z"))[1]
    assert "unknown" == who(finding(), mine, later, unknown=cut, as_of=Modified("", CI, "2026-03-01T07:00:00Z"))[1]


def test_entries_of_our_own_deployments_cast_no_doubt():
    """They wrote what the baseline holds; without this nothing after an apply would have a name."""
    ours = deployment(by=CI, started="2026-03-01T10:00:00Z", completed="2026-03-01T10:01:00Z")
    written = entry("Changed portal_glbloauth", CI, "2026-03-01T10:00:30Z")
    mine = entry("Changed portal_glbloauth")

    assert "unknown" == who(finding(), mine, written, deployments=(ours,))[1]
    assert "high" == who(finding(), mine, written, deployments=(ours,), ours=(ours.id[:15],))[1]


def test_our_own_deployment_is_no_proof():
    """Dana's edit left no line in the trail; the next apply, of another field, touched the record last. It did not do it."""
    ours = deployment(by=CI)
    written = entry("Changed portal_glbloauth", CI, NOON)
    mine = {"deployments": (ours,), "ours": (ours.id,)}

    assert (("", "unknown"), ("ci@acme.example",)) == (
        who(finding(by=CI), written, **mine),
        touched(finding(by=CI), written, **mine),
    )
    assert "high" == who(finding(by=CI), written, deployments=(ours,))[1]


def test_an_edit_before_our_own_deployment_still_has_its_name():
    """The deployment touched the record last and left alone what no file declares."""
    ours = deployment(by=CI)
    written, mine = (
        entry("Changed portal_glbloauth", CI),
        entry("Changed portal_glbloauth", ELI, "2026-03-01T09:00:00Z"),
    )

    assert ("eli@acme.example", "medium") == who(finding(by=CI), written, mine, deployments=(ours,), ours=(ours.id,))


def test_no_id_is_nobodys_id():
    """Lines of processes without a user must not lend somebody their name, or confirm what they did."""
    nameless = Finding(
        "drift.changed", Severity.HIGH, Address.parse(GLOBAL), "x", ("x",), modified=Modified("Dana", "", NOON)
    )
    entries = entry("Changed portal_glbloauth", by=""), AuditEntry("x", "", NOON, "", "")

    assert (("", "unknown"), {"Dana", ""}) == (who(nameless, *entries), set(touched(nameless, *entries)))


def test_without_an_audit_trail_nobody_is_named():
    """The record's last change is all there is, and may have been to another field; the org gives a person's name and not
    the username."""
    found = judged(finding(), unknown={"audit": "not supported"}).attribution

    assert (
        Attribution(
            because="the audit trail could not be read, so others may have touched it before",
            also=(Touch("Dana Reyes", DANA, "2026-03-01T12:00:00Z"),),
        )
        == found
    )


def test_a_display_name_becomes_a_username_wherever_the_org_tells_it():
    """Two people may have the same name."""
    assert ("dana@acme.example",) == touched(finding(), entry("Changed something else", date="2026-01-01T00:00:00Z"))
    assert ("dana@acme.example",) == touched(finding(), deployments=(deployment(started="", completed=""),))


def test_ids_agree_on_their_first_fifteen_characters():
    """Reports and metadata disagree about the length of an id."""
    assert "high" == who(finding(by=DANA[:15]), entry("Changed portal"))[1]


def test_nobody_is_named_without_a_source():
    """A wrong name is worse than none."""
    assert Attribution() == judged(finding(by=""), entry("Changed the weather")).attribution
    assert Attribution().by == judged(finding(by=""), entry("Changed portal")).attribution.by


# -- what is gone ------------------------------------------------------------------------------------------------------


def test_what_is_gone_has_the_last_one_who_deleted_it():
    """Nothing is left that could say who; the trail still does."""
    entries = [
        entry("Deleted ExtlClntAppGlobalOauthSettings portal_glbloauth", ELI, "2026-03-01T10:00:00Z"),
        entry("Deleted ExtlClntAppGlobalOauthSettings portal_glbloauth", DANA, "2026-03-01T12:00:00Z"),
        entry("Changed ExtlClntAppGlobalOauthSettings portal_glbloauth", CI, "2026-03-01T13:00:00Z"),
    ]

    assert ("dana@acme.example", "medium") == who(gone(), *entries)


def test_what_we_made_anew_was_not_deleted_by_us():
    """Last month's `--replace` deleted the record by name; of its end with its app the trail names the app only."""
    ours = deployment(by=CI, started="2026-02-01T10:00:00Z", completed="2026-02-01T10:01:00Z")
    replaced = entry("Deleted portal_glbloauth", CI, "2026-02-01T10:00:30Z")
    mine = {"deployments": (ours,), "ours": (ours.id,)}

    assert "dana@acme.example" == who(gone(), replaced, entry("Deleted app portal"), **mine)[0]
    assert "ci@acme.example" == who(gone(), replaced, **mine)[0]


def test_a_satellite_went_with_its_app():
    """Deleting an app takes its satellites along, and only the app is named."""
    entries = [entry("Changed portal_glbloauth", ELI), entry("Deleted ExternalClientApplication portal", DANA)]

    assert ("dana@acme.example", "medium") == who(gone(), *entries)


def test_a_change_is_no_deletion():
    """Whoever touched it last did not necessarily delete it."""
    assert (("", "unknown"), ("dana@acme.example",)) == (
        who(gone(), entry("Changed portal_glbloauth")),
        touched(gone(), entry("Changed portal_glbloauth")),
    )


# -- enablements -------------------------------------------------------------------------------------------------------


def test_an_enablement_has_its_own_row_s_change_and_never_its_handler_s():
    """A DML on the row leaves the handler's date alone: its last editor would be blamed for a stranger's change."""
    row = {("idp", "Portal"): ("eli@acme.example", ELI, "2026-03-01T15:00:00.000+0000")}

    (last,) = judged(finding(ENABLED), enablements=row).attribution.also
    assert ("eli@acme.example", "2026-03-01T15:00:00Z") == (last.by, last.date)
    written = entry("Changed enablement of portal for Idp", ELI, "2026-03-01T15:00:00Z")
    assert "high" == who(finding(ENABLED), written, enablements=row)[1]
    assert ("", "unknown") == who(finding(ENABLED))


def test_an_enablement_without_a_row_has_whom_an_entry_of_it_names():
    """An enablement that was taken away may leave entries of its handler only: whoever wrote them was at the handler."""
    one, two = entry("Changed handler Idp", ELI), entry("Changed handler Idp", DANA)

    assert (("", "unknown"), ("eli@acme.example",)) == (
        who(gone(ENABLED), one, entry("Changed app portal", DANA)),
        touched(gone(ENABLED), one, entry("Changed app portal", DANA)),
    )
    assert ("", "unknown") == who(gone(ENABLED), one, two)
    removed = entry("Removed app portal from handler Idp", DANA)
    assert ("dana@acme.example", "medium") == who(gone(ENABLED), one, removed)


def test_a_handler_s_deployment_may_have_changed_an_enablement():
    """Its entry names the handler alone: Eli, who changed the row afterwards, is not the only one who may have done it."""
    row = {("Idp", "portal"): ("eli@acme.example", ELI, NOON)}
    entries = entry("Changed enablement of portal for Idp", ELI), entry("Changed handler Idp", DANA)

    assert ("", "unknown") == who(finding(ENABLED), *entries, enablements=row)


def test_a_row_that_is_left_says_nothing_of_one_that_is_gone():
    """An app may be enabled twice, as a connected app and as an external client app of the same name."""
    row = {("Idp", "portal"): ("eli@acme.example", ELI, NOON)}

    assert ("", "unknown") == who(gone(ENABLED), enablements=row)


# -- on behalf of ------------------------------------------------------------------------------------------------------


def test_a_delegate_is_named():
    """Somebody had logged in as Dana: she was not even there."""
    found = judged(finding(), entry("Changed portal_glbloauth", delegate="fay@acme.example")).attribution

    assert ("dana@acme.example", "fay@acme.example") == (found.by, found.delegate)


def test_a_delegate_is_named_even_if_the_entry_is_about_something_else():
    """The trail does not name everything; whoever was logged in as Dana at that minute should be asked first."""
    near = entry("Changed the weather", delegate="fay@acme.example")
    far = entry("Changed the weather", date="2026-03-01T08:00:00Z", delegate="fay@acme.example")

    assert ["fay@acme.example"] == [one.delegate for one in judged(finding(), near).attribution.also]
    assert [""] == [one.delegate for one in judged(finding(), far).attribution.also]


# -- deployments -------------------------------------------------------------------------------------------------------


def test_our_own_deployment_is_recognised_by_its_id():
    """A change that we made ourselves needs no detective."""
    mine = judged(finding(), deployments=(deployment(),), ours=("0Af000000000001",))
    other = judged(finding(), deployments=(deployment(),), ours=("0Af000000000002AAA",))

    assert ("0Af000000000001AAA", True, "") == (mine.attribution.deployment, mine.attribution.ours, mine.deferred)
    assert ("0Af000000000001AAA", False) == (other.attribution.deployment, other.attribution.ours)


@pytest.mark.parametrize(
    "more",
    [
        {"by": ELI},
        {"completed": "2026-03-01T11:59:59Z"},
        {"started": "2026-03-01T12:00:01Z"},
        {"check_only": True},
        {"status": "Failed"},
        {"status": "Canceled"},
        {"started": "", "completed": "", "status": "Pending"},
        {"started": "soon"},
        {"completed": ""},
    ],
)
def test_a_deployment_that_did_not_change_it_is_not_blamed(more: dict[str, Any]):
    """Another user's, an earlier one, a later one, a validation, one that was rolled back."""
    assert "" == judged(finding(), deployments=(deployment(**more),)).attribution.deployment


@pytest.mark.parametrize("status", ["InProgress", "Finalizing", "Canceling"])
def test_what_a_deployment_in_flight_changed_is_deferred(status: str):
    """In a few minutes it will be in somebody's baseline, or rolled back: nobody should be woken up for it."""
    flying = deployment(status=status, completed="")
    found = judged(finding(), deployments=(flying,))

    assert (flying.id, False) == (found.deferred, found.counts)
    assert flying.id == found.attribution.deployment
    assert "" == judged(finding(date="2026-03-01T11:00:00Z"), deployments=(flying,)).deferred
    assert "" == judged(finding(by=ELI), deployments=(flying,)).deferred


def test_what_a_deployment_in_flight_deletes_is_deferred():
    """The trail gives the date that the record no longer has."""
    flying = deployment(status="InProgress", completed="")

    assert flying.id == judged(gone(), entry("Deleted portal_glbloauth"), deployments=(flying,)).deferred


# -- what may come -----------------------------------------------------------------------------------------------------


def test_findings_come_back_in_order_and_otherwise_unchanged():
    """The engine renders them in the order in which they were found."""
    found = [finding(), finding(APP), gone()]
    back = attributed(found, History(), (), {})

    assert [(f.id, f.address, f.message, f.path) for f in found] == [(f.id, f.address, f.message, f.path) for f in back]


def test_a_name_that_is_no_word_is_found_as_a_whole():
    """A connected app's name may hold spaces or dots."""
    address = "ConnectedApp/Order Portal (2.0)"

    assert "high" == who(finding(address), entry("Changed app Order Portal (2.0)."))[1]
    assert "unknown" == who(finding(address), entry("Changed app Order Portal (2.0)x"))[1]
    assert "unknown" == who(finding("ConnectedApp/..."), entry("Changed app ..."))[1]


TEXTS = st.text(max_size=12) | st.sampled_from(
    ["portal", "Deleted portal", NOON, "0001-01-01T00:00:00+14:00", "-", DANA]
)


@given(texts=st.lists(TEXTS, min_size=12, max_size=12), address=st.sampled_from([GLOBAL, APP, ENABLED]))
def test_no_answer_of_an_org_breaks_it(texts: list[str], address: str):
    """Dates that are none, ids that are none, names from nowhere."""
    a, b, c, d, e, f, g, h, i, j, k, m = texts
    history = History((AuditEntry(a, b, c, d, e, f),), (Deployment(g, h, i, b, c, j),), {("Idp", "portal"): (k, b, c)})
    found = Finding(m, Severity.LOW, Address.parse(address), "x", modified=Modified(a, b, c))

    (one,) = attributed(
        [
            found,
        ],
        history,
        [g],
        {},
    )
    assert isinstance(one.attribution, Attribution)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00.000+0000", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00"),
        ("2026-13-01T12:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_a_date_is_read_however_an_org_spells_it(text: str, expected: str | None):
    """FileProperties say Z, queries say +0000."""
    found = moment(text)
    assert expected == (found.isoformat() if found is not None else None)
