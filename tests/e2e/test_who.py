"""Two to five people at one app, in any order: `drift` may not know who did it, and must not name who did not."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.build import APP, GLOBAL, HANDLER, INTEGRATION, app, enablement, handler, handler_class, portal
from tests.e2e.stage import Person, Stage, staged

PEOPLE = ("dana@acme.example", "omar@acme.example", "fay@acme.example", "hal@acme.example", "uma@acme.example")
ENABLED = f"{HANDLER}/enablements/portal"
FIELDS = {
    GLOBAL: ("isIntrospectAllTokens", "isSecretRequiredForRefreshToken", "label", "callbackUrl"),
    APP: ("description", "infoUrl"),
    HANDLER: ("description", "isUserCreationAllowed"),
    ENABLED: ("isDefault", "apexExecutionUser"),
}
EDITS = st.sampled_from([(address, field) for address, fields in FIELDS.items() for field in fields])


def prepare(stage: Stage) -> None:
    for name in PEOPLE[1:]:
        stage.org.add_user(name, name.partition("@")[0].title(), profile="System Administrator")
    stage.source("PartnerIdpHandler", handler_class())
    declare(stage, "as it was")
    stage.apply()


def declare(stage: Stage, contact: str) -> None:
    """What the files say: of what people edit here, nothing but a few flags."""
    stage.declare(
        portal(isSecretRequiredForRefreshToken=True) | {"contactPhone": contact},
        app("other"),
        handler(),
        enablement("portal"),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("who") / "project", fresh_org, prepare) as stage:
        yield stage


def edited(person: Person, address: str, field: str, number: int) -> bool:
    """Change a field to something that it is not. False if the org did not take it."""
    now = person.held(address, field)
    if field == "apexExecutionUser":
        person.set(address, field, PEOPLE[0] if str(now) == INTEGRATION else INTEGRATION)
    elif (isinstance(now, str) and now.lower() in ("true", "false")) or field.startswith("is"):
        person.set(address, field, str(now).lower() != "true")
    else:
        person.set(address, field, f"https://{number}.acme.example/" if field.endswith("Url") else f"value {number}")
    return now != person.held(address, field)


@st.composite
def days(draw: st.DrawFn) -> list[tuple[str, str, str] | str]:
    """What happens to one record, by at least two people, and now and then to what hangs together with it."""
    address = draw(st.sampled_from(sorted(FIELDS)))
    people = draw(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=5, unique=True))
    here = st.sampled_from([(address, field) for field in FIELDS[address]])
    edits = [(who, *draw(here)) for who in people]
    more = st.tuples(st.sampled_from(people), EDITS).map(lambda pair: (pair[0], *pair[1]))
    steps = draw(st.permutations([*edits, *draw(st.lists(more | st.sampled_from(["apply", "accept"]), max_size=4))]))
    return list(steps)


@settings(max_examples=20, deadline=None)
@given(steps=days(), names_fields=st.booleans())
def test_who_did_not_touch_a_field_is_never_named_as_the_one_who_did(
    stage: Stage, steps: list[tuple[str, str, str] | str], names_fields: bool
):
    """Through the real wire, with enablements by DML and deployments of ours in between: she would be called at night for
    what a colleague did."""
    stage.restore()
    stage.org.switch("audit_names_fields", names_fields)
    did: dict[tuple[str, str], set[str]] = defaultdict(set)
    at: dict[str, set[str]] = defaultdict(set)
    for number, step in enumerate(steps):
        if step == "apply":
            declare(stage, f"0{number}")
            stage.apply()
        elif step == "accept":
            for address in sorted({one["address"] for one in stage.findings()}):
                stage.accept(address)
        elif not isinstance(step, str):
            who, address, field = step
            if edited(stage.person(who), address, field, number):
                did[address, field].add(who)
                at[address].add(who)

    for one in stage.findings():
        found, key = one["attribution"], (one["address"], one["path"][0])
        named = {found["by"]} - {""}
        assert named <= did[key], (one, did)
        assert named or found["because"]
        assert named | {other["by"] for other in found["also_touched"]} <= at[one["address"]] | {
            stage.org.admin_username
        } | (at[HANDLER] if "/enablements/" in one["address"] else set())


def test_an_edit_elsewhere_in_the_record_puts_nothing_on_its_editor(stage: Stage):
    """Omar moved the callback, and Dana corrected the label afterwards: both are told, and neither is called the one."""
    stage.restore()
    stage.person("omar@acme.example").set(GLOBAL, "callbackUrl", "https://elsewhere.example/cb")
    stage.person("dana@acme.example").set(GLOBAL, "label", "Better")

    moved = next(one for one in stage.findings() if one["path"] == ["callbackUrl"])["attribution"]
    text = stage.run("drift").out

    assert ("", ["dana@acme.example", "omar@acme.example"]) == (
        moved["by"],
        [one["by"] for one in moved["also_touched"]],
    )
    assert "which of them changed it, no audit entry tells" in text
    assert "changed by" not in text


def test_what_was_accepted_puts_nothing_on_who_did_it(stage: Stage):
    """Omar's edit is agreed to; the next one, of somebody else, has a name all the same."""
    stage.restore()
    stage.person("omar@acme.example").set(GLOBAL, "label", "Theirs")
    stage.accept(GLOBAL)
    stage.person("dana@acme.example").set(GLOBAL, "callbackUrl", "https://elsewhere.example/cb")

    (moved,) = stage.findings()

    assert "dana@acme.example" == moved["attribution"]["by"]


def test_against_the_files_nobody_is_named_for_what_only_the_files_moved(stage: Stage):
    """The file says something else since today; who was at the record last has nothing to do with it."""
    stage.restore()
    stage.person("dana@acme.example").set(GLOBAL, "label", "Better")
    declare(stage, "moved")

    found = stage.run("drift", "--against", "desired", "--output", "json").json["findings"]

    assert [("contactPhone", "", False)] == [
        (one["path"][0], one["attribution"]["by"], "dana" in str(one["attribution"])) for one in found
    ]
