"""The desired files and the project file as they are on the disk, to be read, changed and written: each is old or new,
never half."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import files
from reconciler.desired.load import load
from reconciler.desired.tree import MAX_BYTES
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError
from reconciler.model.declared import Snapshot


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one project for one of its orgs. Names are relative to the project folder, with `/`."""

    root: Path
    folder: Path
    """Of the desired files."""
    project_file: str
    org: str
    """The org's name in the project file."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The org's, filled in."""
    fixed: frozenset[str] = frozenset()
    """Variables whose value is not what stands in the project file: it is read from the environment."""
    environment: Mapping[str, str] = field(default_factory=dict)
    allow_commands: bool = False

    def load(self, changed: Mapping[str, bytes | None], variables: Mapping[str, str]) -> Snapshot:
        """The desired state as it would be with these files and variables. Raises InputError."""
        return load(
            self.folder,
            root=self.root,
            variables={**self.variables, **variables},
            environment=self.environment,
            allow_commands=self.allow_commands,
            changed=changed,
        )

    def name_of_folder(self) -> str:
        return self.folder.relative_to(self.root).as_posix()

    def names(self) -> frozenset[str]:
        """Every file in the folder of desired files, in small letters: some disks know no others."""
        found = (path.relative_to(self.root).as_posix() for path in self.folder.rglob("*"))
        return frozenset(name.casefold() for name in found)

    def read(self, name: str) -> bytes:
        """The bytes of a file; none of one that is not there. Raises InputError."""
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
        for left in [*self.folder.rglob(f"{files.UNFINISHED}*"), *self.root.glob(f"{files.UNFINISHED}*")]:
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
