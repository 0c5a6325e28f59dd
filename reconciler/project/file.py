"""The project file `reconciler.yaml`: where the desired files are, which orgs there are, and how to log in to them."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from reconciler import files
from reconciler.errors import Complaint, InputError, Place, ReconcilerError, suggestion
from reconciler.files import FileError
from reconciler.model.formats import FORMATS
from reconciler.project import login_section
from reconciler.project.login_section import Login
from reconciler.project.rules_section import severities, waivers
from reconciler.project.verify_section import given
from reconciler.redaction import Redaction
from reconciler.rules.settings import RuleSettings
from reconciler.schema.kind import Field, Struct
from reconciler.schema.problems import problems_of
from reconciler.schema.values import Boolean, SecretRef, String
from reconciler.secret_refs import NoReferenceError, reference
from reconciler.verify.inputs import Given
from reconciler.yaml.reader import Positions, Reader

DESIRED = "desired"
"""The folder of desired files, unless the project file names another one."""
FILE = "reconciler.yaml"
EXAMPLE = "project: my-project\ndesired: desired\norgs: {dev: {mock: .reconciler/orgs/dev.db}}"
MAX_BYTES = 1_000_000

TestLevel = Literal["NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests"]

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_ENV = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A project's name becomes part of file names."""
_API_VERSION = re.compile(r"[1-9][0-9]{1,2}\.0")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?/?")
_SECRET = re.compile(
    r"secret|passw|private_?key|credential|token|session_?id|consumer_?key_?file|auth_?url", re.IGNORECASE
)

RawPath = tuple[str | int, ...]


class ProjectFile(Struct):
    """The keys at the top of the project file, but for `orgs`, `rules` and `waivers`."""

    project: String
    desired: String | None = None
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


