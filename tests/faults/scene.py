"""One project in the middle of its life, three commands, and everything that they ask the org, in order."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from providers.mock import Faults, serving
from providers.salesforce import calls as client
from providers.salesforce.login import endpoint
from providers.salesforce.wire import session
from providers.salesforce.wire.polling import Patience
from reconciler.rules import all_rules
from tests.e2e.build import DANA, Document, app, enablement, handler, handler_class, oidc, portal, scope
from tests.e2e.cut import deployments
from tests.e2e.project import Project, Result

ORG = "furnished.db"
ASKING = "RF03"
"""A rule that asks the org for users and permission sets."""
COMMANDS = {
    "plan": ("plan", "--detailed-exitcode"),
    "drift": ("drift",),
    "apply": ("apply", "--auto-approve", "--allow", "delete"),
    "apply by SOAP": ("apply", "--auto-approve", "--allow", "delete"),
}
UNDISTURBED = {"plan": 2, "drift": 2, "apply": 0, "apply by SOAP": 0}
"""Exit codes where nothing goes wrong: there is something to do, and something has drifted."""


def before() -> list[Document]:
    """What was applied once."""
    return [portal(isTokenExchangeEnabled=True), app("leaving"), handler(), enablement("portal"), scope()]


def after() -> list[Document]:
    """What the files say now: something to create, to update and to delete."""
    changed = handler(isUserCreationAllowed=True)
    return [portal(isTokenExchangeEnabled=True), app("coming"), changed, enablement("portal"), scope(), oidc()]


def furnish(root: Path, fresh_org: Path) -> Project:
    """Make the project: applied once, then edited by somebody in Setup, then changed in its files."""
    project = Project(root, fresh_org)
    project.source("PartnerIdpHandler", handler_class())
    project.declare(*before())
    project.apply()
    project.org.set("OauthTokenExchangeHandler/PartnerIdp/enablements/portal", {"isDefault": "true"}, as_user=DANA)
    project.org.set("ExternalClientApplication/portal", {"label": "Theirs"}, as_user=DANA)
    project.org.switch("query_page", 5)
    project.org.switch("deploy_polls", 1)
    project.declare(*after())
    with closing(sqlite3.connect(project.database)) as db:
        # What is still in the write-ahead log is no part of the file.
        db.execute("VACUUM INTO ?", (str(root / ORG),))
    return project


class Copy(Project):
    """A copy of a furnished project, whose org is reached over HTTP by a login that can be renewed."""

    def __init__(self, root: Path, furnished: Project) -> None:
        super().__init__(root, furnished.root / ORG)
        for folder in ("desired", ".reconciler/baselines"):
            shutil.copytree(furnished.root / folder, root / folder, dirs_exist_ok=True)
        self._before = len(deployments(self))
        self.secrets = {"PASSWORD": self.org.password(DANA), "SECURITY_TOKEN": self.org.security_token(DANA)}

    @contextmanager
    def at(self, faults: Faults, command: str = "") -> Iterator[None]:
        """Serve the org, failing as it is told to."""
        self.org.switch("rest_deploy_refused", command.endswith("by SOAP"))
        word, token = ({"secret": {"env": name}} for name in ("PASSWORD", "SECURITY_TOKEN"))
        rules = {**dict.fromkeys(all_rules(), "off"), ASKING: "low"}
        with serving(self.org, faults=faults) as served:
            self.configure(
                mock=None,
                instance_url=served.url,
                login={"flow": "password", "username": DANA, "password": word, "security_token": token},
                rules=rules,
            )
            yield

    def ask(self, *arguments: str) -> Result:
        """Run a command; what it says never holds the password."""
        found = self.run(*arguments, **self.secrets)
        assert not any(secret in found.said for secret in self.secrets.values()), found.said
        return found

    def holds(self) -> list[tuple[Any, ...]]:
        """What the org has, and not who made it so when, nor under which ids."""
        with self.org.reading() as world:
            rows = [
                ("component", row["kind"], row["name"], bytes(row["body"]), bytes(row["content"] or b""))
                for row in world.db.execute("SELECT kind, name, body, content FROM component")
            ]
            enabled = "SELECT handler, target, app, run_as, is_default FROM enablement"
            return sorted([*rows, *(tuple(row) for row in world.db.execute(enabled))])

    def deployed(self) -> list[str]:
        """What became of each deployment since the copy, the oldest first."""
        return deployments(self)[self._before :]

    def files(self, *, journal: bool = True) -> Mapping[str, bytes]:
        """All that a command writes beside the org: the baseline, and the journal of an apply that did not end well."""
        kept = {".json", ".journal"} if journal else {".json"}
        folder = self.root / ".reconciler" / "baselines"
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix in kept}

    def kept(self) -> Mapping[str, Any]:
        """What the baseline says of each resource: not when, and not which id a record that is made anew has got."""
        return {address: {**one, "as_of": None, "id": None} for address, one in self.baseline.items()}


@contextmanager
def hurried() -> Iterator[None]:
    """Pauses take no time and end sooner; how often something is tried, and what is tried again, stays as it is."""
    noted: list[float] = []

    def patience(**given: Any) -> Patience:
        limits = {"total": 8.0, "run": 100.0, "search": 3.0, "cancel": 3.0, "others": 3.0}
        return Patience(**limits, **given, clock=lambda: sum(noted), sleep=noted.append, chance=lambda: 0.5)

    with (
        patch.object(client, "Patience", patience),
        patch.object(endpoint, "Patience", patience),
    ):
        yield


@contextmanager
def impatient() -> Iterator[None]:
    """Silence is listened to for a second, and not for two minutes."""
    with patch.object(session, "READ_SECONDS", 1.0):
        yield


class Hearing(Faults):
    """Faults that note what was asked: the operation, and of a query what it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self._about = ""

    def around(self, application: Any, org: Any) -> Any:
        inner = super().around(application, org)

        def answering(environ: Any, start_response: Any) -> Any:
            query = parse_qs(environ["QUERY_STRING"]).get("q", [""])[0].split()
            self._about = f":{query[query.index('FROM') + 1]}" if "FROM" in query else ""
            return inner(environ, start_response)

        return answering

    def _answer(self, call: Any) -> Any:
        self.heard.append(f"{call.operation}{self._about}")
        return super()._answer(call)
