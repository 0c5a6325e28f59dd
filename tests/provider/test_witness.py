"""`Witness`: what an org knows of its people, its history and our rights, of every provider."""

from tests.provider.conftest import Candidate, quiet, value_of
from tests.salesforce.build import app

ADMIN = "admin@acme.example"


def test_users_are_found_whatever_letters_they_are_asked_in(candidate: Candidate) -> None:
    """Orgs compare usernames without case; who is not found is not in the answer."""
    candidate.provider.read([], quiet)
    facts = candidate.provider.facts([ADMIN.upper(), "stranger@acme.example"], quiet)

    assert {ADMIN} == set(facts.users)
    assert "users" not in facts.unknown


def test_secrets_are_asked_about_only_where_that_is_wanted(candidate: Candidate) -> None:
    """The question brings them along: not every login should ask."""
    candidate.provider.read([], quiet)

    assert {} == candidate.provider.facts([], quiet).secrets
    assert "secrets" in candidate.provider.facts([], quiet).unknown


def test_who_deployed_is_in_the_history(changing: Candidate) -> None:
    begin = changing.provider.history("", quiet, enablements=False).deployments
    done = changing.provider.deploy(
        [app()], quiet, check_only=False, secrets=value_of, options={}, started=lambda sent: None
    )
    changing.provider.read([], quiet)
    history = changing.provider.history("", quiet, enablements=False)

    assert done.id[:15] in {one.id[:15] for one in history.deployments}
    assert len(begin) < len(history.deployments)


def test_nothing_is_under_way_in_a_quiet_org(changing: Candidate) -> None:
    assert [] == list(changing.provider.others(quiet))


def test_an_admin_may_deploy(changing: Candidate) -> None:
    assert changing.provider.may_deploy() is None


def test_a_checkup_names_the_org_and_changes_nothing(changing: Candidate) -> None:
    before = changing.provider.read([], quiet).resources
    doctor_answers = changing.provider.doctor_answers(quiet)

    assert changing.provider.org().id == doctor_answers.org.id
    assert {} == doctor_answers.unreadable
    assert before == changing.provider.read([], quiet).resources
