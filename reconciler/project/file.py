"""Finds and loads the project file `reconciler.yaml`."""

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler import files
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError
from reconciler.project.loading import EXAMPLE, Loading
from reconciler.project.project import Project, place_of

FILE = "reconciler.yaml"
MAX_BYTES = 1_000_000


def load_project(path: Path | None, *, environment: Mapping[str, str]) -> Project:
    """Read the project file; `None` looks for `reconciler.yaml` here and in the folders above.

    Raises InputError with all that is wrong in it, but for what is missing in the environment: orgs that are not used
    need not be complete.
    """
    found = find(path)
    try:
        data = files.read(found, MAX_BYTES)
    except FileError as wrong:
        raise InputError(Complaint(f"the project file {wrong.problem}", Place(found.name), wrong.mend)) from None
    return Loading(found.resolve(), data, environment).project()


def find(path: Path | None) -> Path:
    """Return the path of the project file without reading it; `None` looks here and in the folders above. Raises InputError."""
    if path is not None:
        if path.is_dir():
            if os.path.lexists(path / FILE):
                return path / FILE
            raise InputError(Complaint(f"there is no {FILE} in the folder {path}", mend=f"write one:\n{EXAMPLE}"))
        if os.path.lexists(path):
            return path
        near = files.nearest(path)
        raise InputError(Complaint(f"the project file {path} does not exist", mend=near or f"write one:\n{EXAMPLE}"))
    try:
        here = Path.cwd()
    except OSError:
        raise InputError(
            Complaint("the folder that this was started in is gone", mend="change into a folder that exists")
        ) from None
    for folder in (here, *here.parents):
        # A link that leads nowhere is not passed by: a project further up is another one.
        if os.path.lexists(folder / FILE) and not (folder / FILE).is_dir():
            return folder / FILE
    raise InputError(
        Complaint(f"no {FILE} in this folder or above", mend=f"write one here, or name one with --project:\n{EXAMPLE}")
    )


def login_place(project: Project, org: str, key: str) -> Place:
    """Return where a key of an org's login stands in the project file."""
    return place_of(project.positions, ("orgs", org, "login", key), project.path)
