"""Reads and writes the desired files and the project file on the disk, so that none is ever left half-written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import files
from reconciler.desired.load import load
from reconciler.desired.tree import MAX_BYTES, sfdx_folder
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError
from reconciler.model.declared import Snapshot
from reconciler.xml import file_names


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one project for one of its orgs. Names are relative to the project folder, with `/`."""

    root: Path
    folders: tuple[Path, ...]
    """Of the desired files; the first is where new ones go."""
    project_file: str
    org: str
    """The org's name in the project file."""
    orgs: tuple[str, ...] = ()
    """All of the project's."""
    overlays: tuple[Path, ...] = ()
    """Folders of documents that lie over the others for this org."""
    apart: tuple[Path, ...] = ()
    """All folders of single orgs, which may stand inside of the others."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The org's, filled in."""
    fixed: frozenset[str] = frozenset()
    """Variables whose value is not what stands in the project file: it is read from the environment."""
    environment: Mapping[str, str] = field(default_factory=dict)
    allow_commands: bool = False

    def load(self, changed: Mapping[str, bytes | None], variables: Mapping[str, str]) -> Snapshot:
        """The desired state as it would be with these files and variables. Raises InputError."""
        return load(
            self.folders,
            root=self.root,
            variables={**self.variables, **variables},
            environment=self.environment,
            allow_commands=self.allow_commands,
            changed=changed,
            org=self.org,
            orgs=self.orgs,
            overlays=self.overlays,
            apart=self.apart,
        )

    def folder(self, desired: Snapshot) -> tuple[Path, bool, bool]:
        """Where new files go; whether they are metadata files, as all that is there; and whether these are named as in a
        package. In a project of the Salesforce CLI that is its default package directory."""
        first = self.folders[0]
        inside = sfdx_folder(first)
        if inside is not None:
            return inside, True, False
        shown = "" if first == self.root else f"{first.relative_to(self.root).as_posix()}/"
        files_ = {one.origin.file for one in desired.resources.values() if one.origin.file.startswith(shown)}
        records = {file for file in files_ if file_names.named(file.rpartition("/")[2]) is not None}
        is_metadata = bool(records) and not any(file.lower().endswith((".yaml", ".yml")) for file in files_)
        return first, is_metadata, is_metadata and not any(file.endswith(file_names.META) for file in records)

    def names(self, folder: Path) -> frozenset[str]:
        """Every file in a folder, in small letters: some disks know no others."""
        found = (path.relative_to(self.root).as_posix() for path in folder.rglob("*"))
        return frozenset(name.casefold() for name in found)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, empty if it does not exist. Raises InputError."""
        try:
            return files.read(self.root / name, MAX_BYTES) if files.exists(self.root / name) else b""
        except FileError as wrong:
            raise InputError(Complaint(f"this file {wrong.problem}", Place(name), wrong.mend)) from None

    def write(self, changed: Mapping[str, bytes | None], before: Mapping[str, bytes]) -> None:
        """Write files one after the other, the project file first: desired files may name variables that are new in it.

        What an earlier write left that was killed is cleared away: only one process at a time writes, under the lock of
        the baseline. Nothing is written if one of them is not what it was `before`, or if a new one is there by now.
        Raises InputError.
        """
        moved = [name for name in changed if self.read(name) != before.get(name, b"")]
        if moved:
            message = "this file was changed while it was to be written; nothing was written"
            raise InputError(*(Complaint(message, Place(name), "run it again") for name in moved))
        folders = [self.root.glob(f"{files.UNFINISHED}*"), *(one.rglob(f"{files.UNFINISHED}*") for one in self.folders)]
        for left in [path for found in folders for path in found]:
            if left.is_file() and not left.is_symlink():
                left.unlink(missing_ok=True)
        for name in sorted(changed, key=lambda name: (name != self.project_file, name)):
            data = changed[name]
            path = self.root / name
            try:
                if data is None:
                    files.remove(path)
                elif name in before:
                    files.replace(path, [data.decode()])
                else:
                    files.create(path, data)
            except (OSError, FileError) as wrong:
                why = wrong.problem if isinstance(wrong, FileError) else f"cannot be written: {wrong.strerror}"
                mend = wrong.mend if isinstance(wrong, FileError) else "mend that and run it again"
                raise InputError(Complaint(f"this file {why}", Place(name), mend)) from None
