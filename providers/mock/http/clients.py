"""What the clients of Salesforce need to reach a served org: variables to export, and a line to begin with.

The access token of a mock org is no secret: it opens a file that lies on this machine beside it, and nothing else.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.mock.http.server import Served
from providers.mock.org import Org


@dataclass(frozen=True, slots=True)
class Client:
    """How one client reaches a served org. `needs` is what is missing for it here, "" where nothing is."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    line: str = ""
    needs: str = ""


def clients(org: Org, served: Served, token: str) -> list[Client]:
    """Return for each client what it needs to reach the org; `token` is the admin's."""
    url = served.url
    user = next(each.id for each in org.users() if each.username == org.admin_username)
    node = {"NODE_EXTRA_CA_CERTS": str(served.certificate)} if served.certificate else {}
    python = {"REQUESTS_CA_BUNDLE": str(served.certificate)} if served.certificate else {}
    tls = "" if served.certificate else "speaks https only: serve with --tls"
    opened = {"SF_ACCESS_TOKEN": token}
    quiet = {
        # One of its two variables for this turns the updater on in an installation from npm, so the other one.
        "SF_DISABLE_AUTOUPDATE": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_DISABLE_LOG_FILE": "true",
    }
    organization = {
        "access_token": token,
        "instance_url": url,
        "id": f"{url}/id/{org.org_id}/{user}",
        "username": org.admin_username,
        "client_id": "x",
        "refresh_token": "",
    }
    cumulus = {
        "CUMULUSCI_ORG_mock": json.dumps(organization),
        "CUMULUSCI_DISABLE_REFRESH": "1",
        "CUMULUSCI_KEY": "0123456789abcdef",
    }
    binding = "'{http://soap.sforce.com/2006/04/metadata}MetadataBinding'"
    here = f"{{instance_url: {json.dumps(url)}, login: {{flow: token, access_token: {{secret: {{env: SF_ACCESS_TOKEN}}}}}}}}"
    return [
        Client(
            "sf", {**opened, **quiet, **node},
            f"sf org login access-token --instance-url {url} --no-prompt --alias mock",
        ),
        Client(
            "jsforce", {**opened, **node},
            f"new jsforce.Connection({{instanceUrl: '{url}', accessToken: process.env.SF_ACCESS_TOKEN}})",
        ),
        Client(
            "simple-salesforce", {**opened, **python},
            f"Salesforce(session_id=os.environ['SF_ACCESS_TOKEN'], instance_url='{url}')",
            tls,
        ),
        Client("zeep", {**opened, **python}, f"client.create_service({binding}, '{url}/services/Soap/m/63.0')"),
        Client("CumulusCI", {**cumulus, **python}, "cci org info mock", tls),
        Client("reconciler", {**opened, **python}, f"orgs: {{served: {here}}}"),
    ]  # fmt: skip


def as_text(org: Org, served: Served) -> str:
    """Return the address, the token and what each client needs, as text for a person to copy from."""
    token = org.access_token()
    lines = [f"serving {org.name} ({org.org_id}) at {served.url}", f"access token: {token}"]
    lines += [f"certificate: {served.certificate}"] if served.certificate else []
    for client in clients(org, served, token):
        lines += ["", f"# {client.name}" + (f": {client.needs}" if client.needs else "")]
        if not client.needs:
            lines += [f"export {name}={shlex.quote(value)}" for name, value in client.environment.items()]
            lines.append(client.line)
    return "\n".join(lines) + "\n"


def as_json(org: Org, served: Served) -> str:
    """Return what a script needs to reach the org: one JSON object on one line."""
    token = org.access_token()
    found = {
        "url": served.url,
        "certificate": str(served.certificate) if served.certificate else None,
        "org_id": org.org_id,
        "username": org.admin_username,
        "token": token,
        "clients": {
            each.name: {"environment": dict(each.environment), "line": each.line, "needs": each.needs}
            for each in clients(org, served, token)
        },
    }
    return json.dumps(found) + "\n"
