"""Every switch of the mock org is explained, where it is defined and where people look for it."""

import inspect
import re
from dataclasses import fields

import pytest

from providers.mock.state.switches import Switches
from tests.packaging.locked import ROOT

README = (ROOT / "providers" / "mock" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("switch", fields(Switches), ids=lambda switch: switch.name)
def test_a_switch_is_explained(switch) -> None:
    """Whoever chooses a behaviour by the page, and does not see that there is one more."""
    rows = [line for line in README.splitlines() if line.startswith("| `") and f"`{switch.name}`" in line]
    named = re.search(rf"(?m)^(?:.*, )?{switch.name}\b.*   ?\S", inspect.getdoc(Switches) or "")

    assert named, "say in the docstring of Switches what it is about"
    assert 1 == len(rows), "add a row to the table of switches in providers/mock/README.md"


def test_the_page_names_no_switch_that_is_gone() -> None:
    table = README.partition("## Switches")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.partition(" | ")[0])
    }

    assert {switch.name for switch in fields(Switches)} == named
