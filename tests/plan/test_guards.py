"""What an apply refuses until it is allowed by name."""

import pytest

from reconciler.model.changes import Refusal
from reconciler.model.declared import Lifecycle
from reconciler.plan import guards
from tests.build import NOTHING_OWNED, address, baseline, desired, live, plan

ECA, POLICIES, CA = "ExternalClientApplication/portal", "ExtlClntAppConfigurablePolicies/portal", "ConnectedApp/legacy"


def refusals(want, have, base=NOTHING_OWNED, allowed=(), **request) -> list[Refusal]:
    changes = plan(want, have, base, **request).changes
    return list(guards.refusals(changes, want, have, base, allowed=allowed))


def test_a_delete_needs_its_flag():
    have, base = live({ECA: {"label": "x"}}), baseline({ECA: {"label": "x"}})

    assert [("delete", "--allow delete")] == [(r.guard, r.allow) for r in refusals(desired({}), have, base)]
    assert [] == refusals(desired({}), have, base, allowed=("delete",))


def test_a_replace_needs_its_flag():
    want, have = desired({ECA: {"label": "x"}}), live({ECA: {"label": "x"}, POLICIES: {"isEnabled": True}})
    asked = {"replace": frozenset({address(ECA)})}

    assert [("replace", "--allow replace")] == [(r.guard, r.allow) for r in refusals(want, have, **asked)]
    assert [] == refusals(want, have, allowed=("replace",), **asked)


@pytest.mark.parametrize("declared", [True, False])
def test_a_protected_app_is_not_deleted_though_its_file_is_gone(declared: bool):
    """Removing the file must not remove the guard with it."""
    have = live({ECA: {"label": "x"}})
    base = baseline({ECA: {"label": "x"}}, protect=("delete",))
    found = refusals(desired({CA: {"label": "x"}} if declared else {}), have, base, allowed=("delete",))

    assert [("protect", "")] == [(r.guard, r.allow) for r in found if r.address == address(ECA)]


def test_a_protected_app_is_not_replaced():
    want = desired({ECA: {"label": "x"}}, lifecycle={ECA: Lifecycle(frozenset({"replace"}))})
    found = refusals(want, live({ECA: {"label": "x"}}), allowed=("replace",), replace=frozenset({address(ECA)}))

    assert ["protect"] == [r.guard for r in found]


def test_an_installed_component_is_read_only_except_its_policies():
    want = desired({ECA: {"label": "n"}, POLICIES: {"isEnabled": False}})
    have = live(
        {ECA: {"label": "x"}, POLICIES: {"isEnabled": True, "externalClientApplication": "portal"}}, installed=True
    )

    assert [("installed", address(ECA))] == [(r.guard, r.address) for r in refusals(want, have)]


@pytest.mark.parametrize("guard", [guards.PROTECT, guards.INSTALLED])
def test_a_guard_without_a_flag_is_explained_where_it_refuses(guard: str):
    """A plan that says that nothing lifts it, and an explanation that says how: one of them is believed."""
    said = guards.lifted(Refusal(guard, None, "x"))

    assert guards.GUARDS[guard].endswith(f" {said[0].upper()}{said[1:]}.")
    assert "lifted by --allow delete" == guards.lifted(Refusal(guards.DELETE, None, "x", "--allow delete"))
