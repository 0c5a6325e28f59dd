"""Writes the first files of a project: each is new, or has lines added at its end; nothing is overwritten."""

from pathlib import Path

from reconciler import files
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError
from reconciler.project.file import FILE, MAX_BYTES
from reconciler.project.loading import DESIRED, Loading
from reconciler.project.template import ignored


def is_sfdx(folder: Path) -> bool:
    """Whether the folder is a project of the Salesforce CLI."""
    return (folder / "sfdx-project.json").is_file()


def begun(folder: Path, project_file: str) -> list[str]:
    """Write the first files of a project, and return what was made, in words. Raises InputError."""
    # What is written has to be what is read.
    Loading(folder / FILE, project_file.encode(), {}).project()
    ignore = folder / ".gitignore"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = files.read(ignore, MAX_BYTES).decode() if files.exists(ignore) else ""
        added = ignored(known)
        files.create(folder / FILE, project_file.encode())
        done = [FILE]
        if not is_sfdx(folder) and not (folder / DESIRED).exists():
            (folder / DESIRED).mkdir()
            done.append(f"{DESIRED}/")
        if added:
            if known:
                files.replace(ignore, [known, added])
            else:
                files.create(ignore, added.encode())
            done.append(f".gitignore{' (lines added)' if known else ''}")
    except FileError as wrong:
        raise InputError(Complaint(f"a file {wrong.problem}", Place(folder.name), wrong.mend)) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(Complaint(f"the project could not be begun: {wrong}", Place(folder.name))) from None
    return done
