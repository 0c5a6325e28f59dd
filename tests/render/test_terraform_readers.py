"""Tools that read Terraform's plans read ours: two that others wrote, which know nothing of us.

`tftest` is Google's test helper for Terraform modules; `tf-peek` makes a review of a plan and stops a pipeline at what a
team calls critical.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tftest

from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, FieldChange, Reason
from reconciler.render.json import documents
from reconciler.schema.values import SecretRef

from .samples import GLOBAL, HANDLER, PLANS, plan_of, update

APP = Address("ExternalClientApplication", "order_portal")
LEGACY, OLD = Address("ConnectedApp", "Legacy_ERP"), Address("ConnectedApp", "Old")
CANARY = "s3cr3t-that-nobody-may-see"

PLAN = plan_of(
    Change(APP, None, {"label": "Order portal"}, Reason.DECLARED),
    Change(GLOBAL, None, {"callbackUrl": ["https://a"], "consumerSecret": SecretRef("env", "X")}, Reason.DECLARED),
    Change(enablement("PartnerIdp", "order_portal"), None, {"isDefault": True}, Reason.DECLARED),
    update(HANDLER, FieldChange(("isEnabled",), True, False)),
    Change(LEGACY, {"label": "a", "oauthConfig": {"consumerSecret": CANARY}}, None, Reason.REMOVED),
    Change(
        OLD,
        {"label": "b", "oauthConfig": {"consumerKey": "a", "consumerSecret": CANARY}},
        {"label": "b", "oauthConfig": {"consumerKey": "b"}},
        Reason.ASKED,
        (FieldChange(("oauthConfig", "consumerKey"), "a", "b"),),
        replace=True,
    ),
)


def peek(folder: Path, text: str, *more: str, config: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "plan.json").write_text(text, encoding="utf-8")
    (folder / "peek.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "tf_peek", "plan.json", "--config", "peek.toml", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_tftest_finds_what_happens_to_each_resource():
    """A test suite that was written for Terraform modules."""
    read = tftest.TerraformPlanOutput(json.loads(documents.plan(PLAN)))

    assert {
        str(APP): ["create"],
        str(GLOBAL): ["create"],
        "OauthTokenExchangeHandler/PartnerIdp/enablements/order_portal": ["create"],
        str(HANDLER): ["update"],
        str(LEGACY): ["delete"],
        str(OLD): ["delete", "create"],
    } == {address: found["change"]["actions"] for address, found in read.resource_changes.items()}
    assert "1.2" == read.format_version


def test_tf_peek_counts_as_we_do(tmp_path):
    """A reviewer who reads its summary and not ours."""
    read = peek(tmp_path, documents.plan(PLAN))
    rows = [[cell.strip(" *") for cell in row.split("|")] for row in read.stdout.splitlines()]
    counts = {row[1].split()[-1]: row[5] for row in rows if len(row) == 7 and row[5].isdigit()}

    assert (0, "") == (read.returncode, read.stderr)
    assert {"Create": "3", "Update": "1", "Delete": "1", "Replace": "1", "Total": "6"} == counts


def test_tf_peek_names_each_resource_and_why(tmp_path):
    """A reviewer who has to know what forces a replacement."""
    told = peek(tmp_path, documents.plan(PLAN)).stdout

    assert [] == [str(c.address) for c in PLAN.changes if f"`{c.address}`" not in told]
    assert "the replacement was explicitly requested" in told
    assert "found no corresponding resource configuration" in told
    assert "**Forces replacement:** `oauthConfig" in told
    assert "the existing object is destroyed before its replacement is created" in told
    assert "| `consumerKey` | `(known after apply)" in told


def test_tf_peek_shows_no_secret_even_when_asked_to(tmp_path):
    """Whoever runs it with --show-sensitive in a public log."""
    masked, shown = (peek(tmp_path, documents.plan(PLAN), *more).stdout for more in ((), ("--show-sensitive",)))

    assert "`(sensitive value)`" in masked
    assert CANARY not in masked + shown


@pytest.mark.parametrize(("action", "code"), [("delete", 3), ("replace", 3), ("create", 0), ("update", 0)])
def test_tf_peek_stops_what_a_team_calls_critical(tmp_path, action, code):
    """A pipeline that must not delete connected apps, whatever tool made the plan."""
    rule = '[[resources]]\nmatch_type = "ConnectedApp"\ntier = "critical"\n'

    assert code == peek(tmp_path, documents.plan(PLAN), "--fail-on-critical-on", action, config=rule).returncode


@pytest.mark.parametrize("name", PLANS)
def test_tf_peek_reads_every_sample(tmp_path, name):
    """Whoever has a plan of another shape."""
    assert (0, "") == ((read := peek(tmp_path, documents.plan(PLANS[name]))).returncode, read.stderr)
