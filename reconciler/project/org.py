"""One org of the project file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.project.login_section import Login
from reconciler.rules.settings import RuleSettings
from reconciler.verify.inputs import Given


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
    overlays: tuple[Path, ...] = ()
    """Folders of documents that change, for this org, fields of what the others declare."""
    desired: tuple[Path, ...] = ()
    """Folders of desired files for this org alone, besides the project's."""
    rules: RuleSettings = field(default_factory=RuleSettings)
    """The project's severities and waivers, with the org's own severities on top."""
    verify: Mapping[str, Given] = field(default_factory=dict)
    """What `verify` is given for each app, by name or address."""
    filled: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """What was read from the environment, but for variables, which go into desired state -> as the file has it."""
