"""`check --live --secret-ages`: how old consumer secrets are, asked of an org that rotated one."""

import requests

from providers.mock import mount
from tests.e2e.project import Project

APP = "Marketing_Dashboard"
ADMIN = "admin@acme.example"
UNKNOWN = "how old its secret is, is not known"


def rotate(project: Project, app: int = 0) -> tuple[str, str]:
    """As a tool that rotates secrets does it, by REST; return both secrets."""
    with requests.Session() as session:
        base = mount(session, project.org)
        session.headers["Authorization"] = f"Bearer {project.org.access_token()}"
        root = f"{base}/services/data/v65.0/apps/oauth"
        known = session.get(f"{root}/usage").json()["apps"][app]
        (consumer,) = session.get(f"{root}/credentials/{known['identifier']}").json()["consumers"]
        (staged,) = session.post(base + consumer["stagedCredentialsUrl"], json={}).json()["stagedCredentials"]
        rotated = session.patch(base + staged["url"], json={"command": "rotate"}).json()
    return staged["secret"], rotated["secret"]


def test_an_org_that_rotated_a_secret_tells_its_age(project: Project):
    """Before, nobody knows, and says so; what the org sends along is shown nowhere."""
    project.configure(rules={"CC04": "medium"})
    project.org.set(
        "ExternalClientAppSettings/ExternalClientApp", {"enableClientSecretInRestApiAccess": "true"}, as_user=ADMIN
    )
    flow = {"isClientCredentialsFlowEnabled": "true", "clientCredentialsFlowUser": "integration@acme.example"}
    project.org.set(f"ExtlClntAppGlobalOauthSettings/{APP}", {"isClientCredentialsFlowEnabled": "true"}, as_user=ADMIN)
    project.org.set(f"ExtlClntAppOauthConfigurablePolicies/{APP}", flow, as_user=ADMIN)
    not_asked = project.run("check", "--live", "--output", "json")
    before = project.run("check", "--live", "--secret-ages", "--output", "json")
    secrets = rotate(project)
    after = project.run("check", "--live", "--secret-ages", "--output", "json")

    assert [True, True, False] == [UNKNOWN in each.out for each in (not_asked, before, after)]
    assert not any(secret in each.said for secret in secrets for each in (before, after))
