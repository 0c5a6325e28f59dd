"""`reconciler init`: begins a project in a folder. Arguments in, text out; no logic."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from reconciler.errors import Complaint, InputError


def init(
    org: Annotated[
        str | None,
        typer.Option("--org", "-o", help="An org that the Salesforce CLI knows by this alias.", metavar="ALIAS"),
    ] = None,
    instance_url: Annotated[
        str | None, typer.Option("--instance-url", help="The address of an org: https://acme.my.salesforce.com.")
    ] = None,
    mock: Annotated[bool, typer.Option("--mock", help="A mock org on this machine: no Salesforce needed.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--project", help="Where to begin, if not in this folder.", metavar="FOLDER")
    ] = None,
) -> None:
    """Begin a project: project file, folder of desired files, and what Git ignores. Overwrites nothing."""
    from reconciler.cli.output import say
    from reconciler.project import template
    from reconciler.project.beginning import begun, is_sfdx
    from reconciler.project.file import FILE
    from reconciler.render.words.safe import line

    given = [*([org] if org is not None else []), *([instance_url] if instance_url is not None else [])]
    if len(given) + mock > 1:
        raise InputError(Complaint("--org, --instance-url and --mock contradict each other", mend="give one of them"))
    here = folder if folder is not None else Path.cwd()
    if (here / FILE).exists():
        raise InputError(Complaint(f"there is a {FILE} already", mend="edit it; init begins new projects only"))
    chosen = "mock" if mock else given[0] if given else _asked()
    done = begun(here, template.project_file(here.resolve().name, chosen, sfdx=is_sfdx(here)))
    say("".join(f"+ {line(one)}\n" for one in done) + _NEXT[chosen == "mock"], done=True)


_NEXT = {
    True: "\nnext: reconciler pull    takes what the mock org has into desired/\n"
    "      reconciler plan    shows what would change: nothing yet\n",
    False: "\nnext: reconciler doctor  says whether we can work with the org\n"
    "      reconciler pull    takes what it has into desired/\n"
    "      reconciler plan    shows what would change: nothing yet\n",
}


def _asked() -> str:
    """Ask for the org. Raises InputError where there is no terminal to ask on."""
    from reconciler.cli.asking import has_terminal

    if not has_terminal():
        mend = "give one of --org ALIAS, --instance-url URL and --mock"
        raise InputError(Complaint("which org? There is no terminal to ask on", mend=mend))
    sys.stderr.write(
        "Which org? `mock` for one on this machine, an alias of the Salesforce CLI,\n"
        "or an address like https://acme.my.salesforce.com: "
    )
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if not answer:
        raise InputError(Complaint("no org was named", mend="reconciler init --mock needs none"))
    return answer
