"""Baseline files, their lock, and the journal of an apply under way. A baseline is canonical JSON, one resource a line: it
diffs well and is safe to commit. A journal stands beside it, and is gone when no apply was cut off."""

import errno
import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

from filelock import FileLock, Timeout

from reconciler import journal as journals
from reconciler.body import from_json, to_json, withheld
from reconciler.errors import Complaint, InputError, Place, ReconcilerError, RefusedError
from reconciler.journal import Journal
from reconciler.kinds import all_kinds
from reconciler.model import Address, Applied, Baseline
from reconciler.model import Path as FieldPath

FORMAT = 1
LIMIT = 1 << 30
"""Bytes. A larger file is not one of ours."""
_TOGETHER = 500
"""Lines of a baseline that are decoded at once: the decoder keeps equal keys once for each text that it is given."""


@dataclass(frozen=True, slots=True)
class Store:
    """The baselines of one project, a file for each org."""

    folder: Path
    project: str

    def path(self, org_id: str) -> Path:
        return self.folder / f"{org_id[:15]}.{self.project}.json"

    def load(self, org_id: str) -> Baseline:
        """The baseline of that org, or an empty one. Raises InputError for a file that is not one of ours."""
        path = self.path(org_id)
        if not path.exists():
            return Baseline(org_id=org_id, project=self.project)
        try:
            found = _read(path)
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as wrong:
            message = f"the baseline cannot be read ({wrong or type(wrong).__name__})"
            mend = "restore it from version control, or remove it to start anew"
            raise InputError(Complaint(message, Place(str(path)), mend)) from wrong
        if found.org_id[:15] != org_id[:15] or found.project != self.project:
            message = f"the baseline is of org {found.org_id}, project {found.project}"
            raise RefusedError(Complaint(message, Place(str(path)), f"this is org {org_id}, project {self.project}"))
        return found

    def save(self, baseline: Baseline) -> None:
        """Write atomically: a reader sees the old file or the new one."""
        _write(self.path(baseline.org_id), _lines(baseline))

    def journal(self, org_id: str) -> Journal | None:
        """The journal of an apply that was cut off, if there is one. Raises InputError for a file that is not ours."""
        path = self.journal_path(org_id)
        if not path.exists():
            return None
        try:
            found = journals.parse(json.loads(path.read_text(encoding="utf-8")))
            if found.org_id[:15] != org_id[:15] or found.project != self.project:
                raise ValueError(f"it is of org {found.org_id}, project {found.project}")
        except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as wrong:
            message = f"the journal of an apply that was cut off cannot be read ({wrong or type(wrong).__name__})"
            mend = "see in Setup, Deployment Status that nothing is under way, and remove the file"
            raise InputError(Complaint(message, Place(str(path)), mend)) from wrong
        return found

    def note(self, journal: Journal) -> None:
        """Write the journal, and see to it that it is on the disk: what comes next may be the end of this process."""
        path = self.journal_path(journal.org_id)
        _write(path, [_dump(journals.dump(journal)), "\n"])
        _sync_folder(path.parent)

    def forget_journal(self, org_id: str) -> None:
        """The apply is over, and the baseline holds what it did."""
        with _told(self.journal_path(org_id)):
            self.journal_path(org_id).unlink(missing_ok=True)

    def journal_path(self, org_id: str) -> Path:
        return self.folder / f"{org_id[:15]}.{self.project}.journal"

    @contextmanager
    def lock(self, org_id: str) -> Iterator[None]:
        """Hold the baseline for one apply. Raises RefusedError that names the holder; a dead holder holds nothing."""
        path = self.path(org_id).with_suffix(".lock")
        owner = path.with_suffix(".owner")
        lock = FileLock(path)
        try:
            with _told(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=0)
                if lock.is_locked:
                    owner.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        except Timeout:
            who = owner.read_text(encoding="utf-8").strip() if owner.exists() else "another process"
            raise RefusedError(
                Complaint(f"the baseline is locked by {who}", Place(str(path)), "wait until it is done")
            ) from None
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write atomically: a reader sees the old file or the new one."""
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".baseline-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is on the disk only when the folder is. (Windows has no such thing.)"""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A folder that may not be written, or a full disk, is the user's to mend, not our defect."""
    try:
        yield
    except Timeout:
        raise
    except OSError as wrong:
        message = f"the baseline cannot be kept: {wrong.strerror or wrong}"
        mend = "make room there" if wrong.errno in (errno.ENOSPC, errno.EDQUOT) else "let this user write there"
        raise ReconcilerError(Complaint(message, Place(str(path)), mend)) from None


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
        yield f"{separator}{_dump(str(address))}:{_dump(entry)}"
        separator = ",\n"
    yield "\n}," + _dump(tail)[1:] + "\n"


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _read(path: Path) -> Baseline:
    """Read line by line: a baseline of 50,000 resources must not be in memory twice."""
    if path.stat().st_size > LIMIT:
        raise ValueError(f"larger than {LIMIT} bytes")
    resources: dict[Address, Applied] = {}
    with path.open(encoding="utf-8") as file:
        first = file.readline().rstrip("\n")
        entries: Iterator[tuple[str, dict[str, Any], bool]]
        if not first.endswith(',"resources":{'):
            # Somebody's formatter was here; the content counts.
            whole = json.loads(first + file.read())
            entries = ((text, entry, False) for text, entry in whole.pop("resources").items())
        else:
            whole = json.loads(first.removesuffix(',"resources":{') + "}")
            entries = _entries(file, whole)
        if whole["format"] != FORMAT:
            raise ValueError(f"format {whole['format']}, this version reads {FORMAT}")
        memo: dict[str, tuple[FieldPath, ...]] = {}
        for text, entry, is_plain in entries:
            # Most resources of a kind declare the same fields: share them.
            declared = " ".join(entry["declared"])
            if declared not in memo:
                memo[declared] = tuple(tuple(path.split(".")) for path in entry["declared"])
            unseen = tuple(tuple(path.split(".")) for path in entry["unseen"])
            body = entry["body"] if is_plain else from_json(entry["body"])
            protect = frozenset(entry["protect"])
            resources[_address(text)] = Applied(
                body, entry["record"], memo[declared], unseen, protect, entry["watched"]
            )
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
    )


def _address(text: str) -> Address:
    address = Address.parse(text)
    if address.kind not in all_kinds():
        raise ValueError(f"{address.kind} is not a kind")
    return address


def _entries(lines: Iterator[str], whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Address, entry, and whether its body is free of what only `from_json` understands.

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
