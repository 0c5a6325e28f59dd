"""Finds the desired files that are not in canonical form, and rewrites them: each is old or new, never half."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler import files
from reconciler.desired.canonical_order import order
from reconciler.desired.tree import Tree
from reconciler.errors import Complaint, InputError, Place
from reconciler.files import FileError
from reconciler.yaml.formatting import formatted


def changed(folders: Sequence[Path], root: Path, only: Sequence[Path]) -> dict[str, bytes]:
    """The YAML files below some folders whose canonical form is another -> that form. `only` are files or folders to stay
    with. Raises InputError for what cannot be read, and for one of `only` that holds no desired file."""
    tree = Tree.walk([folder for folder in folders if folder.is_dir()], root)
    if tree.complaints:
        raise InputError(*tree.complaints)
    unknown = [one for one in only if not any((root / name).resolve().is_relative_to(one) for name in tree.yaml)]
    if unknown:
        mend = "name a YAML file below a folder of `desired:`"
        raise InputError(*(Complaint(f"{one.name} holds no desired file", mend=mend) for one in unknown))
    found = {}
    for name, data in tree.contents(tree.yaml):
        if only and not any((root / name).resolve().is_relative_to(one) for one in only):
            continue
        new = formatted(data, order)
        if new != data:
            found[name] = new
    if tree.complaints:
        raise InputError(*tree.complaints)
    return found


def rewritten(root: Path, contents: Mapping[str, bytes]) -> None:
    """Write these files. Raises InputError for one that cannot be written."""
    for name, data in contents.items():
        try:
            files.replace(root / name, [data.decode()])
        except (OSError, FileError) as wrong:
            why = wrong.problem if isinstance(wrong, FileError) else f"cannot be written: {wrong.strerror}"
            raise InputError(Complaint(f"this file {why}", Place(name), "mend that and run it again")) from None
