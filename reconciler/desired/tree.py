"""Which desired files there are, and what is in them: walked and read within bounds, links followed but never out."""

import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reconciler import files
from reconciler.errors import Complaint, Place
from reconciler.files import FileError
from reconciler.yaml.events import IsSecret
from reconciler.yaml.reader import Positions

MAX_FILES = 100_000
MAX_BYTES = 10_000_000
"""Of one file. A deployment holds 39 MB."""
MAX_TOTAL = 500_000_000
"""Of all files together."""
MAX_FOLDERS = 32
"""Folders inside of folders."""
_AHEAD = 2_000_000
"""Bytes that are read ahead of the parser."""
_CACHED = 16
"""Files whose places are kept; errors and plan lines ask for one file after the other."""

_YAML = (".yaml", ".yml")
_APEX = (".cls", ".cls-meta.xml")
_KIND = re.compile(rb'"kind"\s*:\s*"([A-Za-z]{1,80})"')
_PROSE = (".md", ".txt", ".rst", ".adoc", ".png", ".svg", ".drawio")
"""What is put beside desired files for people to read."""
_NAMED = 5
"""Files that are not read and are named; of the others only the number is said."""


def is_read(name: str) -> bool:
    """Whether a file of that name in the folder of desired files is one of them."""
    return not name.startswith(".") and (name.lower().endswith(_YAML) or name.endswith(_APEX))


