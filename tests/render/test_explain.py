"""`explain`: what a person asks after reading `[TX02]` in a log."""

import pytest

from reconciler.errors import Exit, InputError
from reconciler.kinds import all_kinds, satellites
from reconciler.plan.guards import GUARDS
from reconciler.render.explanations import explain
from reconciler.render.words.about import all_about


@pytest.mark.parametrize("id", all_about())
def test_every_id_of_a_finding_is_explained_with_its_source(id: str) -> None:
    """A finding that nobody can look up is switched off."""
    found = explain(id)

    assert (True, True) == (found.startswith(f"{id} ("), "\nSource: " in found)
    assert found == explain(id.lower())


@pytest.mark.parametrize("name", [*GUARDS, *map(str, map(int, Exit))])
def test_every_guard_and_every_exit_code_is_explained(name: str) -> None:
    """A pipeline says only `exit code 4`."""
    title, _, words = explain(name).partition("\n")

    assert (True, True) == (title.endswith(name), len(words.strip()) > 4)


def test_every_field_of_every_kind_is_explained() -> None:
    """Whoever reads a drift report wants to know what the field does."""
    for name, kind in all_kinds().items():
        assert explain(name).startswith(name)
        for field in kind.fields():
            assert explain(f"{name}.{field}").startswith(f"{name}.{field}: ")


def test_a_field_says_its_default_and_what_weakens_it() -> None:
    """The two questions that are asked of a field."""
    found = explain("ExtlClntAppGlobalOauthSettings.isSecretRequiredForTokenExchange")

    assert ("Default: false.", "Weaker when: not true.") == tuple(
        line for line in found.splitlines() if line.startswith(("Default", "Weaker"))
    )


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("TX999", "TX"),
        ("ConnectedAp", "ConnectedApp"),
        ("ConnectedApp.labl", "label"),
        ("99", ""),
        ("ECA", "ExternalClientApplication"),
    ],
)
def test_what_does_not_exist_is_an_error_that_names_the_nearest(name: str, mend: str) -> None:
    """A typing mistake in an id."""
    with pytest.raises(InputError) as wrong:
        explain(name)

    assert mend in wrong.value.complaints[0].mend


def test_a_field_without_its_kind_is_found_in_the_kinds_that_have_it() -> None:
    """A plan shows fields by their bare names; each kind that is named is explained in turn."""
    with pytest.raises(InputError) as wrong:
        explain("isPkceRequired")

    named = wrong.value.complaints[0].mend.partition("name its kind: ")[2].split(", ")
    assert {"ConnectedApp.oauthConfig.isPkceRequired", "ExtlClntAppGlobalOauthSettings.isPkceRequired"} <= set(named)
    for one in named:
        assert explain(one).startswith(f"{one}: ")


def test_an_enablement_is_explained_under_the_name_that_files_give_it() -> None:
    """Its documents have a kind that Salesforce does not know."""
    assert "apexExecutionUser" in explain("HandlerEnablement")
    assert explain("OauthTokenExchangeHandler.enablements.apexExecutionUser") == explain(
        "HandlerEnablement.apexExecutionUser"
    )


def test_a_viewers_id_with_a_severity_is_explained_too() -> None:
    """SARIF has one rule for each severity."""
    assert explain("drift.changed") == explain("drift.changed/critical")
    assert "severity of the field" in explain("drift.changed")


def test_the_sections_of_an_app_are_listed_and_explained() -> None:
    """They are what files hold most of, and their names are Salesforce's for nothing."""
    told = explain("ExternalClientApplication")
    for section, kind in satellites().items():
        assert f"    {section}: {kind.__name__}\n" in told
        assert explain(f"ExternalClientApplication.{section}") == explain(kind.__name__)
        assert f"Written as the section {section} of an ExternalClientApplication" in explain(kind.__name__)
    assert explain("ExtlClntAppGlobalOauthSettings.callbackUrl") == explain(
        "ExternalClientApplication.globalOauthSettings.callbackUrl"
    )
    with pytest.raises(InputError) as raised:
        explain("ExternalClientApplication.globalOauthSetings")
    assert "did you mean globalOauthSettings?" in raised.value.complaints[0].mend
