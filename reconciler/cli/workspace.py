"""Makes a session that the engine can run from a project file and the user's choices."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.baseline.store import Store
from reconciler.cli.own_providers import prefer_ours
from reconciler.cli.progress import progress
from reconciler.desired.fields import PREFIX
from reconciler.desired.load import load
from reconciler.engine.session import Session, utc_now
from reconciler.errors import Complaint, InputError, ReconcilerError, suggestion
from reconciler.model.declared import Snapshot
from reconciler.plan.guards import ALLOWABLE
from reconciler.project.file import load_project, login_place
from reconciler.project.filling import as_written_error
from reconciler.project.org import Org
from reconciler.project.project import Project
from reconciler.redaction import hold, redacted
from reconciler.render.words.safe import line
from reconciler.schema.severity import Severity
from reconciler.schema.values import SecretRef
from reconciler.secret_refs import secret_value
from reconciler.yaml.source import is_variable

if TYPE_CHECKING:
    from providers.salesforce.recordings.recorder import Recording
    from reconciler.desired.sources import Sources
    from reconciler.provider import Progress, Provider, Secrets

_CALL = 300
"""Characters that are shown of a call."""
BASELINES = ".reconciler/baselines"


@dataclass(frozen=True, slots=True)
class Record:
    """Where a recording of the run goes, and what is scrubbed from it besides secrets."""

    file: Path
    scrub: frozenset[str] = frozenset()
    key: str = ""
    """Name of the environment variable that holds the key of the pseudonyms; empty: a key that no one knows."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The options that the user gave on the command line."""

    org: str | None = None
    """Its name in the project file; `None`: the default one."""
    project: Path | None = None
    allow: tuple[str, ...] = ()
    allow_commands: bool = False
    fail_on: Severity = Severity.HIGH
    """From which severity on broken rules stop an apply."""
    record: "Record | None" = None
    replay: Path | None = None
    """A recording that stands for the org."""
    quiet: bool = False
    """Do not say what is being done."""
    verbose: bool = False
    """Say what the org is asked."""
    lock_timeout: float = 0.0
    """Seconds for which the baseline is waited for while another process has it."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project and one of its orgs."""

    project: Project
    org: Org
    choices: Choices

    @classmethod
    def open(cls, choices: Choices) -> "Workspace":
        """Open a project and one of its orgs. Raises InputError with everything that is wrong in the file or the choices."""
        unknown = [allowed for allowed in choices.allow if allowed not in ALLOWABLE]
        if unknown:
            raise InputError(
                *(
                    Complaint(f"--allow {word}: no such guard", mend=suggestion(word, ALLOWABLE, every=True))
                    for word in unknown
                )
            )
        project = load_project(choices.project, environment=os.environ)
        return cls(project, project.org(choices.org, replay=choices.replay is not None), choices)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of desired files: the project's, and those of the org alone."""
        return (*self.project.desired, *self.org.desired)

    def desired(self) -> Snapshot:
        """The desired state that the files declare. Raises InputError with every problem of every file."""
        found = load(
            self.folders,
            root=self.project.root,
            variables=self.org.variables,
            environment=os.environ,
            allow_commands=self.choices.allow_commands,
            tell=lambda words: print(line(words, 1000), file=sys.stderr),
            org=self.org.name,
            orgs=tuple(self.project.orgs),
            overlays=self.org.overlays,
            apart=self.project.apart,
        )
        for name, mend in misspelt(os.environ, {**self.org.variables, **found.variables}, found.variables):
            print(f"{line(name)} is set, and nothing reads it; {line(mend)}", file=sys.stderr)
        # Variables, waivers and guards are in the project file: a plan rests on it, too.
        used = {f"${{var.{name}}}": sha256(value.encode()).hexdigest() for name, value in found.variables.items()}
        return replace(found, files={**found.files, **used, self.project.path.name: self.project.digest})

    def sources(self) -> "Sources":
        """The desired files in a form that can be edited."""
        from reconciler.desired.sources import Sources

        written = self.project.orgs[self.org.name].variables
        fixed = {name for name, value in written.items() if "${env." in value}
        given = {name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)}
        return Sources(
            self.project.root,
            self.folders,
            self.project.path.name,
            self.org.name,
            tuple(self.project.orgs),
            self.org.overlays,
            self.project.apart,
            self.org.variables,
            frozenset(fixed | given),
            os.environ,
            self.choices.allow_commands,
        )

    def secret(self, ref: SecretRef) -> str:
        """Return the secret that a reference points to."""
        return secret_value(
            ref, root=self.project.root, environment=os.environ, allow_commands=self.choices.allow_commands
        )

    @property
    def baselines(self) -> Store:
        return Store(self.project.root / BASELINES, self.project.name)

    @contextmanager
    def session(self, *, files: bool = True, desired: Snapshot | None = None) -> Iterator[Session]:
        """Yield a session. Files are read first, so that no credential is touched while they are wrong.

        `files=False` for what has nothing to do with them; `desired` if they were read already.
        """
        if desired is None:
            desired = self.desired() if files else Snapshot({})
        org = self.org
        options = {"testLevel": org.test_level} if org.test_level else {}
        with (
            self._telling_as_written(),
            progress(self.choices.quiet) as tell,
            self._provider(tell) as (provider, secret),
        ):
            yield Session(
                provider=provider,
                baselines=replace(self.baselines, wait=self.choices.lock_timeout, tell=tell),
                desired=desired,
                pinned_org_id=org.org_id,
                protected=org.protected,
                secret=secret,
                deploy_options={**options, **({"tests": list(org.tests)} if org.tests else {})},
                allowed=frozenset(self.choices.allow),
                rules=org.rules,
                fail_on=self.choices.fail_on,
                progress=tell,
                watch_all=self.project.watch_all,
            )

    @contextmanager
    def _telling_as_written(self) -> Iterator[None]:
        """Rewrite errors so that none repeats what the project file read from the environment."""
        try:
            yield
        except ReconcilerError as error:
            as_written_error(self.org, error)
            raise

    @contextmanager
    def _provider(self, tell: "Progress") -> "Iterator[tuple[Provider, Secrets]]":
        """Yield the provider of the org, or of a recording, and where its secrets come from.

        What is recorded is written at the end, also if the command failed after the org was read: what is read does not
        depend on the command.
        """
        # The providers bring along an HTTP client: loaded only when an org is really asked.
        prefer_ours()
        from providers import Connection, connect, recording, replay

        org, record = self.org, self.choices.record
        if self.choices.replay is not None:
            yield replay(self.choices.replay, api_version=org.api_version, name=org.name), self.secret
            return
        connection = Connection(
            name=org.name,
            mock=org.mock,
            instance_url=org.instance_url,
            api_version=org.api_version,
            login=org.login,
        )
        report = _reported if self.choices.verbose else None
        if record is None:
            provider = connect(connection, secrets=self.secret, tell=tell, report=report)
            self._look_at_login()
            yield provider, self.secret
            return
        kept = recording(record.scrub, _key(record.key))
        secret = kept.hearing(self.secret)
        provider = connect(connection, secrets=secret, recording=kept, tell=tell, report=report)
        self._look_at_login()
        try:
            yield provider, secret
        except Exception:
            self._write(kept, provider, record.file)
            raise
        self._write(kept, provider, record.file)

    def _look_at_login(self) -> None:
        """Raise InputError with every secret of the login that cannot be read, and its line in the project file.

        Before the org is asked: where the network fails as well, both are to be mended, and this one can be at once. After
        it is clear that the org's host may have them. Commands run only when their answer is needed.
        """
        wrong = []
        for key, value in self.org.login.items() if self.org.mock is None else ():
            if isinstance(value, SecretRef) and value.source != "command":
                try:
                    self.secret(value)
                except InputError as missing:
                    place = login_place(self.project, self.org.name, key)
                    wrong += [replace(complaint, place=place) for complaint in missing.complaints]
        if wrong:
            raise InputError(*wrong)

    def _write(self, kept: "Recording", provider: "Provider", file: Path) -> None:
        from providers.salesforce.recordings.file import write
        from providers.salesforce.recordings.recorder import described

        if not kept.whole:
            sys.stderr.write("nothing was recorded: the org was not read as a whole\n")
            return
        org = provider.org()
        write(file, kept.finished(org.id, org.api_version, utc_now()))
        sys.stderr.write(
            f"recorded {kept.calls} calls of org {line(org.id)} in {line(file)}, which only you may read;"
            f" scrubbed: {described(kept.counts)}\n"
            f"  look through it before you share it: reconciler cassette {line(file)}\n"
        )


