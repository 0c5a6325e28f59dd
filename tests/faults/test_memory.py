"""Hostile answers to the real command in a process whose memory is limited: it ends with a message, and in time."""

import os
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from providers.mock import Faults
from tests.e2e.project import Project
from tests.faults.scene import COMMANDS, Copy

MOST = 1 << 30
"""Bytes of address space: a third of it is what Python and the libraries take."""
HOSTILE = {
    "an answer without end": Faults().on("query", "endless_answer"),
    "an answer without end in XML": Faults().on("checkRetrieveStatus", "endless_answer"),
    "a zip bomb": Faults().on("checkRetrieveStatus", "zip_bomb", megabytes=1500),
    "elements by the million": Faults().on("checkRetrieveStatus", "million_elements", count=5_000_000),
    "entities of entities": Faults().on("retrieve", "entity_expansion", levels=30),
    "arrays in arrays": Faults().on("query", "deep_nesting", depth=5_000_000),
    "elements in elements": Faults().on("listMetadata", "deep_nesting", depth=5_000_000),
}
ALWAYS = ("an answer without end in XML", "a zip bomb")
CHOSEN = list(HOSTILE) if os.environ.get("RECONCILER_FAULTS") == "all" else ALWAYS


@pytest.mark.parametrize("what", CHOSEN)
def test_a_hostile_answer_does_not_eat_the_machine(tmp_path: Path, furnished: Project, what: str):
    """A runner that somebody else's jobs run on, too."""
    project = Copy(tmp_path, furnished)
    with closing(project.org), project.at(HOSTILE[what]):
        found = subprocess.run(
            [str(Path(sys.executable).with_name("reconciler")), *COMMANDS["drift"]],
            cwd=project.root,
            env={**os.environ, **project.secrets},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST)),
        )

    assert (1, True) == (found.returncode, "mend:" in found.stderr), found.stderr
    assert "unexpected error" not in found.stderr
