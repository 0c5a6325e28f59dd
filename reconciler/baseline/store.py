"""Baseline files, their lock, and the journal of an apply under way. A baseline is canonical JSON, one resource a line: it
diffs well and is safe to commit. A journal stands beside it, and is gone when no apply was cut off."""

import errno
import json
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from sys import intern
from typing import Any

from filelock import FileLock, Timeout

from reconciler import __version__, files
from reconciler.baseline import journal as journals
from reconciler.baseline.journal import Journal
from reconciler.errors import Complaint, InputError, Place, ReconcilerError, RefusedError
from reconciler.files import FileError
from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.live import Modified
from reconciler.schema.record_id import same_id, short_id
from reconciler.schema.stored import from_json, to_json, withheld
from reconciler.schema.values import Path as FieldPath
from reconciler.yaml import merge_marks

FORMAT = 2
"""Format 1, of 0.1.0, is read as well: it knows no ids of records, and keeps of most undeclared resources only the names."""
LIMIT = 1 << 30
"""Bytes. A larger file is not one of ours."""
_TOGETHER = 500
"""Lines of a baseline that are decoded at once: the decoder keeps equal keys once for each text that it is given."""


@dataclass(frozen=True, slots=True)
class Store:
    """The baselines of one project, a file for each org."""

    folder: Path
    project: str
    wait: float = 0.0
    """Seconds for which another process's lock is waited for."""
    tell: Callable[[str], None] | None = None
    """Called with words when it is waited for: who has it."""

    def path(self, org_id: str) -> Path:
        return self.folder / f"{short_id(org_id)}.{self.project}.json"

    def load(self, org_id: str) -> Baseline:
        """The baseline of that org, or an empty one. Raises InputError for a file that is not one of ours."""
        path = self.path(org_id)
        try:
            if not files.exists(path):
                return Baseline(org_id=org_id, project=self.project)
            found = _read(path)
        except FileError as wrong:
            raise InputError(_unfit(_BASELINE, path, wrong)) from wrong
        except _NOT_OURS as wrong:
            raise InputError(_damaged(_BASELINE, path, wrong)) from wrong
        if not same_id(found.org_id, org_id) or found.project != self.project:
            message = f"the baseline is of org {found.org_id}, project {found.project}"
            raise RefusedError(Complaint(message, Place(str(path)), f"this is org {org_id}, project {self.project}"))
        return found

    def save(self, baseline: Baseline) -> None:
        """Write atomically: a reader sees the old file or the new one."""
        _write(self.path(baseline.org_id), _lines(baseline))

    def journal(self, org_id: str) -> Journal | None:
        """The journal of an apply that was cut off, if there is one. Raises InputError for a file that is not ours."""
        path = self.journal_path(org_id)
        try:
            if not files.exists(path):
                return None
            found = journals.parse(json.loads(files.text(files.read(path, LIMIT))))
            if not same_id(found.org_id, org_id) or found.project != self.project:
                raise ValueError(f"it is of org {found.org_id}, project {found.project}")
        except FileError as wrong:
            raise InputError(_unfit(_JOURNAL, path, wrong)) from wrong
        except _NOT_OURS as wrong:
            raise InputError(_damaged(_JOURNAL, path, wrong)) from wrong
        return found

    def note(self, journal: Journal) -> None:
        """Write the journal, and see to it that it is on the disk: what comes next may be the end of this process."""
        path = self.journal_path(journal.org_id)
        _write(path, [_dump(journals.dump(journal)), "\n"])
        _sync_folder(path.parent)

    def forget_journal(self, org_id: str) -> None:
        """Remove the journal: the apply is over, and the baseline holds what it did."""
        with _told(self.journal_path(org_id)):
            files.remove(self.journal_path(org_id))

    def journal_path(self, org_id: str) -> Path:
        return self.folder / f"{short_id(org_id)}.{self.project}.journal"

    @contextmanager
    def lock(self, org_id: str) -> Iterator[None]:
        """Hold the baseline for one apply. Raises RefusedError that names the holder; a dead holder holds nothing."""
        # Where several checkouts share one baseline by a link, they share its lock.
        path = Path(os.path.realpath(self.path(org_id))).with_suffix(".lock")
        owner = path.with_suffix(".owner")
        lock = FileLock(path)
        try:
            # Before a folder is made where an unmounted share should be.
            files.exists(self.path(org_id))
        except FileError as wrong:
            raise InputError(_unfit(_BASELINE, self.path(org_id), wrong)) from wrong
        try:
            with _told(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                files.plain_or_none(path)
                files.plain_or_none(owner)
                self._acquire(lock, owner)
                if lock.is_locked:
                    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                    files.write(owner, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n")
        except Timeout:
            raise RefusedError(
                Complaint(
                    f"the baseline is locked by {_holder(owner)}",
                    Place(str(path)),
                    "wait until it is done; apply --lock-timeout 5m does",
                )
            ) from None
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()

    def _acquire(self, lock: FileLock, owner: Path) -> None:
        """Raises Timeout."""
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not self.wait:
                raise
            if self.tell is not None:
                self.tell(f"waiting for the baseline, which is locked by {_holder(owner)}")
            lock.acquire(timeout=self.wait, poll_interval=0.2)


def _holder(owner: Path) -> str:
    try:
        return files.text(files.read(owner, 1000)).strip() or "another process"
    except FileError:
        return "another process"


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write atomically: a reader sees the old file or the new one."""
    with _told(path):
        files.replace(path, lines)


def _sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that a new name in it survives a crash. (Windows has no such thing.)"""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn operating system errors (no right to write, full disk) into errors with a mend."""
    try:
        yield
    except Timeout:
        raise
    except FileError as wrong:
        message = f"the baseline cannot be kept: this {wrong.problem}"
        raise ReconcilerError(Complaint(message, Place(str(path)), wrong.mend)) from None
    except OSError as wrong:
        message = f"the baseline cannot be kept: {wrong.strerror or wrong}"
        mend = "make room there" if wrong.errno in (errno.ENOSPC, errno.EDQUOT) else "let this user write there"
        raise ReconcilerError(Complaint(message, Place(str(path)), mend)) from None


@dataclass(frozen=True, slots=True)
class _Sort:
    """What one of our files is called in messages, and what to do where it is damaged."""

    name: str
    format: int
    restore: str
    settle: str


_BASELINE = _Sort(
    "baseline",
    FORMAT,
    "restore it from version control or a backup: it alone says what is managed in this org",
    "keep one side whole, the one with the higher serial (git checkout --ours or --theirs, and the file); plan and drift"
    " then show what the other side applied",
)
_JOURNAL = _Sort(
    "journal of an apply that was cut off",
    journals.FORMAT,
    "see in Setup, Deployment Status that nothing is under way, and remove the file",
    "a journal belongs to one machine: see in Setup, Deployment Status that nothing is under way, and remove the file",
)
_NOT_OURS = (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError)
_VERSION = re.compile(r'"format"\s*:\s*([0-9]{1,6})')


def _unfit(sort: _Sort, path: Path, wrong: FileError) -> Complaint:
    return Complaint(f"the {sort.name} {wrong.problem}", Place(str(path)), wrong.mend)


def _damaged(sort: _Sort, path: Path, wrong: Exception) -> Complaint:
    """Return the complaint about a file that could be opened and not read; what to do depends on the cause."""
    try:
        text = files.text(files.read(path, LIMIT))
    except FileError as other:
        return _unfit(sort, path, other)
    if line := merge_marks.conflict(text.splitlines()):
        return Complaint(f"the {sort.name} holds the marks of an unsettled merge", Place(str(path), line), sort.settle)
    version = _VERSION.search(text, 0, 10_000)
    if version is not None and int(version[1]) > sort.format:
        message = f"the {sort.name} was written by a newer version of reconciler (format {version[1]})"
        return Complaint(message, Place(str(path)), f"upgrade this one ({__version__}); the file is left as it is")
    if not text.strip():
        return Complaint(f"the {sort.name} is empty", Place(str(path)), sort.restore)
    if text.startswith("version https://git-lfs"):
        return Complaint(f"the {sort.name} is only a pointer of Git LFS", Place(str(path)), "run `git lfs pull`")
    return Complaint(
        f"the {sort.name} cannot be read ({wrong or type(wrong).__name__})", Place(str(path)), sort.restore
    )


def _lines(baseline: Baseline) -> Iterator[str]:
    head = {
        "api_version": baseline.api_version,
        "begun": baseline.begun,
        "deployments": list(baseline.deployments),
        "format": FORMAT,
        "org_id": baseline.org_id,
        "project": baseline.project,
    }
    tail = {"salt": baseline.salt, "serial": baseline.serial, "unmanaged": sorted(baseline.unmanaged)}
    yield _dump(head)[:-1] + ',"resources":{\n'
    separator = ""
    for address in sorted(baseline.resources):
        applied = baseline.resources[address]
        entry = {
            "body": to_json(withheld(address.struct, applied.body, baseline.salt)),
            "declared": [".".join(path) for path in applied.declared],
            "protect": sorted(applied.protect),
            "record": applied.record,
            "watched": applied.watched,
            "unseen": [".".join(path) for path in applied.unseen],
        }
        if (known := baseline.as_of.get(address)) is not None:
            entry["as_of"] = [known.date, known.by_id]
        if applied.id:
            entry["id"] = applied.id
        yield f"{separator}{_dump(str(address))}:{_dump(entry)}"
        separator = ",\n"
    yield "\n}," + _dump(tail)[1:] + "\n"


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _read(path: Path) -> Baseline:
    """Read line by line: a baseline of 50,000 resources must not be in memory twice."""
    resources: dict[Address, Applied] = {}
    with TextIOWrapper(files.opened(path, LIMIT), encoding="utf-8-sig") as file:
        first = file.readline().rstrip("\n")
        entries: Iterator[tuple[str, dict[str, Any], bool]]
        if not first.endswith(',"resources":{'):
            # Someone's formatter was here; the content counts.
            whole = json.loads(first + file.read())
            entries = ((text, entry, False) for text, entry in whole.pop("resources").items())
        else:
            whole = json.loads(first.removesuffix(',"resources":{') + "}")
            entries = _entries(file, whole)
        if whole["format"] not in (1, FORMAT):
            raise ValueError(f"format {whole['format']}, this version reads {FORMAT}")
        memo: dict[str, tuple[FieldPath, ...]] = {}
        dates: dict[tuple[str, str], Modified] = {}
        as_of: dict[Address, Modified] = {}
        for text, entry, is_plain in entries:
            # Most resources of a kind declare the same fields: share them.
            declared = " ".join(entry["declared"])
            if declared not in memo:
                memo[declared] = tuple(tuple(path.split(".")) for path in entry["declared"])
            unseen = tuple(tuple(path.split(".")) for path in entry["unseen"])
            body = entry["body"] if is_plain else from_json(entry["body"])
            protect = frozenset(entry["protect"])
            resources[_address(text)] = Applied(
                body, entry["record"], memo[declared], unseen, protect, entry["watched"], entry.get("id", "")
            )
            if "as_of" in entry:
                date, by_id = map(str, entry["as_of"])
                as_of[_address(text)] = dates.setdefault((date, by_id), Modified("", by_id, date))
    # A baseline of before this was kept does not say when it began.
    whole.setdefault("begun", "")
    texts = ("org_id", "project", "salt", "api_version", "begun")
    for name, wanted in (("serial", int), *((name, str) for name in texts)):
        if not isinstance(whole[name], wanted):
            raise ValueError(f"{name} is {whole[name]!r}")
    return Baseline(
        whole["org_id"],
        whole["project"],
        whole["serial"],
        whole["salt"],
        whole["api_version"],
        resources,
        frozenset(str(_address(text)) for text in whole["unmanaged"]),
        tuple(whole["deployments"]),
        whole["begun"],
        as_of,
    )


def _address(text: str) -> Address:
    address = Address.parse(text)
    if address.kind not in all_kinds():
        raise ValueError(f"{address.kind} is not a kind")
    return address


def _entries(lines: Iterator[str], whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield address, entry, and whether its body needs no `from_json`.

    The last line holds the keys that sort behind `resources`; they are added to `whole`.
    """
    texts: list[str] = []
    ended = False
    for line in lines:
        text = line.rstrip("\n")
        if text.startswith("},"):
            whole.update(json.loads("{" + text[2:]))
            ended = True
        elif text:
            texts.append(text.removesuffix(","))
        if len(texts) == _TOGETHER:
            yield from _decoded(texts)
            texts = []
    yield from _decoded(texts)
    if not ended:
        raise ValueError("the end is missing")


def _decoded(lines: list[str]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    text = "{" + ",".join(lines) + "}"
    is_plain = '"$xml"' not in text and '"$withheld"' not in text
    for address, entry in json.loads(text).items():
        body = entry["body"]
        # The texts of a live record are interned as well, and most of them are these.
        for name, value in body.items():
            if value.__class__ is str:
                body[name] = intern(value)
        yield address, entry, is_plain
