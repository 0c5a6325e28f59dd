"""docs/adopt.sh: the first hour with an org that has had apps for years."""

import subprocess
import sys
from pathlib import Path

from providers.mock import open_org
from tests.docs.blocks import ROOT
from tests.e2e.build import DANA

APPS = 30


def test_thirty_apps_are_adopted_by_three_commands(tmp_path: Path) -> None:
    """The one who would have to type them, and of four has typed two wrong."""
    database = tmp_path / ".reconciler" / "orgs" / "dev.db"
    database.parent.mkdir(parents=True)
    org = open_org(database)
    try:
        for number in range(APPS):
            fields = {"label": f"App {number}", "contactEmail": "iam@acme.example", "distributionState": "Local"}
            org.create(f"ExternalClientApplication/app{number}", fields, as_user=DANA)
    finally:
        org.close()
    reconciler = str(Path(sys.executable).with_name("reconciler"))

    done = subprocess.run(
        ["sh", str(ROOT / "docs" / "adopt.sh"), reconciler],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("No changes.")
    assert APPS <= len(list((tmp_path / "desired" / "externalClientApps").glob("app*.yaml")))
