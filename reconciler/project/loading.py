"""Reads one project file by the descriptions of its sections, and collects everything that is wrong in it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from reconciler.errors import InputError, suggestion
from reconciler.project import login_section
from reconciler.project.filling import ENV, TOKEN, value_problems
from reconciler.project.login_section import Login
from reconciler.project.org import Org
from reconciler.project.project import Project
from reconciler.project.rules_section import severities, waivers
from reconciler.project.section import Notes, Section, checked
from reconciler.project.verify_section import given
from reconciler.rules.settings import RuleSettings
from reconciler.schema.kind import Struct
from reconciler.schema.values import Boolean, SecretRef, String
from reconciler.secret_refs import NoReferenceError, reference
from reconciler.yaml.events import RawPath
from reconciler.yaml.reader import Positions, Reader

DESIRED = "desired"
"""The folder of desired files, unless the project file names another one."""
EXAMPLE = "project: my-project\ndesired: desired\norgs: {dev: {mock: .reconciler/orgs/dev.db}}"

TestLevel = Literal["NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests"]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A project's name becomes part of file names."""
_API_VERSION = re.compile(r"[1-9][0-9]{1,2}\.0")
_SECRET = re.compile(
    r"secret|passw|private_?key|credential|token|session_?id|consumer_?key_?file|auth_?url", re.IGNORECASE
)


class ProjectFile(Struct):
    """The keys at the top of the project file, but for `orgs`, `desired`, `rules` and `waivers`."""

    project: String
    default_org: String | None = None
    watch: Annotated[Literal["all", "managed"] | None, "what drift is looked for in"] = None


class OrgSection(Struct):
    """The keys of one org, but for `login`, `variables` and `rules`."""

    mock: String | None = None
    instance_url: String | None = None
    org_id: String | None = None
    api_version: String | None = None
    test_level: TestLevel | None = None
    tests: Annotated[list[String] | None, "names of Apex test classes"] = None
    protected: Boolean | None = None


TOP = Section.of(ProjectFile, "the project file", ("desired", "orgs", "rules", "waivers"))
ORG = Section.of(OrgSection, "an org", ("desired", "overlay", "login", "variables", "rules", "verify"))


def is_secret(key: str) -> bool:
    """Whether the value of a key of the project file must never be shown."""
    return bool(_SECRET.search(key))


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


