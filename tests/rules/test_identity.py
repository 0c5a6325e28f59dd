"""Rules on keys, and on apps that cannot be made or made again, beyond their two examples."""

import pytest

from reconciler.schema.values import SecretRef
from tests.rules.apps import Bodies, broken, connected, external, in_files, in_org, unchecked, verdicts

MADE_BY_THE_ORG = "3MVG9lKcPoNINVBIPJjdw.1J9LLM82_HnFVVX19KY1uA"


def shop(key: str) -> Bodies:
    return external(flows={"consumerKey": key})


@pytest.mark.parametrize("key", ["a" * 7, "a" * 257, "with blank", "with-dash", "schlüssel", "a.b_c.d_e!"])
def test_a_key_that_no_app_can_be_given_is_found_in_the_files(key: str):
    """The org says so too, but only in the deployment."""
    assert 1 == len(broken("OA19", in_files(shop(key))))


@pytest.mark.parametrize("key", ["a" * 8, "a" * 256, ""])
def test_a_key_that_it_can_is_not(key: str):
    """A restored app keeps its clients by its old key."""
    assert [] == verdicts("OA19", in_files(shop(key)))


def test_a_key_that_the_org_made_is_right_where_the_org_has_it():
    """Dots and underscores stand in every second one; a file that was pulled would be refused."""
    app = shop(MADE_BY_THE_ORG)
    assert [] == verdicts("OA19", in_org(app, declared=app, live=app))
    assert 1 == len(unchecked("OA19", in_files(app)))
    assert 1 == len(broken("OA19", in_org(app, declared=app, live={})))
    silent = in_org(app, declared=app, live=external(flows={}))  # An org that has the app and does not show its key.
    assert ([], 1) == (broken("OA19", silent), len(unchecked("OA19", silent)))


def test_what_an_org_has_it_took():
    """An audit of keys that work would find fault with half of them."""
    assert [] == verdicts("OA19", in_org(shop("old key")))


def test_a_secret_that_stands_in_a_file_is_found_and_not_repeated():
    """Everybody who reads the report would have it too."""
    app = connected(callbackUrl=["https://a.example"], consumerSecret="hunter2hunter2")
    (line,) = broken("OA19", in_files(app))
    assert line.startswith("ConnectedApp/erp oauthConfig.consumerSecret: ")
    assert "hunter2" not in repr(verdicts("OA19", in_files(app)))


def test_a_reference_to_a_secret_is_no_secret():
    """It is how it should be written."""
    app = external(flows={"consumerSecret": SecretRef("env", "SHOP_SECRET")})
    assert [] == verdicts("OA19", in_files(app))


@pytest.mark.parametrize(("value", "expected"), [(True, 1), ("true", 1), (False, 0), (None, 0)])
def test_a_live_record_that_rotates_at_each_deployment_is_found(value: object, expected: int):
    """Another tool that retrieves and deploys it locks out every client."""
    app = external(flows={"shouldRotateConsumerKey": value})
    assert expected == len(broken("OA20", in_org(app)))


def test_a_connected_app_that_was_installed_is_nobodys_to_create():
    """Its package brings it."""
    app = connected("acme__erp")
    assert [] == verdicts("OA21", in_org(app, declared=app))


def test_a_connected_app_that_the_org_may_have_is_not_called_new():
    """Absence is not concluded from what could not be read, nor from files alone."""
    app = connected()
    assert ["ConnectedApp/erp"] == unchecked("OA21", in_files(app))
    world = in_org(app, declared=app, unreadable={"ConnectedApp": "INSUFFICIENT_ACCESS"})
    assert (["ConnectedApp/erp"], []) == (unchecked("OA21", world), broken("OA21", world))


def test_an_org_is_not_blamed_for_the_connected_apps_that_it_has():
    """An audit would begin with a hundred findings about the past."""
    app = connected()
    assert [] == verdicts("OA21", in_org(app, live=app))


def test_only_apps_that_a_plan_takes_away_are_mourned():
    """Satellites go with their app: one finding, for the app."""
    app, old = external("shop", flows={}, oauth={}), connected("erp")
    assert [] == verdicts("OA22", in_org(app, old, live=app | old))
    gone = broken("OA22", in_org(live=app | old))
    assert ["ExternalClientApplication/shop", "ConnectedApp/erp"] == [line.partition(":")[0] for line in gone]
    assert "cannot be made again" in gone[1]
    assert 1 == len(broken("OA22", in_org(live=app | old, only={"shop"})))
