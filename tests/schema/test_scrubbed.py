"""Fields that a recording does not tell: what may be equal is equal, and nothing hides behind it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from reconciler.drift.compare import findings
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.declared import Origin, Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState, OrgInfo
from reconciler.plan.draft import draft
from reconciler.rules import Broken, all_rules, judge
from reconciler.schema.scrubbed import could_be_source, could_be_value
from reconciler.world.world import UNKNOWN, World

APP = Address("ExternalClientApplication", "portal")
MARK = "scrubbed-0123456789abcdef@scrubbed.invalid"


@pytest.mark.parametrize(
    ("left", "value", "expected"),
    [
        (("", ""), "anything\nat all", True),
        (("", ""), None, True),
        (("", ""), ["a"], True),
        (("a '", "' b"), "a 'secret' b", True),
        (("a '", "' b\n"), "a 'it\\'s one' b", True),
        (("a '", "' b"), "a '' b", True),
        (("a '", "' b"), "a 'x'; evil(); y = 'z' b", False),
        (("a '", "' b"), "a 'x\ny' b", False),
        (("a '", "' b"), "c 'x' b", False),
        (("a '", "' b"), None, False),
        (("// by ", "\n", "\nend"), "// by ada@x.y\nbob@x.y\nend", True),
        (("// by ", "\nend"), "// by ada@x.y\nevil()\nend", False),
        (("// by ", " end"), "// by ada, evil end", False),
        (("a\r\n'", "'\r\n"), "a\n'x'\n", True),
        (("'", "' '", "'"), "'a' 'b'", True),
        (("'", "' '", "'"), "'a'  'b'", False),
    ],
)
def test_a_value_fits_if_it_may_be_what_was_scrubbed(left: tuple[str, ...], value: object, expected: bool) -> None:
    """Too strict, and every replay cries wolf; too lax, and a line of code vanishes behind a mark."""
    assert expected is could_be_source(left, value)


URL = "https://a.example/cb"


@pytest.mark.parametrize(
    ("left", "value", "expected"),
    [
        (("", ""), None, True),
        (("", ""), [URL], True),
        (("ask ", " first"), "ask ada@x.y first", True),
        (("key: ", ""), "key: -----BEGIN\nx\n-----END", True),
        (("ask ", " first"), "ask ada@x.y", False),
        (("ask ", " first"), "", False),
        (("ask ", " first"), None, False),
        (("ask ", " first"), 7, False),
        (("a", "a"), "a", False),
        (("a ", " b ", " c "), "a x b y c", True),
        (("a ", " b ", " c"), "a x c y b", False),
        ((f"{URL}?sid=", ""), [f"{URL}?sid=x"], True),
        ((f"{URL}?sid=", ""), [URL], False),
        ((f"{URL}?sid=", ""), URL, False),
        ((f"{URL}\n{URL}?sid=", ""), [f"{URL}?sid=x", URL], True),
        ((f"{URL}\n{URL}?sid=", ""), [URL], False),
        ((f"{URL}\n{URL}?sid=", ""), [URL, "https://b.example"], False),
        ((f"{URL}\n", ""), [URL], False),
        ((f"{URL}\nforce", "\n"), [URL], False),
        (("", ", Admins"), ["ada@x.y", "Admins"], True),
        (("", ", Admins"), ["ada@x.y"], False),
    ],
)
def test_a_scrubbed_word_hides_nothing_around_it(left: tuple[str, ...], value: object, expected: bool) -> None:
    """`?sid=` at the end of a callback URL of their own, and no replay would tell that somebody has added it."""
    assert expected is could_be_value(left, value)


def test_a_callback_url_that_looks_like_a_secret_has_drifted() -> None:
    """The worst change there is, and the cheapest to hide."""
    settings = Address("ExtlClntAppGlobalOauthSettings", "portal")
    owner = {"externalClientApplication": "portal"}
    held = {**owner, "callbackUrl": "https://evil.example/cb?sid=(scrubbed)"}
    org = replace(
        live(),
        resources={settings: LiveResource(settings, held, "portal")},
        scrubbed={settings: {("callbackUrl",): ("https://evil.example/cb?sid=", "")}},
    )
    baseline = Baseline("00D", serial=1, resources={settings: Applied({**owner, "callbackUrl": URL}, "portal")})

    assert ["callbackUrl"] == [finding.path[0] for finding in findings(baseline, org)]


def live(**body: object) -> LiveState:
    held = {"label": "Portal", "contactEmail": MARK, "distributionState": "Local", **body}
    scrubbed = {APP: {("contactEmail",): ("", "")}}
    return LiveState(OrgInfo("00D", api_version="66.0"), {APP: LiveResource(APP, held, "portal")}, scrubbed=scrubbed)


def test_a_plan_changes_nothing_that_was_scrubbed() -> None:
    """The address in the file is the org's, as far as anybody can tell."""
    body = {"label": "Portal", "contactEmail": "iam@acme.example", "distributionState": "Local"}
    desired = Snapshot({APP: Resource(APP, body, Origin("a.yaml", 1))})

    assert () == draft(desired, live(), Baseline()).changes
    (change,) = draft(desired, live(label="Other"), Baseline()).changes
    assert ["label"] == [field.name for field in change.fields]


@pytest.mark.parametrize("known", [{"contactEmail": "iam@acme.example"}, {}])
def test_what_was_scrubbed_has_not_drifted(known: dict[str, str]) -> None:
    """A nightly check on a recording would page somebody for each address of the org."""
    applied = Applied({"label": "Portal", "distributionState": "Local", **known}, "portal")
    baseline = Baseline("00D", serial=1, resources={APP: applied})

    assert [] == list(findings(baseline, live()))
    assert ["label"] == [finding.path[0] for finding in findings(baseline, live(label="Other"))]


def test_how_many_fields_are_not_comparable_is_told() -> None:
    """Silence about them would look like agreement."""
    (note,) = live().not_comparable

    assert (
        "1 field is not comparable, scrubbed from the recording: ExternalClientApplication/portal.contactEmail" == note
    )


def world(*, after: str = MARK) -> World:
    """The org with one scrubbed address, as it would be once `after` stood there."""
    before = {address: have.body for address, have in live().resources.items()}
    bodies = {APP: {**before[APP], "contactEmail": after}}
    return World(bodies, complete=True, today=date(2026, 3, 1), live=before, scrubbed=live().scrubbed)


def test_a_rule_sees_that_nobody_knows_what_was_scrubbed() -> None:
    """A rule that judges a pseudonym finds fault with what is in order."""
    assert UNKNOWN is world().value(APP, ("contactEmail",))
    assert "Portal" == world().value(APP, ("label",))
    assert "was scrubbed from the recording" in world().why_unknown(APP)


def test_what_a_plan_writes_in_its_place_is_known() -> None:
    """The file says it: that it was scrubbed in the org is no reason to let it pass."""
    assert "ada@acme.example" == world(after="ada@acme.example").value(APP, ("contactEmail",))


def test_a_rule_that_looks_past_it_is_not_believed() -> None:
    """Rules may read bodies as they are."""

    def check(_: World) -> Iterator[Broken]:
        yield Broken(APP, "no address of ours", ("contactEmail",))
        yield Broken(APP, "no good label", ("label",))

    rule = replace(next(iter(all_rules().values())), id="X1", check=check)

    findings, unchecked = judge(world(), rules=[rule])

    assert [("label",)] == [finding.path for finding in findings]
    assert [("contactEmail",)] == [one.path for one in unchecked]
