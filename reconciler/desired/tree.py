"""Which desired files there are, and what is in them: walked and read within bounds, links followed but never out.

A folder may hold YAML documents, Apex classes, and metadata files as a package or a project of the Salesforce CLI has them.
A folder with an `sfdx-project.json` stands for its package directories, without what its `.forceignore` names.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from reconciler import files
from reconciler.desired.metadata_source import ElementPositions
from reconciler.errors import Complaint, Place
from reconciler.files import FileError
from reconciler.xml import file_names
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
_SOURCES = tuple(
    f".{suffix}"
    for suffix in [
        "js",
        "ts",
        "html",
        "css",
        "svg",
        "png",
        "jpg",
        "gif",
        "ico",
        "cmp",
        "app",
        "evt",
        "design",
        "auradoc",
        "tokens",
        "intf",
        "trigger",
        "page",
        "component",
        "resource",
        "map",
        "csv",
        "woff",
        "woff2",
        "ttf",
    ]
)
"""Files beside metadata files that belong to other types: counted there, and not named."""
_NAMED = 5
"""Files that are not read and are named; of the others only the number is said."""


SFDX_PROJECT = "sfdx-project.json"
_FORCE_IGNORE = ".forceignore"
_PROJECT_FILE = "reconciler.yaml"
"""It stands beside desired files where `desired:` is the project folder itself."""


def is_read(name: str) -> bool:
    """Whether a file of that name in the folder of desired files is one of them."""
    if name.startswith("."):
        return False
    return name.lower().endswith(_YAML) or name.endswith(_APEX) or file_names.named(name) is not None


@dataclass(slots=True)
class Tree:
    """The desired files below one folder: names relative to the project folder, with `/`, in order."""

    root: Path
    _kinds: Container[str] = ()
    _changed: Mapping[str, bytes | None] = field(default_factory=dict)
    _apart: frozenset[Path] = frozenset()
    yaml: list[str] = field(default_factory=list)
    apex: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    """Records in files as the Salesforce CLI keeps them."""
    optional: set[str] = field(default_factory=set)
    """Apex classes of a project that has many: only those are declared that a record runs."""
    others: Counter[str] = field(default_factory=Counter)
    """How many metadata files of other types there are, by type."""
    complaints: list[Complaint] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Files that may be meant as desired ones and are not read, the first of them by name; `unread_count` is how many."""
    unread_count: int = 0
    _manifests: int = 0
    _size: int = 0
    _full: bool = False

    @classmethod
    def walk(
        cls,
        folders: Sequence[Path],
        root: Path,
        kinds: Container[str] = (),
        changed: Mapping[str, bytes | None] | None = None,
        apart: Iterable[Path] = (),
    ) -> "Tree":
        """Find the desired files in some folders. What cannot be walked or is no plain file is among the complaints, and so
        is a folder that holds other files alone. `kinds` are the names that a document may have under `kind`; `changed` are
        files as they are going to be, by name, and `None` for those that are going to be gone. Folders
        inside of these that stand `apart`, as those of one org do, are not entered."""
        tree = cls(root, kinds, changed or {}, frozenset(one.resolve() for one in apart))
        for folder in folders:
            first, count = len(tree.apex), tree._sources()
            tree._walk(folder)
            if tree._sources() > count:
                tree.optional |= set(tree.apex[first:])
        if not (tree.yaml or tree.metadata or tree.complaints) and (tree.unread_count or tree.others):
            shown = tree._shown(folders[0])
            message = f"no desired files: {shown} holds no YAML and no metadata of ours; {tree.passed_by()}"
            mend = "declare what should be there, or name another folder under `desired:` in the project file"
            tree._complain(shown, message, mend)
        for names in (tree.yaml, tree.apex, tree.metadata):
            names[:] = sorted(dict.fromkeys(names))
        return tree

    def _sources(self) -> int:
        """How many files were met that only a project of the Salesforce CLI, or a package, has."""
        return len(self.metadata) + sum(self.others.values()) + self._manifests

    def _walk(self, folder: Path) -> None:
        top = folder.resolve()
        if not top.is_dir():
            shown = self._shown(folder)
            what = "is not a folder" if folder.exists() else "does not exist"
            mend = "create the folder, or name the right one under `desired:` in the project file"
            self._complain(shown, f"the folder of desired files {what}", mend)
            return
        if (folder / SFDX_PROJECT).is_file():
            self._sfdx_project(folder, top)
            return
        self._enter(folder, top, (top.stat(),), None, sources=False)
        self._change(folder)

    def _change(self, folder: Path) -> None:
        """Take in the files that are going to be there, and leave out those that are going to be gone."""
        inside = self._shown(folder)
        known = {*self.yaml, *self.apex, *self.metadata}
        for name, data in self._changed.items():
            if not PurePosixPath(name).is_relative_to(inside):
                continue
            if data is None or (name not in known and is_read(PurePosixPath(name).name)):
                names = self._list(PurePosixPath(name).name)
                if data is not None:
                    names.append(name)
                elif name in names:
                    names.remove(name)

    def _sfdx_project(self, folder: Path, top: Path) -> None:
        """Enter the package directories of a project of the Salesforce CLI.

        Source: Salesforce DX Developer Guide, "Salesforce DX Project Configuration", "How to Exclude Source When Syncing".
        """
        shown = self._shown(folder / SFDX_PROJECT)
        try:
            paths = _package_directories(folder)
        except FileError as wrong:
            self._complain(shown, f"this file {wrong.problem}", wrong.mend)
            return
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            mend = 'it holds {"packageDirectories": [{"path": "force-app"}]}'
            self._complain(shown, "this is no project of the Salesforce CLI", mend)
            return
        ignored = _Ignored.of(folder, self)
        for path in paths:
            inside = folder / path
            if not inside.resolve().is_relative_to(top):
                self._complain(shown, f"the package directory {path!r} leads out of the project", "write a path inside")
            else:
                if inside.is_dir():
                    self._enter(inside, top, (inside.stat(),), ignored, sources=True)
                self._change(inside)

    def passed_by(self) -> str:
        """Words that name the files that were not read; empty if all were."""
        words = []
        if self.unread:
            more = self.unread_count - len(self.unread)
            words.append(f"not read: {', '.join(self.unread)}{f' and {more:,} more' if more else ''}")
        if self.others:
            number = sum(self.others.values())
            most = ", ".join(f"{name} {count:,}" for name, count in self.others.most_common(_NAMED))
            rest = ", …" if len(self.others) > _NAMED else ""
            words.append(f"{number:,} file{'' if number == 1 else 's'} of other types ({most}{rest})")
        return "; ".join(words)

    def _shown(self, path: Path | str) -> str:
        return Path(os.path.relpath(path, self.root)).as_posix()

    def _complain(self, shown: str, message: str, mend: str) -> None:
        # A name that is not UTF-8 could not be printed.
        shown = shown.encode("utf-8", "backslashreplace").decode()
        self.complaints.append(Complaint(message, Place(shown), mend))

    def _enter(
        self,
        folder: Path,
        top: Path,
        above: tuple[os.stat_result, ...],
        ignored: "_Ignored | None",
        *,
        sources: bool,
    ) -> None:
        """Look at everything in a folder. `sources`: files that are not ours belong to metadata, and need not be named."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as wrong:
            self._complain(self._shown(folder), f"cannot be read: {wrong.strerror}", "mend its permissions")
            return
        shown = self._shown(folder)
        prefix = "" if shown == "." else f"{shown}/"
        sources = sources or any(entry.name.endswith(file_names.META) for entry in found)
        for entry in found:
            name = entry.name
            if name.startswith(".") or prefix + name == _PROJECT_FILE:
                continue
            if ignored is not None and ignored.matches(Path(entry.path), is_folder=entry.is_dir()):
                continue
            wanted = is_read(name)
            if entry.is_symlink() and not self._link(entry, prefix + name, top, wanted):
                continue
            if entry.is_dir():
                self._folder(entry, prefix + name, top, above, ignored, sources=sources)
            elif wanted:
                self._file(entry, prefix + name)
            elif name in file_names.MANIFESTS:
                self._manifests += 1
            elif other := file_names.other_type(name):
                self.others[other] += 1
            elif not name.lower().endswith(_PROSE) and "." in name:
                if sources and name.lower().endswith(_SOURCES):
                    self.others[name.rpartition(".")[2].lower()] += 1
                else:
                    self._pass_by(entry, prefix + name)

    def _folder(
        self,
        entry: os.DirEntry[str],
        shown: str,
        top: Path,
        above: tuple[os.stat_result, ...],
        ignored: "_Ignored | None",
        *,
        sources: bool,
    ) -> None:
        if self._apart and Path(entry.path).resolve() in self._apart:
            return
        here = entry.stat()
        if any(os.path.samestat(here, folder) for folder in above):
            self._complain(shown, "this link leads back to a folder that it stands in", "remove the link")
        elif len(above) > MAX_FOLDERS:
            self._complain(shown, f"more than {MAX_FOLDERS} folders inside of folders", "flatten them")
        else:
            self._enter(Path(entry.path), top, (*above, here), ignored, sources=sources)

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
        elif len(self.yaml) + len(self.apex) + len(self.metadata) >= MAX_FILES:
            self._full = True
            self._complain(shown, f"more than {MAX_FILES:,} files", "put several resources into one file")
        else:
            self._list(entry.name).append(shown)

    def _list(self, name: str) -> list[str]:
        """The list that a file of that name belongs to."""
        if name.lower().endswith(_YAML):
            return self.yaml
        return self.apex if name.endswith(_APEX) else self.metadata

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


def _package_directories(folder: Path) -> list[str]:
    """The package directories of a project of the Salesforce CLI, the default one first. Raises FileError, and ValueError,
    KeyError, TypeError or RecursionError for what is no such project."""
    content = json.loads(files.read(folder / SFDX_PROJECT, MAX_BYTES))
    found = sorted(content["packageDirectories"], key=lambda one: one.get("default") is not True)
    paths = [one["path"] for one in found]
    if not all(isinstance(path, str) and path.strip() for path in paths):
        raise ValueError
    return paths


def sfdx_folder(folder: Path) -> Path | None:
    """Where a project of the Salesforce CLI keeps new metadata; `None` for a folder that is no such project, or a broken
    one."""
    if not (folder / SFDX_PROJECT).is_file():
        return None
    try:
        first = _package_directories(folder)[0]
    except (FileError, ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
        return None
    return folder / first / "main" / "default"


@dataclass(frozen=True, slots=True)
class _Ignored:
    """What a `.forceignore` names, which has the form of a `.gitignore`."""

    folder: Path
    spec: GitIgnoreSpec

    @classmethod
    def of(cls, folder: Path, tree: Tree) -> "_Ignored | None":
        """`None` where there is none; one that cannot be read is among the tree's complaints."""
        path = folder / _FORCE_IGNORE
        if not path.is_file():
            return None
        try:
            lines = files.read(path, MAX_BYTES).decode("utf-8", "replace").splitlines()
            return cls(folder, GitIgnoreSpec.from_lines(lines))
        except (FileError, ValueError) as wrong:
            tree._complain(tree._shown(path), f"this file cannot be followed: {wrong}", "mend it, or remove it")
            return None

    def matches(self, path: Path, *, is_folder: bool) -> bool:
        name = Path(os.path.relpath(path, self.folder)).as_posix()
        return self.spec.match_file(f"{name}/" if is_folder else name)


class Places:
    """Finds values in desired files, by reading a file once more. Keeps the last few."""

    def __init__(self, root: Path, is_secret: IsSecret, changed: Mapping[str, bytes | None] | None = None) -> None:
        self._root = root
        self._changed = changed or {}
        self._is_secret = is_secret
        self._known: dict[str, Positions | ElementPositions] = {}

    def of(self, file: str) -> Positions | ElementPositions:
        """Return what looks up places in one file; a file that is gone by now has none."""
        positions = self._known.pop(file, None)
        if positions is None:
            try:
                data = self._changed.get(file) or files.read(self._root / file, MAX_BYTES)
            except FileError:
                data = b""
            named = file_names.named(PurePosixPath(file).name)
            positions = (
                Positions(data, file, self._is_secret)
                if named is None or file.lower().endswith(_YAML)
                else ElementPositions(data, file, named.kind, self._is_secret)
            )
        self._known[file] = positions
        if len(self._known) > _CACHED:
            del self._known[next(iter(self._known))]
        return positions
