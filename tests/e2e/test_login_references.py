"""What a login lacks on this machine is said before an org is asked: with its line, and all of it together."""

from tests.e2e.project import Project

NOWHERE = "http://127.0.0.1:9"


def test_a_missing_key_is_named_with_its_line_although_the_network_fails_too(project: Project):
    """Whoever mends the network first, for an hour, finds then that the key is not there either."""
    login = {
        "flow": "jwt",
        "client_id": "x",
        "username": "dana@acme.example",
        "private_key": {"secret": {"file": "server.key"}},
    }
    project.configure(mock=None, instance_url=NOWHERE, login=login)
    (project.root / "server.kye").write_text("key")
    lines = (project.root / "reconciler.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "private_key" in text)

    found = project.run("plan")

    assert 3 == found.code
    assert f"reconciler.yaml:{line}:" in found.err
    assert "the file server.key does not exist" in found.err
    assert "did you mean" in found.err


def test_all_that_is_missing_is_told_together(project: Project):
    secrets = {"password": {"secret": {"env": "NO_WORD"}}, "security_token": {"secret": {"env": "NO_TOKEN"}}}
    project.configure(mock=None, instance_url=NOWHERE, login={"flow": "password", "username": "u", **secrets})

    found = project.run("drift")

    assert (3, True, True) == (found.code, "NO_WORD is not set" in found.err, "NO_TOKEN is not set" in found.err)


def test_no_secret_is_looked_for_where_the_host_may_not_have_it(project: Project):
    login = {"flow": "token", "access_token": {"secret": {"file": "server.key"}}}
    project.configure(mock=None, instance_url="https://evil.example", login=login)

    found = project.run("plan")

    assert (4, False) == (found.code, "server.key" in found.err)