_READ = ("ORG", "PROJECT", "DEBUG")
"""What of `RECONCILER_…` is read besides variables."""


def misspelt(
    environment: Mapping[str, str], known: Mapping[str, str], used: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the environment variables that look like ours and that nothing reads, and what may be meant.

    A variable of another org of the project is none of these: `known` has those of the org in question.
    """
    for name in sorted(environment):
        if name.startswith(PREFIX):
            own = name.removeprefix(PREFIX)
            if own not in known and own not in used and (near := suggestion(own, known)):
                yield name, near.replace("did you mean ", f"did you mean {PREFIX}")
        elif name.startswith(_OURS) and name.removeprefix(_OURS) not in _READ:
            near = suggestion(name.removeprefix(_OURS), _READ)
            if near:
                yield name, near.replace("did you mean ", f"did you mean {_OURS}")


_OURS = "RECONCILER_"


def _reported(call: str) -> None:
    sys.stderr.write(f"  {line(redacted(call), _CALL)}\n")


def _key(variable: str) -> str:
    if variable and not is_variable(variable):
        # Not shown: it is likely the key itself.
        raise InputError(Complaint("--scrub-key takes the name of an environment variable", mend="--scrub-key NAME"))
    if variable and not os.environ.get(variable):
        shown = variable if variable.isupper() else "with that name"
        raise InputError(f"--scrub-key: the environment variable {shown} is not set")
    return hold(os.environ.get(variable, "")) if variable else ""
