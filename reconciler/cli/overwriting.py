"""Refuses an output file that the command also reads or writes: the project's own files, a plan, a recording, another
output."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.cli.output import Outputs
from reconciler.cli.workspace import BASELINES
from reconciler.desired import tree
from reconciler.errors import Complaint, InputError
from reconciler.project.file import find, load_project
from reconciler.project.loading import DESIRED
from reconciler.project.project import Project
from reconciler.schema.values import SecretRef

MEND = "name another file"


def keep_apart(
    outputs: Outputs,
    project: Path | None,
    beside: Mapping[str, Path | None] | None = None,
    given: Mapping[str, Path | None] | None = None,
) -> None:
    """Raise InputError for every output that would be written over an input or over another output.

    To be called before anything runs: even the report of an error would be written there. `beside` are further files that
    are written, by option (`--out`); `given` are those that are read, by what they are (`the saved plan`). An earlier
    report is not among them: a nightly job may well put the new one in its place.
    """
    written = [(f"--output {form}={file}", file) for form, file in outputs.sinks if file is not None]
    written += [(f"{option} {file}", file) for option, file in (beside or {}).items() if file is not None]
    if not written:
        return
    read = [(what, file) for what, file in (given or {}).items() if file is not None]
    complaints = []
    for number, (option, file) in enumerate(written):
        for other, earlier in written[:number]:
            if _same(file, earlier):
                complaints.append(Complaint(f"{option} and {other} are one file", mend="give each a file of its own"))
        for what, one in read:
            if _same(file, one):
                complaints.append(Complaint(f"{option} would be written over {what} that is read", mend=MEND))
    found = _project(project)
    for option, file in written:
        if found is not None and (what := next(_is_own(file, *found), "")):
            complaints.append(Complaint(f"{option} would be written over {what}", mend=MEND))
    if complaints:
        raise InputError(*complaints)


def _project(path: Path | None) -> tuple[Path, Project | None] | None:
    """Return the project file and its content; of one that is wrong no content, since the command reports that itself."""
    try:
        file = find(path)
    except InputError:
        return None
    try:
        return file, load_project(file, environment=os.environ)
    except InputError:
        return file, None


def _is_own(file: Path, project_file: Path, project: Project | None) -> Iterator[str]:
    """Yield which files of the project an output file would overwrite or be taken for, in words."""
    root = _real(project_file).parent
    if _same(file, project_file):
        yield "the project file"
    place = _real(file)
    folders = [root / DESIRED]
    if project is not None:
        folders = [*project.desired, *project.apart]
    for desired in map(_real, folders):
        if tree.is_read(file.name) and place.is_relative_to(desired):
            yield f"the desired files in {os.path.relpath(desired, root)}"
    if place.is_relative_to(_real(root / BASELINES)):
        yield f"the baselines in {BASELINES}"
    for org in project.orgs.values() if project is not None else ():
        if org.mock is not None and _same(file, org.mock):
            yield f"the mock org {org.name}"
        for key, value in org.login.items():
            if isinstance(value, SecretRef) and value.source == "file" and _same(file, root / str(value.target)):
                yield f"the file that {key} of the org {org.name} is read from"


def _real(path: Path) -> Path:
    """Return where links lead; a link that leads in a circle stays as it is, and fails when it is written."""
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one plain file. Devices and pipes do not count: many may write to them."""
    try:
        if one.exists() and not one.is_file():
            return False
        return _real(one) == _real(other) or (one.exists() and other.exists() and one.samefile(other))
    except (OSError, RuntimeError):
        # What cannot be reached is reported when it is written.
        return False