@dataclass(frozen=True, slots=True)
class Org:
    """One org of the project file. Only `Project.org` fills in what is read from the environment."""

    name: str
    mock: Path | None = None
    """The file of an embedded mock org."""
    instance_url: str = ""
    org_id: str = ""
    """15 or 18 characters; another org is refused. Empty: not pinned."""
    api_version: str = ""
    """Like `63.0`. Empty: the newest that both the org and our kinds know."""
    test_level: str = ""
    tests: tuple[str, ...] = ()
    login: Login = field(default_factory=dict)
    protected: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    rules: RuleSettings = field(default_factory=RuleSettings)
    """The project's severities and waivers, with the org's own severities on top."""
    verify: Mapping[str, Given] = field(default_factory=dict)
    """What `verify` is given for each app, by name or address."""
    filled: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """What was read from the environment, but for variables, which go into desired state -> as the file has it."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project file that was read."""

    path: Path
    root: Path
    """The folder of the project file; paths in it are relative to this."""
    name: str
    desired: Path
    orgs: Mapping[str, Org]
    default_org: str = ""
    watch_all: bool = True
    """Whether drift of everything in the org is looked for; else only of what is managed, and of what belongs to it."""
    digest: str = ""
    """SHA-256 of the file."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    positions: Positions | None = field(default=None, repr=False, compare=False)

    def org(self, name: str | None = None, *, replay: bool = False) -> Org:
        """The org of that name, or for `None` the default one, with `${env.NAME}` filled in; for a replay without all that
        leads to the org, so that none of it need be there. Raises InputError."""
        if name is not None and not name.strip():
            # The default is for people at a keyboard, not for a pipeline whose variable is not set.
            raise InputError(Complaint("the name of the org is empty", mend=f"one of: {', '.join(self.orgs)}"))
        wanted = name or self.default_org or (next(iter(self.orgs)) if len(self.orgs) == 1 else "")
        listed = f"one of: {', '.join(self.orgs)}"
        if not wanted:
            raise InputError(Complaint("there are several orgs", Place(self.path.name), f"pass --org with {listed}"))
        if wanted not in self.orgs:
            near = suggestion(wanted, self.orgs)
            if not near and wanted in FORMATS:
                near = f"did you mean --output {wanted}? -o is short for --org"
            mend = f"{near} ({listed})" if near else listed
            raise InputError(Complaint(f"{wanted!r} is not an org of this project", Place(self.path.name), mend))
        filling = _Filling(self.environment)
        chosen = self.orgs[wanted]
        org = filling.org(replace(chosen, mock=None, instance_url="", login={}) if replay else chosen)
        if filling.wrong:
            raise InputError(
                *(
                    Complaint(message, _place(self.positions, ("orgs", wanted, *path), self.path), mend)
                    for path, message, mend in filling.wrong
                )
            )
        return org


def load_project(path: Path | None, *, environment: Mapping[str, str]) -> Project:
    """Read the project file; `None` looks for `reconciler.yaml` here and in the folders above.

    Raises InputError with all that is wrong in it, but for what is missing in the environment: orgs that are not used
    need not be complete.
    """
    found = find(path)
    try:
        data = files.read(found, MAX_BYTES)
    except FileError as wrong:
        raise InputError(Complaint(f"the project file {wrong.problem}", Place(found.name), wrong.mend)) from None
    return _Loading(found.resolve(), data, environment).project()


def find(path: Path | None) -> Path:
    """The project file that is meant, unread; `None` looks here and in the folders above. Raises InputError."""
    if path is not None:
        if path.is_dir():
            if os.path.lexists(path / FILE):
                return path / FILE
            raise InputError(Complaint(f"there is no {FILE} in the folder {path}", mend=f"write one:\n{EXAMPLE}"))
        if os.path.lexists(path):
            return path
        near = files.nearest(path)
        raise InputError(Complaint(f"the project file {path} does not exist", mend=near or f"write one:\n{EXAMPLE}"))
    try:
        here = Path.cwd()
    except OSError:
        raise InputError(
            Complaint("the folder that this was started in is gone", mend="change into a folder that exists")
        ) from None
    for folder in (here, *here.parents):
        # A link that leads nowhere is not passed by: a project further up is another one.
        if os.path.lexists(folder / FILE) and not (folder / FILE).is_dir():
            return folder / FILE
    raise InputError(
        Complaint(f"no {FILE} in this folder or above", mend=f"write one here, or name one with --project:\n{EXAMPLE}")
    )


def login_place(project: Project, org: str, key: str) -> Place:
    """Where a key of an org's login stands."""
    return _place(project.positions, ("orgs", org, "login", key), project.path)


def is_secret(key: str) -> bool:
    """Whether what stands under that key of the project file is never shown."""
    return bool(_SECRET.search(key))


def _place(positions: Positions | None, path: RawPath, file: Path) -> Place:
    return positions.place((0, *path)) if positions is not None else Place(file.name)


