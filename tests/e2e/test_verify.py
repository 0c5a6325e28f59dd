"""`verify` on the example: every promise holds, and nothing is left behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model.formats import REPORTS
from reconciler.verify.inputs import SECRETS, TEXTS
from tests.e2e.acme import APPS, Acme, acme


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Acme]:
    with acme(tmp_path_factory.mktemp("acme") / "project", fresh_org) as made:
        yield made


def test_all_promises_of_the_example_hold(example: Acme) -> None:
    """Whoever takes the example as a pattern takes promises that an org keeps."""
    found = example.verify("--strict", "--output", "json")

    assert 0 == found.code, found.said
    assert {"as_promised": 73, "broken": 0, "waiting": 0, "not_run": 0} == found.json["summary"]
    assert set(APPS) == {app["address"].partition("/")[2] for app in found.json["apps"]}


def test_nothing_of_it_is_printed_in_any_format(example: Acme, tmp_path: Path) -> None:
    """A token in a build log is a token of everybody who may read the log."""
    secrets = example.secrets
    formats = ("json", *REPORTS)
    outputs = [argument for form in formats for argument in ("--output", f"{form}={tmp_path / form}")]
    found = example.run("verify", "--wait", "0", "--output", "text", *outputs, **secrets)
    told = [found.said, *((tmp_path / form).read_text(encoding="utf-8") for form in formats)]

    assert [] == [name for name, value in secrets.items() if any(value in text for text in told)]
    assert not any("00D" in text and "!" in text.partition("00D")[2][:16] for text in told)
    assert all(told)


def test_no_token_and_no_user_is_left_behind(example: Acme) -> None:
    """A verify every night would fill the org with sessions."""
    before = [user.username for user in example.org.users()]
    assert 0 == example.verify().code

    with example.org.reading() as world:
        alive = world.db.execute("SELECT what, app_name FROM oauth_token WHERE NOT replaced").fetchall()
    assert [] == [tuple(row) for row in alive]
    assert before == [user.username for user in example.org.users()]


def test_only_the_apps_that_are_named_are_run(example: Acme) -> None:
    """A team looks at its own app."""
    found = example.verify("--output", "json", "reporting_service")

    assert ["ExternalClientApplication/reporting_service"] == [app["address"] for app in found.json["apps"]]


def test_a_name_with_a_mistake_is_an_error(example: Acme) -> None:
    """A pipeline that verifies nothing, for ever, without anybody noticing."""
    found = example.verify("order_portl")

    assert 3 == found.code
    assert "order_portal" in found.err


def test_without_tokens_it_says_what_it_could_not_run(example: Acme) -> None:
    """A first run: the calls that need nothing are run, and the rest tells what to give."""
    example.settings(**{app: {} for app in APPS})
    try:
        found = example.run("verify", "--wait", "0")
        strict = example.run("verify", "--wait", "0", "--strict")
    finally:
        example.settings()

    assert (0, 7) == (found.code, strict.code)
    assert "give orgs.dev.verify.order_portal.subject_token" in found.out
    assert "promises were not looked at" in strict.err


def test_a_secret_that_is_not_there_is_an_error_and_no_refusal(example: Acme) -> None:
    """A variable that the pipeline forgot to pass on."""
    found = example.run("verify", "--wait", "0", "reporting_service")

    assert 3 == found.code
    assert "is not set" in found.err


def test_an_app_that_the_org_does_not_know_yet_is_waited_for(example: Acme) -> None:
    """Right after an apply, Salesforce's servers learn of an app one after the other."""
    example.org.switch("propagation_calls", 1)
    try:
        waited = example.run("verify", "--wait", "60", "--output", "json", "reporting_service", **example.secrets)
        example.dana("ExternalClientApplication/order_portal", description="moved")
        impatient = example.verify("--output", "json", "order_portal")
    finally:
        example.org.switch("propagation_calls", 0)

    assert 0 == waited.code, waited.said
    assert "the org does not know it yet" in waited.err
    assert 7 == impatient.code
    assert impatient.json["summary"]["waiting"] > 0


def test_tokens_come_from_commands(example: Acme) -> None:
    """Nobody keeps a token: the identity provider is asked when it is needed."""
    program = str(Path(sys.executable).with_name("reconciler"))

    def command(*words: str) -> dict[str, object]:
        return {"secret": {"command": [program, "mock", *words]}}

    given = {"client_secret": command("secret", "order_portal"), "subject_token": command("token", "eli.novak")}
    example.settings(order_portal={**given, "user": "eli@acme.example"})
    try:
        refused = example.run("verify", "--wait", "0", "order_portal")
        found = example.run("verify", "--wait", "0", "--allow-commands", "order_portal")
    finally:
        example.settings()

    assert (3, 0) == (refused.code, found.code), found.said
    assert "through the handler PartnerIdp (granted, as eli@acme.example)" in found.out


def test_everything_that_can_be_given_is_documented() -> None:
    """Whoever sets it up has only the page."""
    page = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")

    assert [] == [key for key in (*SECRETS, *TEXTS) if f"`{key}`" not in page]
