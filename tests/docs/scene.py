"""What blocks of documents are run in: the example, with an org `prod` that is a mock org too; and a repository of it."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .blocks import ROOT
from .shell import run

VARIABLES = {"integration_user": "integration@acme.example"}
PROJECT: dict[str, Any] = {
    "project": "acme-identity",
    "desired": "desired",
    "orgs": {
        "dev": {"mock": ".reconciler/orgs/dev.db", "variables": VARIABLES},
        "prod": {"mock": ".reconciler/orgs/prod.db", "variables": VARIABLES},
    },
    "default_org": "dev",
}


class Strict(yaml.SafeLoader):
    """PyYAML, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        assert not twice, f"written twice: {', '.join(twice)}"
        return super().construct_mapping(node, deep=deep)


def documents_in(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=Strict))


def example(folder: Path) -> Path:
    """The example's files, and nothing applied yet."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "desired", folder / "desired")
    configure(folder, {})
    return folder


def configure(folder: Path, prod: Mapping[str, Any]) -> None:
    """The project file, with more about `prod`."""
    content = {**PROJECT, "orgs": {**PROJECT["orgs"], "prod": {**PROJECT["orgs"]["prod"], **prod}}}
    (folder / "reconciler.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def applied(folder: Path, *orgs: str) -> None:
    for org in orgs:
        done = run(f"reconciler apply --auto-approve --org {org}", folder)
        assert 0 == done.code, done.err


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *words], cwd=folder, text=True, capture_output=True, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def pull_request(base: Path, folder: Path) -> Path:
    """A clone of `base` as `actions/checkout` leaves it, with an app in a branch that `main` does not have."""
    git(base, "init", "-q")
    git(base, "add", "-A")
    git(base, "commit", "-qm", "base")
    git(base.parent, "clone", "-q", f"file://{base}", str(folder))
    git(folder, "checkout", "-qb", "feature")
    more = "kind: ExternalClientApplication\nname: added_by_pr\nlabel: Added\ncontactEmail: iam@acme.example\n"
    (folder / "desired" / "added.yaml").write_text(more, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "an app")
    return folder