def org_id_problem(text: str) -> str | None:
    """Why this cannot be the id of an org, or `None`. The last three of 18 characters are a checksum of the case of the
    others (https://help.salesforce.com/s/articleView?id=000385585)."""
    if not re.fullmatch(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", text):
        return "an org id has 15 or 18 letters and digits and starts with 00D"
    if len(text) == 18 and text[15:].upper() != _checksum(text[:15]):
        return "its last three characters do not fit the others; a letter's case may have been lost"
    return None


def _checksum(id15: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(alphabet[sum(1 << bit for bit, c in enumerate(part) if c.isupper())] for part in parts)


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


_HARMLESS = re.compile(
    r"https://[A-Za-z0-9.-]+\.(salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)/?|http://(localhost|127\.0\.0\.1|\[::1\])"
    r"(:[0-9]{1,5})?/?|00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?"
)
"""What may be shown although it was read from the environment: it cannot be anything but the place or the id of an org."""


def as_written(org: Org, text: str) -> str:
    """A text for people with what was read from the environment shown as the project file has it, `${env.NAME}`.

    A project file may name any variable, so what a refusal quotes may be any secret of the machine that runs us.
    """
    for value, written in org.filled.items():
        if not _HARMLESS.fullmatch(value):
            known = Redaction()
            for spelled in {value, value.lower()}:
                known.hold(spelled)
            text = known.redacted(text, written)
    return text


def as_written_error(org: Org, error: ReconcilerError) -> ReconcilerError:
    """The same error with `as_written` texts. Its places are the file's own lines, in which nothing was filled in."""
    error.complaints = tuple(
        replace(
            one,
            message=as_written(org, one.message),
            mend=as_written(org, one.mend),
            quote=as_written(org, one.quote),
        )
        for one in error.complaints
    )
    error.args = ("; ".join(one.message for one in error.complaints),)
    return error


class _Filling:
    """Fills in what one org reads from the environment, and looks at the values that may come from there."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.wrong: list[tuple[RawPath, str, str]] = []
        self.filled: dict[str, str] = {}

    def org(self, org: Org) -> Org:
        filled = replace(
            org,
            instance_url=self.text(org.instance_url, ("instance_url",)).rstrip("/"),
            org_id=self.text(org.org_id, ("org_id",)),
            login={
                key: self.text(value, ("login", key)) if isinstance(value, str) else value
                for key, value in org.login.items()
            },
            variables={name: self.text(value, ("variables", name)) for name, value in org.variables.items()},
        )
        if not self.wrong:
            self.wrong += _value_problems(filled)
        return replace(filled, filled=self.filled)

    def text(self, text: str, path: RawPath) -> str:
        return _TOKEN.sub(lambda token: self._token(token, path), text)

    def _token(self, token: re.Match[str], path: RawPath) -> str:
        if token[0] == "$${":
            return "${"
        name = _ENV.fullmatch(token[1] or "")
        if name is None:
            return token[0]
        value = self._environment.get(name[1])
        if value is None:
            near = suggestion(name[1], self._environment)
            mend = f"set it where this runs{f'; {near}' if near else ''}"
            self.wrong.append((path, f"the environment variable {name[1]} is not set", mend))
            return ""
        if not value.strip():
            # So arrives what a pipeline does not define: an org_id without text would be no pin at all.
            mend = "set it where this runs" if path[0] != "variables" else 'set it where this runs, or write "" here'
            self.wrong.append((path, f"the environment variable {name[1]} is empty", mend))
            return ""
        # As for secrets: `gh secret set` on Windows, or `echo … |`, leaves a line break at the end.
        value = value.removesuffix("\n").removesuffix("\r")
        if path[0] != "variables":
            self.filled[value] = token[0]
        return value


def _value_problems(org: Org) -> list[tuple[RawPath, str, str]]:
    """What is wrong with the values of one org; those that are still to be filled in are left out."""
    found: list[tuple[RawPath, str, str]] = []
    if org.instance_url and "${" not in org.instance_url and not _URL.fullmatch(org.instance_url):
        found.append(
            (
                ("instance_url",),
                "this is not the address of an org",
                "write https:// and the host, without a path (http:// only for this machine)",
            )
        )
    if org.org_id and "${" not in org.org_id and (problem := org_id_problem(org.org_id)) is not None:
        # Without the value, which may be any variable of the environment.
        found.append((("org_id",), f"this is not the id of an org: {problem}", "it is shown in Setup"))
    return found


class _Loading:
    """One project file on its way."""

    def __init__(self, path: Path, data: bytes, environment: Mapping[str, str]) -> None:
        self._path = path
        self._root = path.parent
        self._environment = environment
        self._digest = sha256(data).hexdigest()
        self._reading = Reader(is_secret).read(data, path.name)
        self._positions = Positions(data, path.name, is_secret)
        self._complaints = list(self._reading.complaints)
        self._rules = RuleSettings()

    def project(self) -> Project:
        documents = self._reading.documents
        top = documents[0].value if documents else None
        if not self._complaints and (len(documents) != 1 or not isinstance(top, dict)):
            self._note((), "a project file is one document with the key project:", f"write it like this:\n{EXAMPLE}")
        if not isinstance(top, dict):
            raise InputError(*self._complaints)
        raw = top.pop("orgs", None)
        self._rules = RuleSettings(
            severities(top.pop("rules", None), ("rules",), self._note),
            waivers(top.pop("waivers", None), ("waivers",), self._note, lambda at: self._positions.place((0, *at))),
        )
        self._empty(top, (), besides=("project",))
        self._check(ProjectFile, top, (), ("orgs", "rules", "waivers"), "the project file")
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
        folder = self._inside(top.get("desired"), ("desired",)) or self._root / DESIRED
        if self._complaints:
            order = sorted(self._complaints, key=lambda c: (c.place.line, c.place.column) if c.place else (0, 0))
            raise InputError(*order)
        return Project(
            self._path,
            self._root,
            top["project"],
            folder,
            orgs,
            default or "",
            top.get("watch") != "managed",
            self._digest,
            self._environment,
            self._positions,
        )

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
        verify = given(
            section.pop("verify", None),
            (*at, "verify"),
            self._note,
            self._root,
            lambda path: self._positions.place((0, *path)),
        )
        before = len(self._complaints)
        self._empty(section, at)
        self._check(OrgSection, section, at, ("login", "variables", "rules", "verify"), "an org")
        if len(self._complaints) > before:
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
            rules=replace(self._rules, severities={**self._rules.severities, **own}),
            verify=verify,
        )
        for path, message, mend in _value_problems(org):
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
        # A command is let through here, and refused where it would run: nobody else's login stops a plan.
        try:
            found[key] = reference(key, value, root=self._root, allow_commands=True)
        except NoReferenceError as wrong:
            name = _ENV.fullmatch(value[2:-1]) if isinstance(value, str) and value.startswith("${") else None
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
        """Take out the keys behind which nothing stands, and note them: a pin, a protection or a list of tests would be off
        as if nobody had asked for it."""
        for key, value in [item for item in body.items() if item[0] not in besides]:
            if _blank(value) or (isinstance(value, list) and any(_blank(one) for one in value)):
                what = "is empty" if _blank(value) else "holds an empty text"
                self._note((*at, key), f"{key} {what}", f"write what {key} is, or remove the line")
                del body[key]

    def _only_env(self, value: Any, at: RawPath) -> None:
        """Here, `${env.NAME}` is all that may be filled in."""
        for token in _TOKEN.finditer(value) if isinstance(value, str) else ():
            if token[0] != "$${" and not _ENV.fullmatch(token[1] or ""):
                self._note(at, f"{token[0]} is not known here", "write ${env.NAME}, or $${ for the two characters")

    def _inside(self, value: Any, at: RawPath) -> Path | None:
        if not isinstance(value, str):
            return None
        folder = self._root / value
        try:
            inside = not Path(value).is_absolute() and folder.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):  # Python 3.11 raises RuntimeError for a link that leads to itself
            self._note(at, f"{at[-1]} is a link that leads in a circle", "mend the link")
            return folder
        if not inside:
            self._note(at, f"{at[-1]} must be inside of the project folder", "write a relative path")
        return folder

    def _check(self, schema: type[Struct], body: dict[str, Any], at: RawPath, more: tuple[str, ...], what: str) -> None:
        """Types, required and unknown keys."""
        fields: Mapping[str, Field] = schema.fields()
        for key in [key for key in body if key not in fields]:
            del body[key]
            self._note((*at, key), f"{key} is not a key of {what}", suggestion(key, [*fields, *more], every=True))
        for problem in problems_of(schema, body):
            self._note((*at, *problem.path), problem.message, problem.mend)
        for path in schema.missing(body):
            self._note(at, f"{path[-1]} is missing", f"add {path[-1]}: and a name")

    def _note(self, path: RawPath, message: str, mend: str) -> None:
        self._complaints.append(Complaint(message, self._positions.place((0, *path)), mend))
