"""docs/commands.md is made from the command line. `make docs` writes it anew."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from reconciler.cli.program import app
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "commands.md"
HEAD = """\
# Commands

Every command with all of its options, as `--help` has them. This page is made from the code: `make docs`.
"""


def page() -> str:
    program = typer.main.get_command(app)
    shared = {tuple(each.opts): row(each) for each in program.params}
    return "\n".join([HEAD, *sections("reconciler", program, shared)])


def sections(called: str, command: Any, shared: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    """A section for the command, and one for each command below it, in the order of help.

    What the program explains too is only named: it is the same everywhere, and may stand before the command.
    """
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    arguments = "".join(f" {argument(each)}" for each in command.params if each.param_type_name == "argument")
    own = [each for each in options if called == "reconciler" or shared.get(tuple(each.opts)) != row(each)]
    yield f"## {called}{arguments}\n"
    yield f"{sentence(command.help)}\n"
    if own:
        yield from ["| option | does |", "|---|---|", *map(row, own), ""]
    if len(own) < len(options):
        yield f"Also {', '.join(f'`{each.opts[0]}`' for each in options if each not in own)}.\n"
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from sections(f"{called} {name}", below, shared)


def argument(one: Any) -> str:
    name = one.metavar or one.name.upper()
    name = name[1:-1] if name.startswith("[") else name
    name += "…" if one.nargs == -1 else ""
    return name if one.required else f"[{name}]"


def row(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" `{option.metavar or option.name.upper()}`"
    variable = f" Environment: `{option.envvar}`." if option.envvar else ""
    return f"| {names}{value} | {sentence(option.help or '')}{variable} |"


def sentence(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def test_the_page_lists_every_command_and_every_option() -> None:
    """Whoever looks up an option, and does not have the program at hand."""
    if os.environ.get("REWRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")

    assert page() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_the_readme_names_every_command() -> None:
    """The reader who looks for a command in the README's table, where a new one is missing."""
    table = "\n".join(line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `"))
    commands = {
        name: command
        for name, command in getattr(typer.main.get_command(app), "commands", {}).items()
        if not command.hidden
    }
    missing = [name for name in commands if f"`{name}`" not in table and f"`{name} " not in table]

    assert len(commands) > 5
    assert [] == missing, "add a row to the table of commands in README.md"