@dataclass(slots=True)
class Tree:
    """The desired files below one folder: names relative to the project folder, with `/`, in order."""

    root: Path
    _kinds: Container[str] = ()
    _changed: Mapping[str, bytes | None] = field(default_factory=dict)
    yaml: list[str] = field(default_factory=list)
    apex: list[str] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Files that may be meant as desired ones and are not read, the first of them by name; `unread_count` is how many."""
    unread_count: int = 0
    _size: int = 0
    _full: bool = False

    @classmethod
    def walk(
        cls,
        folder: Path,
        root: Path,
        kinds: Container[str] = (),
        changed: Mapping[str, bytes | None] | None = None,
    ) -> "Tree":
        """Find the YAML and Apex files. What cannot be walked or is no plain file is among the complaints, and so is a
        folder that holds other files alone. `kinds` are the names that a document may have under `kind`; `changed` are
        files as they are going to be, by name, and `None` for those that are going to be gone."""
        tree = cls(root, kinds, changed or {})
        top = folder.resolve()
        if not top.is_dir():
            shown = tree._shown(folder)
            what = "is not a folder" if folder.exists() else "does not exist"
            mend = "create the folder, or name the right one under `desired:` in the project file"
            tree._complain(shown, f"the folder of desired files {what}", mend)
            return tree
        tree._enter(folder, top, (top.stat(),))
        known = {*tree.yaml, *tree.apex}
        inside = tree._shown(folder)
        for name, data in tree._changed.items():
            if not PurePosixPath(name).is_relative_to(inside):
                continue
            if data is None or (name not in known and is_read(PurePosixPath(name).name)):
                tree._take(name, gone=data is None)
        if not tree.yaml and tree.unread_count and not tree.complaints:
            message = f"no desired files: of the files in {tree._shown(folder)} none is YAML; {tree.passed_by()}"
            mend = (
                "declare what should be there in .yaml files, or name another folder under `desired:` in the project file;"
                " sources of the Salesforce CLI are not read"
            )
            tree._complain(tree._shown(folder), message, mend)
        tree.yaml.sort()
        tree.apex.sort()
        return tree

    def passed_by(self) -> str:
        """Words that name the files that were not read; empty if all were."""
        if not self.unread:
            return ""
        more = self.unread_count - len(self.unread)
        return f"not read: {', '.join(self.unread)}{f' and {more:,} more' if more else ''}"

    def _shown(self, path: Path | str) -> str:
        return Path(os.path.relpath(path, self.root)).as_posix()

    def _complain(self, shown: str, message: str, mend: str) -> None:
        # A name that is not UTF-8 could not be printed.
        shown = shown.encode("utf-8", "backslashreplace").decode()
        self.complaints.append(Complaint(message, Place(shown), mend))

    def _enter(self, folder: Path, top: Path, above: tuple[os.stat_result, ...]) -> None:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as wrong:
            self._complain(self._shown(folder), f"cannot be read: {wrong.strerror}", "mend its permissions")
            return
        shown = self._shown(folder)
        prefix = "" if shown == "." else f"{shown}/"
        for entry in found:
            name = entry.name
            if name.startswith("."):
                continue
            wanted = is_read(name)
            if entry.is_symlink() and not self._link(entry, prefix + name, top, wanted):
                continue
            if entry.is_dir():
                self._folder(entry, prefix + name, top, above)
            elif wanted:
                self._file(entry, prefix + name)
            elif not name.lower().endswith(_PROSE) and "." in name:
                self._pass_by(entry, prefix + name)

    def _folder(self, entry: os.DirEntry[str], shown: str, top: Path, above: tuple[os.stat_result, ...]) -> None:
        here = entry.stat()
        if any(os.path.samestat(here, folder) for folder in above):
            self._complain(shown, "this link leads back to a folder that it stands in", "remove the link")
        elif len(above) > MAX_FOLDERS:
            self._complain(shown, f"more than {MAX_FOLDERS} folders inside of folders", "flatten them")
        else:
            self._enter(Path(entry.path), top, (*above, here))

    def _link(self, entry: os.DirEntry[str], shown: str, top: Path, wanted: bool) -> bool:
        """Whether a link may be followed: only inside of the desired folder. Links to other files are passed by."""
        try:
            target = Path(entry.path).resolve(strict=True)
        except FileNotFoundError:
            if wanted:
                self._complain(shown, "this link leads nowhere", "remove or mend it")
            return False
        except (OSError, RuntimeError):  # Python 3.11 raises RuntimeError for a link that leads to itself
            self._complain(shown, "this link leads in a circle, or cannot be followed", "remove or mend it")
            return False
        if target.is_relative_to(top):
            return True
        if wanted or target.is_dir():
            self._complain(shown, "this link leads out of the desired folder", "put the file itself there")
        return False

    def _pass_by(self, entry: os.DirEntry[str], shown: str) -> None:
        """Note a file that is not read. A JSON file that declares resources is refused: its author means it to be read,
        and without it a plan would delete what it declares."""
        self.unread_count += 1
        if len(self.unread) < _NAMED:
            self.unread.append(shown.encode("utf-8", "backslashreplace").decode())
        if not shown.lower().endswith(".json") or not entry.is_file() or entry.stat().st_size > MAX_BYTES:
            return
        try:
            data = files.read(Path(entry.path), MAX_BYTES)
        except FileError:
            return
        if any(found[1].decode() in self._kinds for found in _KIND.finditer(data)):
            mend = f"rename it to {PurePosixPath(shown).with_suffix('.yaml').name}: JSON is YAML"
            self._complain(shown, "this file is not read: desired files are called .yaml or .yml", mend)

    def _file(self, entry: os.DirEntry[str], shown: str) -> None:
        if not entry.is_file():
            self._complain(shown, "this is not a plain file", "remove it")
            return
        size = entry.stat().st_size
        self._size += size
        if shown != shown.encode("utf-8", "replace").decode():
            self._complain(shown, "the name of this file is not UTF-8", "rename it")
        elif size > MAX_BYTES:
            self._complain(shown, f"the file is larger than {MAX_BYTES // 1_000_000} MB", "split it")
        elif self._full:
            return
        elif self._size > MAX_TOTAL:
            self._full = True
            self._complain(
                shown, f"the files are larger than {MAX_TOTAL // 1_000_000} MB together", "split the project"
            )
        elif len(self.yaml) + len(self.apex) >= MAX_FILES:
            self._full = True
            self._complain(shown, f"more than {MAX_FILES:,} files", "put several resources into one file")
        else:
            (self.yaml if shown.lower().endswith(_YAML) else self.apex).append(shown)

    def _take(self, name: str, *, gone: bool) -> None:
        names = self.yaml if name.lower().endswith(_YAML) else self.apex
        if not gone:
            names.append(name)
        elif name in names:
            names.remove(name)

    def contents(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each file; one that cannot be read is among the complaints instead.

        Files are read ahead, many at a time: going to and fro between reading and parsing costs a quarter more CPU.
        """
        waiting: list[tuple[str, bytes]] = []
        size = 0
        for name in names:
            try:
                data = self._changed.get(name) or files.read(self.root / name, MAX_BYTES)
            except FileError as wrong:
                self._complain(name, f"this file {wrong.problem}", wrong.mend)
                continue
            waiting.append((name, data))
            size += len(data)
            if size > _AHEAD:
                yield from waiting
                waiting, size = [], 0
        yield from waiting


class Places:
    """Finds values in YAML files, by reading a file once more. Keeps the last few."""

    def __init__(self, root: Path, is_secret: IsSecret, changed: Mapping[str, bytes | None] | None = None) -> None:
        self._root = root
        self._changed = changed or {}
        self._is_secret = is_secret
        self._known: dict[str, Positions] = {}

    def of(self, file: str) -> Positions:
        """Return what looks up places in one file; a file that is gone by now has none."""
        positions = self._known.pop(file, None)
        if positions is None:
            try:
                data = self._changed.get(file) or files.read(self._root / file, MAX_BYTES)
            except FileError:
                data = b""
            positions = Positions(data, file, self._is_secret)
        self._known[file] = positions
        if len(self._known) > _CACHED:
            del self._known[next(iter(self._known))]
        return positions
