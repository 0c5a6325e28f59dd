"""A project in a folder of its own with an embedded mock org, and the command line run on it as a user would."""

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from providers.mock import Org, open_org
from reconciler import redaction
from reconciler.cli import program
from reconciler.rules import all_rules
from tests.e2e.build import INTEGRATION, Document

SEEN_BY_USERS = ("Traceback", "unexpected error")


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


class Terminal(StringIO):
    """A standard input that somebody sits at: asked, they do something first."""

    def __init__(self, answer: str, before: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._answer, self._before = answer, before

    def isatty(self) -> bool:
        return True

    def readline(self, *_: Any) -> str:
        self._before()
        return f"{self._answer}\n"


class Project:
    """`declare` writes files, `run` runs a command, `org` is the org itself."""

    def __init__(self, root: Path, org: Path) -> None:
        self.root = root
        self.database = root / ".reconciler" / "orgs" / "dev.db"
        self.database.parent.mkdir(parents=True)
        self.database.write_bytes(org.read_bytes())
        (root / "desired").mkdir()
        self.org: Org = open_org(self.database)
        self.configure()

    # -- files --------------------------------------------------------------------------------------------------------

    def configure(self, **keys: Any) -> None:
        """Write the project file; `keys` are those of its one org. `None` leaves a key out.

        No rule is switched on unless `rules` says so: most tests are about something else than good taste.
        """
        keys = {"rules": dict.fromkeys(all_rules(), "off"), **keys}
        org = {"mock": ".reconciler/orgs/dev.db", "variables": {"integration_user": INTEGRATION}, **keys}
        org = {key: value for key, value in org.items() if value is not None}
        content = {"project": "acme", "orgs": {"dev": org}}
        (self.root / "reconciler.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def declare(self, *documents: Document | str) -> None:
        """These documents are what the files declare now; a text is taken as it is."""
        texts = [one if isinstance(one, str) else dump(one) for one in documents]
        (self.root / "desired" / "identity.yaml").write_text("---\n".join(texts), encoding="utf-8")

    def source(self, name: str, text: str) -> None:
        """Declare an Apex class."""
        folder = self.root / "desired"
        (folder / f"{name}.cls").write_text(text, encoding="utf-8")
        about = "<apiVersion>63.0</apiVersion><status>Active</status>"
        xml = f'<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">{about}</ApexClass>'
        (folder / f"{name}.cls-meta.xml").write_text(xml, encoding="utf-8")

    def remove_source(self, name: str) -> None:
        for suffix in ("cls", "cls-meta.xml"):
            (self.root / "desired" / f"{name}.{suffix}").unlink()

    # -- commands -----------------------------------------------------------------------------------------------------

    def run(self, *arguments: str, stdin: Terminal | None = None, **environment: str) -> Result:
        """One command, as `reconciler` would run it; nothing that it says may look like a crash."""
        out, err = StringIO(), StringIO()
        with (
            chdir(self.root),
            patch.dict(os.environ, environment),
            patch.object(sys, "stdin", stdin or StringIO()),
            # A process of its own has held nothing yet.
            redaction.running(),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = program.run(arguments)
        found = Result(int(code), out.getvalue(), err.getvalue())
        assert not any(word in found.said for word in SEEN_BY_USERS), found.said
        return found

    def apply(self, *arguments: str, **environment: str) -> Result:
        """An apply that has to succeed."""
        found = self.run("apply", "--auto-approve", *arguments, **environment)
        assert found.code == 0, found.said
        return found

    def planned(self, *arguments: str, **environment: str) -> dict[str, dict[str, tuple[Any, Any]]]:
        """What a plan says: each change as `{"action address": {field: (old, new)}}`."""
        return changes(self.plan(*arguments, **environment))

    def plan(self, *arguments: str, **environment: str) -> Any:
        """The JSON plan."""
        found = self.run("plan", "--output", "json", *arguments, **environment)
        assert found.code == 0, found.said
        return found.json

    def drifted(self, *arguments: str) -> dict[str, tuple[Any, Any]]:
        """What a drift check says: `{"address.field": (old, new)}`, ignored ones left out."""
        found = self.run("drift", "--output", "json", *arguments)
        assert found.code in (0, 2), found.said
        return {
            ".".join([one["address"], *one["path"]]): (one["old"], one["new"])
            for one in found.json["findings"]
            if not one["ignored"]
        }

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def baseline_file(self) -> Path | None:
        return next((self.root / ".reconciler" / "baselines").glob("*.json"), None)

    @property
    def baseline(self) -> Mapping[str, Any]:
        """Each resource of the baseline file, by address."""
        file = self.baseline_file
        return {} if file is None else json.loads(file.read_text(encoding="utf-8"))["resources"]

    @property
    def managed(self) -> Mapping[str, Any]:
        """Those of them that are ours; the rest of the org is watched."""
        return {address: entry for address, entry in self.baseline.items() if not entry["watched"]}

    def held(self, address: str, field: str = "") -> Any:
        """What the org itself has: a field's text, `[…]` where it repeats, `None` where there is none."""
        kind, _, name = address.partition("/")
        with self.org.reading() as world:
            found = world.satellite(kind, name) or world.component(kind, name)
            value: Any = [found.values()] if found is not None else None
        for part in field.split(".") if field else ():
            value = value[0].get(part) if value else None
        if value is None:
            return None
        return value[0] if len(value) == 1 else value

    def content(self) -> list[tuple[Any, ...]]:
        """Everything that the org holds, with who changed it when: equal means that nothing was touched."""
        rows: list[tuple[Any, ...]] = []
        with sqlite3.connect(self.database) as db:
            for table in ("component", "enablement", "consumer_key"):
                rows += sorted((table, *map(str, row)) for row in db.execute(f"SELECT * FROM {table}"))
        db.close()
        return rows


def dump(document: Document) -> str:
    """A document as YAML 1.2."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes what PyYAML takes for a text and YAML 1.2 for a number, such as `1e100`."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if text[:1] in "+-.0123456789" else None)


_Dumper.add_representer(str, _text)


def changes(plan: Any) -> dict[str, dict[str, tuple[Any, Any]]]:
    """A JSON plan's changes as `{"action address": {field: (old, new)}}`."""
    words = {"delete,create": "replace"}
    found = {}
    for one in plan["resource_changes"]:
        action = ",".join(one["change"]["actions"])
        fields = {".".join(f["path"]): (f["old"], f["new"]) for f in one["fields"]}
        found[f"{words.get(action, action)} {one['address']}"] = fields
    return found
