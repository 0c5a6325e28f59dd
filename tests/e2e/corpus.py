"""Real metadata files: as a user would write them down in a project, and what an org needs before it takes them."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from providers.mock import MockOrgError
from reconciler.kinds import kind
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Imperative, Ref, Until, WriteOnly
from reconciler.schema.values import Body, RawXml
from reconciler.xml.codec import decode
from tests.e2e.build import SECRET, Document, app, handler_class, record
from tests.e2e.project import Project

FOLDER = os.environ.get("RECONCILER_CORPUS", "")
_KEY = re.compile(r"[A-Za-z0-9._]{8,256}")
_CREDENTIALS = ("consumerKey",)


@dataclass(frozen=True)
class RealFile:
    """One file of the corpus."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def kind(self) -> type[Kind]:
        return kind(self.path.parent.name)

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def body(self) -> Body:
        return decode(self.kind, self.data)

    @property
    def api_version(self) -> str | None:
        """The version that the file is for, where it holds a field that has ended since."""
        ended = [field.mark(Until) for name, field in self.kind.fields().items() if name in self.body]
        return next((f"{mark.version:.1f}" for mark in ended if mark is not None and mark.version < 66), None)

    @property
    def app(self) -> str:
        """The app that a satellite belongs to, without the namespace of the package that it came from."""
        return str(self.body.get(self.kind.owner_field(), "")).rpartition("__")[2]

    @property
    def record(self) -> str:
        """The record's name in the org."""
        return self.kind.singleton or self.path.stem.partition("__")[2]

    @property
    def address(self) -> str:
        return f"{self.kind.__name__}/{self.app if self.kind.owner_field() else self.record}"

    @property
    def document(self) -> Document:
        """The file as a desired document: known fields, secrets as references, no key that no org would take."""
        body = as_written(self.kind, self.body)
        if self.kind.owner_field():
            body[self.kind.owner_field()] = self.app
        name = {} if self.kind.singleton or self.kind.owner_field() else {"name": self.record}
        return {"kind": self.kind.__name__, **name, **body}

    @property
    def company(self) -> list[Document]:
        """What has to be declared beside it: a satellite's app, and settings that others need."""
        if not self.kind.owner_field():
            return []
        owner = {"externalClientApplication": self.app}
        settings = {"kind": "ExtlClntAppOauthSettings", **owner}
        # Policies about named users' JWTs need the switch for them.
        switch = {"kind": "ExtlClntAppGlobalOauthSettings", **owner, "isNamedUserJwtEnabled": True}
        beside = {"ExtlClntAppOauthSettings": [], "ExtlClntAppOauthConfigurablePolicies": [settings, switch]}
        return [app(self.app), *beside.get(self.kind.__name__, [settings])]


def real_files() -> list[RealFile]:
    """The corpus, or nothing where no folder was named."""
    return [RealFile(path) for path in sorted(Path(FOLDER).glob("*/*.xml"))] if FOLDER else []


def some_files(step: int) -> list[RealFile]:
    """Every so many of them; all with `make corpus`, which takes minutes."""
    return real_files() if os.environ.get("RECONCILER_WHOLE_CORPUS") else real_files()[::step]


def as_written(struct: type[Struct], body: Body) -> Body:
    """Known fields only: what no schema knows cannot be written down."""
    found: Body = {}
    for name, value in body.items():
        field = struct.fields().get(name)
        if field is None or isinstance(value, RawXml) or field.has(Imperative):
            continue
        if field.has(WriteOnly):
            found[name] = {"secret": {"env": "CORPUS_SECRET"}}
        elif name in _CREDENTIALS and not _KEY.fullmatch(str(value)):
            continue
        elif field.struct is not None and isinstance(value, dict):
            found[name] = as_written(field.struct, value)
        elif field.struct is not None and isinstance(value, list):
            found[name] = [as_written(field.struct, item) for item in value if isinstance(item, dict)]
        else:
            found[name] = value
    return found


def furnish(project: Project, file: RealFile) -> None:
    """Make the users, profiles, permission sets, classes and apps that the file refers to."""
    project.org.switch("allow_connected_app_creation", True)
    for target, name in sorted(set(references(file.kind, file.body))):
        try:
            _furnish(project, target, name)
        except MockOrgError as known:
            # The fresh org has it already.
            if "exists already" not in str(known):
                raise


def _furnish(project: Project, target: str, name: str) -> None:
    if target == "User":
        project.org.add_user(name)
    elif target == "PermissionSet":
        project.org.add_permission_set(name)
    elif target == "Profile" and name != "System Administrator":
        project.org.add_profile(name)
    elif target == "ApexClass":
        project.org.add_apex_class(name, handler_class(name))
    elif target == "ConnectedApp":
        inside = "<contactEmail>a@acme.example</contactEmail><label>x</label>"
        project.org.load_component(target, name, record(target, inside))


def references(struct: type[Struct], value: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of everything that a body refers to."""
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping):
            continue
        for name, inner in item.items():
            field = struct.fields().get(name)
            ref = field.mark(Ref) if field is not None else None
            if field is not None and field.struct is not None:
                yield from references(field.struct, inner)
            elif ref is not None and inner:
                texts = inner if isinstance(inner, list) else str(inner).split(",")
                yield from ((ref.kind, text.strip()) for text in texts if text)


ENVIRONMENT = {"CORPUS_SECRET": SECRET}
