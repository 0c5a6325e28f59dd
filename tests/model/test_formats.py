"""A format is named in one place in the code; everything that names formats for people has to have all of them."""

import re
from inspect import signature

import pytest
import typer

from reconciler.cli.program import app
from reconciler.model.formats import FORMATS, REPORTS, listed
from reconciler.render.pages import page_of
from tests.packaging.locked import ROOT


@pytest.mark.parametrize("document", ["README.md", "docs/ci.md"])
def test_the_documents_name_every_format(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert [] == [name for name in FORMATS if f"`{name}`" not in text], f"add it to {document}"


@pytest.mark.parametrize("form", REPORTS)
def test_every_format_has_a_function_that_makes_it(form: str) -> None:
    """Whoever asks for a format that help offers, and gets an AttributeError."""
    assert next(iter(signature(page_of(form)).parameters)) == "report", "it takes a `Report` (render/report.py) first"


def test_the_help_names_every_format() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    helped = next(one.help for one in commands["plan"].params if "--output" in one.opts)

    assert helped.startswith(f"{listed()};")
    assert list(FORMATS) == [re.sub(r" \(.*\)", "", word) for word in re.split(r", | or ", listed())]