class Loading:
    """Reads one project file, and notes everything that is wrong in it."""

    def __init__(self, path: Path, data: bytes, environment: Mapping[str, str]) -> None:
        self._path = path
        self._root = path.parent
        self._environment = environment
        self._digest = sha256(data).hexdigest()
        self._reading = Reader(is_secret).read(data, path.name)
        self._positions = Positions(data, path.name, is_secret)
        self._note = Notes(self._root, self._positions, self._reading.complaints)
        self._rules = RuleSettings()

    def project(self) -> Project:
        documents = self._reading.documents
        top = documents[0].value if documents else None
        if not self._note.complaints and (len(documents) != 1 or not isinstance(top, dict)):
            self._note((), "a project file is one document with the key project:", f"write it like this:\n{EXAMPLE}")
        if not isinstance(top, dict):
            raise InputError(*self._note.complaints)
        raw = top.pop("orgs", None)
        folders = self._folders(top.pop("desired", DESIRED), ("desired",))
        self._rules = RuleSettings(
            severities(top.pop("rules", None), ("rules",), self._note),
            waivers(top.pop("waivers", None), ("waivers",), self._note),
        )
        self._empty(top, (), besides=("project",))
        self._check(ProjectFile, TOP, top, ())
        orgs = self._orgs(raw)
        default = top.get("default_org")
        if isinstance(default, str) and orgs and default not in orgs:
            near = suggestion(default, orgs, every=True)
            self._note(("default_org",), f"{default!r} is not an org of this project", near)
        name = top.get("project")
        if isinstance(name, str) and not _NAME.fullmatch(name):
            self._note(
                ("project",), f"{name!r} cannot name a project", "use letters, digits, dots, dashes and underscores"
            )
        if self._note.complaints:
            order = sorted(self._note.complaints, key=lambda c: (c.place.line, c.place.column) if c.place else (0, 0))
            raise InputError(*order)
        return Project(
            self._path,
            self._root,
            top["project"],
            folders,
            orgs,
            default or "",
            top.get("watch") != "managed",
            self._digest,
            self._environment,
            self._positions,
        )

    def _folders(self, raw: Any, key: RawPath) -> tuple[Path, ...]:
        """The folders of desired files at a key: one, or a list of them."""
        given = raw if isinstance(raw, list) else [raw]
        at: list[RawPath] = [(*key, index) for index in range(len(given))] if isinstance(raw, list) else [key]
        found = []
        for path, folder in zip(at, given, strict=True):
            if _blank(folder):
                self._note(path, f"{key[-1]} is empty", f"write what {key[-1]} is, or remove the line")
            elif not isinstance(folder, str):
                self._note(path, f"{key[-1]} must be a text", "write a folder, or a list of folders")
            elif (inside := self._inside(folder, path)) is not None:
                found.append(inside)
        if not given:
            self._note(key, f"{key[-1]} is an empty list", "write a folder, or remove the line")
        return tuple(found)

    def _orgs(self, raw: Any) -> dict[str, Org]:
        if not isinstance(raw, dict) or not raw:
            self._note(("orgs",), "orgs must hold at least one org", f"write it like this:\n{EXAMPLE}")
            return {}
        found = {}
        for name, section in raw.items():
            if not isinstance(section, dict):
                self._note(("orgs", name), f"the org {name} must hold mock: or instance_url:", "write one below it")
            found[name] = self._org(name, section) if isinstance(section, dict) else Org(name)
        return found

    def _org(self, name: str, section: dict[str, Any]) -> Org:
        at = ("orgs", name)
        written = section.pop("login", {})
        login = self._login(written, (*at, "login"), mock="mock" in section)
        variables = self._variables(section.pop("variables", {}), (*at, "variables"))
        own = severities(section.pop("rules", None), (*at, "rules"), self._note)
        verify = given(section.pop("verify", None), (*at, "verify"), self._note)
        folders = self._folders(section.pop("desired"), (*at, "desired")) if "desired" in section else ()
        overlays = self._folders(section.pop("overlay"), (*at, "overlay")) if "overlay" in section else ()
        before = len(self._note.complaints)
        self._empty(section, at)
        self._check(OrgSection, ORG, section, at)
        if len(self._note.complaints) > before:
            return Org(name)
        both = "mock" in section and "instance_url" in section
        if both or not ("mock" in section or "instance_url" in section or login_section.finds_org(written)):
            which = "both mock and instance_url are" if both else "neither mock nor instance_url is"
            self._note(at, f"{name}: {which} given", "write exactly one of the two")
        version = section.get("api_version") or ""
        if version and not _API_VERSION.fullmatch(version):
            self._note((*at, "api_version"), f"{version!r} is not an API version", 'write it like "63.0", in quotes')
        level, tests = section.get("test_level") or "", tuple(section.get("tests") or ())
        if (level == "RunSpecifiedTests") != bool(tests):
            what = "tests is missing" if not tests else "tests is only for RunSpecifiedTests"
            mend = "write tests: [MyTest]" if not tests else "remove it, or write test_level: RunSpecifiedTests"
            self._note((*at, "tests" if tests else "test_level"), what, mend)
        mock = self._inside(section.get("mock"), (*at, "mock"))
        org = Org(
            name=name,
            mock=mock,
            instance_url=section.get("instance_url") or "",
            org_id=section.get("org_id") or "",
            api_version=version,
            test_level=level,
            tests=tests,
            login=login,
            protected=bool(section.get("protected")),
            variables=variables,
            desired=folders,
            overlays=overlays,
            rules=replace(self._rules, severities={**self._rules.severities, **own}),
            verify=verify,
        )
        for path, message, mend in value_problems(org):
            self._note((*at, *path), message, mend)
        for key in ("instance_url", "org_id"):
            self._only_env(section.get(key), (*at, key))
        return org

    def _login(self, raw: Any, at: RawPath, *, mock: bool) -> Login:
        if not isinstance(raw, dict):
            self._note(at, "login must hold keys like flow and username", "write login: {flow: …}")
            return {}
        found: dict[str, str | int | bool | SecretRef] = {}
        for key, value in raw.items():
            if value is None:
                self._note((*at, key), f"{key} is empty", f"write what {key} is, or remove the line")
            elif is_secret(key) or isinstance(value, dict):
                self._secret(key, value, (*at, key), found)
            elif isinstance(value, str | int | bool):
                self._only_env(value, (*at, key))
                found[key] = value
            else:
                self._note((*at, key), f"{key} must be a text", "write a text, or a reference to a secret")
        if raw and raw.get("flow", "") is not None:
            login_section.check(raw, found, at, self._note, mock=mock)
        return found

    def _secret(self, key: str, value: Any, at: RawPath, found: dict[str, str | int | bool | SecretRef]) -> None:
        # A command is let through here, and refused where it would run: the login of another org stops no plan.
        try:
            found[key] = reference(key, value, root=self._root, allow_commands=True)
        except NoReferenceError as wrong:
            name = ENV.fullmatch(value[2:-1]) if isinstance(value, str) and value.startswith("${") else None
            self._note(at, wrong.message, f"write {key}: {{secret: {{env: {name[1]}}}}}" if name else wrong.mend)

    def _variables(self, raw: Any, at: RawPath) -> dict[str, str]:
        if not isinstance(raw, dict):
            self._note(at, "variables must be names and texts", "write variables: {name: text}")
            return {}
        found: dict[str, str] = {}
        for name, value in raw.items():
            if not _VARIABLE.fullmatch(name):
                self._note((*at, name), f"{name!r} is not a variable's name", "use letters, digits and underscores")
            elif not isinstance(value, str):
                self._note((*at, name), f"the variable {name} must be a text", "put it in quotes")
            else:
                self._only_env(value, (*at, name))
                found[name] = value
        return found

    def _empty(self, body: dict[str, Any], at: RawPath, besides: tuple[str, ...] = ()) -> None:
        """Take out the keys without a value, and note them: else a pin, a protection or a list of tests would be
        switched off in silence."""
        for key, value in [item for item in body.items() if item[0] not in besides]:
            if _blank(value) or (isinstance(value, list) and any(_blank(one) for one in value)):
                what = "is empty" if _blank(value) else "holds an empty text"
                self._note((*at, key), f"{key} {what}", f"write what {key} is, or remove the line")
                del body[key]

    def _only_env(self, value: Any, at: RawPath) -> None:
        """Note any placeholder but `${env.NAME}`, the only one that is known in this file."""
        for token in TOKEN.finditer(value) if isinstance(value, str) else ():
            if token[0] != "$${" and not ENV.fullmatch(token[1] or ""):
                self._note(at, f"{token[0]} is not known here", "write ${env.NAME}, or $${ for the two characters")

    def _inside(self, value: Any, at: RawPath) -> Path | None:
        if not isinstance(value, str):
            return None
        folder = self._root / value
        key = next(part for part in reversed(at) if isinstance(part, str))
        try:
            inside = not Path(value).is_absolute() and folder.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):  # Python 3.11 raises RuntimeError for a link that leads to itself
            self._note(at, f"{key} is a link that leads in a circle", "mend the link")
            return folder
        if not inside:
            self._note(at, f"{key} must be inside of the project folder", "write a relative path")
        return folder

    def _check(self, schema: type[Struct], section: Section, body: dict[str, Any], at: RawPath) -> None:
        """Note unknown keys, wrong types and missing keys of a section."""
        known = section.known(body, at, self._note)
        for key in body.keys() - set(known):
            del body[key]
        checked(schema, body, at, self._note)
