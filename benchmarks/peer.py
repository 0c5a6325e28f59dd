"""The peer: `terraform plan` over as many `terraform_data` resources as there are components.

Needs no network: the provider is built into terraform, and the state is written here instead of by an apply, which
takes minutes.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.apps import COMPONENTS, names
from benchmarks.measured import Usage, run

MOST = 5_000
"""Resources. Beyond, terraform takes minutes and gigabytes."""
_ENVIRONMENT = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null", "TF_IN_AUTOMATION": "1"}
_FIELDS = 10
"""Texts of one resource; as many flags stand beside them, so that it has the twenty fields of a component."""


def binary() -> str | None:
    """The terraform on the path."""
    return shutil.which("terraform")


def plan(terraform: str, folder: Path) -> Usage:
    """One plan that finds nothing to change."""
    command = [terraform, "plan", "-input=false", "-no-color"]
    return run(command, folder, _ENVIRONMENT, says="No changes.")


def prepare(folder: Path, apps: int) -> None:
    """Write configuration, a file an app, and a state that matches it."""
    folder.mkdir()
    with (folder / "terraform.tfstate").open("w", encoding="utf-8") as state:
        state.write(
            '{"version":4,"terraform_version":"1.0.0","serial":1,"lineage":"benchmark","outputs":{},"resources":['
        )
        separator = ""
        for name in names(apps):
            resources = dict(_resources(name))
            text = json.dumps({"resource": {"terraform_data": {key: {"input": v} for key, v in resources.items()}}})
            (folder / f"{name}.tf.json").write_text(text, encoding="utf-8")
            for key, value in resources.items():
                state.write(separator + json.dumps(_state(key, value)))
                separator = ","
        state.write('],"check_results":null}')


def _resources(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(COMPONENTS):
        texts = {f"text{index}": f"value {index} of {name}" for index in range(_FIELDS)}
        flags = {f"flag{index}": index % 2 == 0 for index in range(_FIELDS)}
        yield f"{name}_{number}", {**texts, **flags}


def _state(key: str, value: dict[str, Any]) -> dict[str, Any]:
    types = {name: "bool" if isinstance(one, bool) else "string" for name, one in value.items()}
    held = {"value": value, "type": ["object", types]}
    attributes = {"id": key, "input": held, "output": held, "triggers_replace": None}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": key,
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }
