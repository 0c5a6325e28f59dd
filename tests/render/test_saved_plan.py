"""A plan that was saved is the plan that is read, or it is refused."""

import json

import pytest
from hypothesis import given

from reconciler.errors import InputError, RefusedError
from reconciler.model import effects
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Change, FieldChange, Reason
from reconciler.model.saved_plan import SavedPlan
from reconciler.render.json import baseline_document, documents, saved
from reconciler.render.json.saved import read_plan
from reconciler.schema.values import RawXml

from .samples import GLOBAL, HANDLER, PLANS, finding, plan_of, update
from .test_text import PLANS_OF_ANYTHING


def changed(text: str, **more: object) -> str:
    return json.dumps({**json.loads(text), **more})


def test_what_was_saved_is_what_is_read():
    """Whoever approved exactly this plan."""
    assert (
        SavedPlan(
            "00D000000000001EAA",
            ("ConnectedApp/Legacy_ERP",),
            (str(HANDLER),),
            False,
            {str(GLOBAL): "ab12"},
            "cd34",
            "ef56",
            effects=effects.effects(PLANS["everything-at-once"]),
            baseline_serial=7,
            created="2026-05-04T09:00:00Z",
        )
    ) == read_plan(documents.plan(PLANS["everything-at-once"]))


@given(plan=PLANS_OF_ANYTHING)
def test_every_plan_can_be_read_back(plan):
    """Whoever has an org with odd names."""
    assert plan.targets == read_plan(documents.plan(plan)).targets


def test_another_layout_of_the_same_json_is_the_same_plan():
    """A pipeline that runs its artifacts through jq."""
    text = documents.plan(PLANS["everything-at-once"])

    assert read_plan(text) == read_plan(json.dumps(json.loads(text), indent=None))


@pytest.mark.parametrize(
    "edit", [{"targets": []}, {"destroy": True}, {"resource_changes": []}, {"payload_digest": "0"}, {"more": 1}]
)
def test_an_altered_plan_is_refused(edit):
    """Whoever approved something else."""
    with pytest.raises(RefusedError, match="altered"):
        read_plan(changed(documents.plan(PLANS["everything-at-once"]), **edit))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "kind: ConnectedApp",
        '{"format_version": "1.2"}',
        "[" * 100_000,
        "9" * 10_000,
        '{"plan_digest": "a", "plan_digest": "b"}',
        '{"plan_digest": NaN}',
    ],
)
def test_what_is_no_plan_is_bad_input(text):
    """Whoever gives apply the wrong file."""
    with pytest.raises(InputError):
        read_plan(text, "plan.json")


def test_a_plan_of_another_format_is_bad_input():
    """Whoever upgrades between plan and apply."""
    with pytest.raises(InputError, match=r"format version 9\.0"):
        read_plan(changed(documents.plan(PLANS["nothing-to-do"]), format_version="9.0"))


@pytest.mark.parametrize("field", ["org", "targets", "destroy", "fingerprints", "baseline_serial", "timestamp"])
def test_a_plan_with_a_field_of_another_type_is_bad_input(field):
    """A digest that fits does not make it a plan."""
    content = {**json.loads(documents.plan(PLANS["nothing-to-do"])), field: [1]}
    content.pop("plan_digest")

    with pytest.raises(InputError):
        read_plan(json.dumps({**content, "plan_digest": saved.digest(content)}))


def test_a_huge_file_is_not_parsed(monkeypatch):
    """A CI runner with 4 GB of memory."""
    monkeypatch.setattr(saved, "LARGEST", 10)

    with pytest.raises(InputError, match="larger"):
        read_plan(documents.plan(PLANS["nothing-to-do"]))


def test_terraform_tools_find_their_words():
    """A policy that forbids deletes in Terraform's plans and should forbid them in ours."""
    plan = plan_of(
        update(GLOBAL, FieldChange(("isPkceRequired",), True, False)),
        Change(HANDLER, {"description": "a"}, None, Reason.REMOVED),
        Change(
            Address("ConnectedApp", "Legacy_ERP"),
            {"oauthConfig": {"consumerKey": "a"}},
            {"oauthConfig": {"consumerKey": "b"}},
            Reason.ASKED,
            (FieldChange(("oauthConfig", "consumerKey"), "a", "b"),),
            replace=True,
        ),
    )
    told = [c["change"] for c in json.loads(documents.plan(plan))["resource_changes"]]

    assert [["update"], ["delete"], ["delete", "create"]] == [c["actions"] for c in told]
    assert [[], [], [["oauthConfig", "consumerKey"]]] == [c["replace_paths"] for c in told]
    assert {"isPkceRequired": True} == told[0]["before"]
    assert told[1]["after"] is None
    assert {"oauthConfig": {"consumerSecret": True}} == told[2]["after_unknown"]


def test_drift_is_told_in_terraforms_words_too():
    """A drift dashboard that was written for Terraform."""
    gone = finding(id="drift.gone", address=HANDLER)
    moved = finding(path=("idTokenConfig", "idTokenValidityInMinutes"), old=2, new=5)
    told = json.loads(documents.plan(plan_of(drift=(gone, moved))))["resource_drift"]

    assert [
        (str(GLOBAL), ["update"], {"idTokenConfig": {"idTokenValidityInMinutes": 5}}),
        (str(HANDLER), ["delete"], None),
    ] == [(d["address"], d["change"]["actions"], d["change"]["after"]) for d in told]


def test_the_text_is_the_same_for_the_same_plan():
    """Whoever signs or caches plan files."""
    sets = [frozenset({"https://a.example", "https://b.example", "https://c.example"}) for _ in range(2)]
    plans = [plan_of(update(GLOBAL, FieldChange(("callbackUrl",), None, urls))) for urls in sets]

    assert 1 == len({documents.plan(plan) for plan in plans})


def test_unknown_elements_are_kept_as_text():
    """Whoever's org has fields newer than ours."""
    plan = plan_of(
        Change(GLOBAL, {"isNew": RawXml("<isNew>1</isNew>")}, {"isNew": RawXml("<isNew>1</isNew>")}, Reason.EDITED)
    )

    assert {"isNew": "<isNew>1</isNew>"} == json.loads(documents.plan(plan))["resource_changes"][0]["change"]["before"]


def test_the_baseline_as_json_holds_neither_salt_nor_digests_of_secrets():
    """Whoever publishes it: with the salt, a weak secret can be guessed from its digest."""
    held = Baseline(
        "00D", "p", 1, "the-salt", resources={GLOBAL: Applied({"consumerSecret": "the-digest", "label": "a"})}
    )
    text = baseline_document.baseline(held)

    assert "the-salt" not in text
    assert "the-digest" not in text
    assert {"consumerSecret": None, "label": "a"} == json.loads(text)["resources"][str(GLOBAL)]["body"]
