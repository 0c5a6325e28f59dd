"""From a project file and the user's choices to a session that the engine can run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.config import Org, Project, load_project
from reconciler.desired import load
from reconciler.engine import Session
from reconciler.errors import Complaint, InputError
from reconciler.guards import ALLOWABLE
from reconciler.kind import SecretRef, suggestion
from reconciler.model import Address, Snapshot
from reconciler.progress import progress
from reconciler.secrets import secret_value
from reconciler.security import Severity
from reconciler.store import Store

BASELINES = ".reconciler/baselines"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user said besides the command itself."""

    org: str = ""
    project: Path | None = None
    allow: tuple[str, ...] = ()
    allow_commands: bool = False
    fail_on: Severity = Severity.HIGH
    """From which severity on broken rules stop an apply."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project and one of its orgs."""

    project: Project
    org: Org
    choices: Choices

    @classmethod
    def open(cls, choices: Choices) -> "Workspace":
        """Raises InputError with everything that is wrong in the project file or in the choices."""
        unknown = [allowed for allowed in choices.allow if allowed not in ALLOWABLE]
        if unknown:
            raise InputError(
                *(
                    Complaint(f"--allow {word}: no such guard", mend=suggestion(word, ALLOWABLE, every=True))
                    for word in unknown
                )
            )
        project = load_project(choices.project, environment=os.environ)
        return cls(project, project.org(choices.org), choices)

    def desired(self) -> Snapshot:
        """The desired state that the files declare. Raises InputError with every problem of every file."""
        return load(
            self.project.desired,
            root=self.project.root,
            variables=self.org.variables,
            environment=os.environ,
            allow_commands=self.choices.allow_commands,
        )

    def secret(self, ref: SecretRef) -> str:
        """The value behind a reference."""
        return secret_value(
            ref, root=self.project.root, environment=os.environ, allow_commands=self.choices.allow_commands
        )

    @property
    def baselines(self) -> Store:
        return Store(self.project.root / BASELINES, self.project.name)

    @contextmanager
    def session(self, *, files: bool = True, desired: Snapshot | None = None) -> Iterator[Session]:
        """A session: files read first, so that no credential is touched while they are wrong.

        `files=False` for what has nothing to do with them; `desired` if they were read already.
        """
        if desired is None:
            desired = self.desired() if files else Snapshot({})
        # The providers bring along an HTTP client: loaded only when an org is really asked.
        from providers import Connection, connect

        org = self.org
        connection = Connection(
            mock=org.mock,
            instance_url=org.instance_url,
            api_version=org.api_version,
            login=org.login,
        )
        options = {"testLevel": org.test_level} if org.test_level else {}
        with progress() as tell:
            yield Session(
                provider=connect(connection, secrets=self.secret),
                baselines=self.baselines,
                desired=desired,
                pinned_org_id=org.org_id,
                protected=org.protected,
                secret=self.secret,
                deploy_options={**options, **({"tests": list(org.tests)} if org.tests else {})},
                allowed=frozenset(self.choices.allow),
                rules=org.rules,
                fail_on=self.choices.fail_on,
                progress=tell,
            )


def address(text: str) -> Address:
    """An address as a person types it. Raises InputError that says what is wrong."""
    from reconciler.kinds import all_kinds

    try:
        parsed = Address.parse(text)
    except ValueError as wrong:
        raise InputError(Complaint(str(wrong), mend="for example ExternalClientApplication/order_portal")) from None
    if parsed.kind not in all_kinds():
        raise InputError(
            Complaint(f"{parsed.kind} is not a kind", mend=suggestion(parsed.kind, all_kinds(), every=True))
        )
    return parsed
