"""Opens, reads and writes the files that a user names. Only plain files of a bounded size: a pipe would be waited for
without end, a device read without end, and a link that leads nowhere is no missing file but one that cannot be reached."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from io import BufferedReader, FileIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20
_BESIDE = 10_000
"""Files of a folder that are looked at for one with a name like that of a missing one."""
_FROM_THE_SHELL = ("/dev/fd/", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc/self/fd/")
"""Names of what this process was started with: `--since <(git show main:drift.json)`."""


UNFINISHED = ".reconciler-"
"""How the name of a file begins that is being written: one that is left was of a process that was killed."""


class FileError(Exception):
    """A file cannot be used: `problem` continues the sentence "the file …", `mend` is what to do about it."""

    def __init__(self, problem: str, mend: str = "", *, missing: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.mend = problem, mend
        self.missing = missing
        """Whether there is nothing at all under this name."""


def exists(path: Path) -> bool:
    """Whether there is something under this name that can be reached.

    Raises FileError for a link that leads nowhere, also among the folders above: what it points at is away (a share that is
    not mounted), and to go on as if it had never been there is how a baseline is lost.
    """
    try:
        path.stat()
    except FileNotFoundError:
        for one in (path, *path.parents):
            if one.is_symlink() and not one.exists():
                raise FileError(
                    f"cannot be reached: the link {one} leads nowhere, to {os.readlink(one)}",  # noqa: PTH115 (as it is)
                    "mount or restore what it points at, or mend the link",
                ) from None
        return False
    except (OSError, RuntimeError) as wrong:
        raise _unreadable(path, wrong) from None
    return True


def opened(path: Path, most: int) -> BufferedReader:
    """Open a plain file of at most `most` bytes, to be read piece by piece. Raises FileError, also while it is read."""
    return BufferedReader(_Bounded(_open(path, most), path, most))


def read(path: Path, most: int, *, from_shell: bool = False) -> bytes:
    """Return all bytes of a plain file. Raises FileError, also for one of more than `most` bytes.

    `from_shell` lets the shell hand over a pipe under a name like `/dev/fd/63`; it is read up to the same bound.
    """
    handle = _open(path, most, from_shell and str(path).startswith(_FROM_THE_SHELL))
    try:
        parts, left = [], most + 1
        while left and (part := os.read(handle, min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
    except OSError as wrong:
        raise _unreadable(path, wrong) from None
    finally:
        os.close(handle)
    if not left:
        raise _too_large(most)
    return b"".join(parts)


def _open(path: Path, most: int, piped: bool = False) -> int:
    try:
        # Before it is opened: to open some devices does something.
        _refuse_special(path.stat().st_mode, piped)
        handle = os.open(path, os.O_RDONLY | (0 if piped else _NEVER_WAIT))
    except (OSError, RuntimeError, ValueError) as wrong:
        raise _unreadable(path, wrong) from None
    try:
        found = os.fstat(handle)
        # It may have become another one in between.
        _refuse_special(found.st_mode, piped)
        if found.st_size > most:
            raise _too_large(most, found.st_size)
    except BaseException:
        os.close(handle)
        raise
    return handle


class _Bounded(FileIO):
    """An open file that raises FileError once more than its bound is read, also where the file grows meanwhile."""

    def __init__(self, handle: int, path: Path, most: int) -> None:
        super().__init__(handle, "rb")
        self._path, self._most, self._left = path, most, most

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        try:
            count = super().readinto(buffer) or 0
        except OSError as wrong:
            raise _unreadable(self._path, wrong) from None
        self._left -= count
        if self._left < 0:
            raise _too_large(self._most)
        return count

    def readall(self) -> bytes:
        # The one of the base class does not go through `readinto`.
        parts, buffer = [], bytearray(_CHUNK)
        while count := self.readinto(buffer):
            parts.append(bytes(buffer[:count]))
        return b"".join(parts)


def nearest(path: Path) -> str:
    """Return words that suggest the file in the same folder with the most similar name; empty if there is none."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _BESIDE) if entry.is_file()]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, 1, 0.7)
    return f"did you mean {path.with_name(near[0])}?" if near else ""


def text(data: bytes) -> str:
    """The text of a file: UTF-8, with or without the mark that some editors put before it. Raises FileError."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError("is UTF-16, not UTF-8", "save it as UTF-8 (Windows PowerShell's > and Out-File write UTF-16)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise FileError(
            f"is not text in UTF-8: line {line} holds the byte 0x{data[wrong.start]:02x}", "save it as UTF-8"
        ) from None


def replace(path: Path, lines: Iterable[str]) -> None:
    """Write a text file so that a reader, or a crash, finds the old content or the new one, never half.

    A link stays a link, and what it points at gets the new content. Mode, group and (as far as this user may) owner of the
    file stay; a new one is for this user alone. Raises FileError for what is no plain file, OSError where it cannot be
    written.
    """
    there = exists(path)
    # The temporary file must lie beside what the link points at: only within one file system is it put in place at once.
    target = Path(os.path.realpath(path)) if there else path
    before = target.stat() if there else None
    if before is not None:
        _refuse_special(before.st_mode)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if before is not None:
                _keep(handle, before)
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def create(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all. Raises FileError if there is one by now, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o666 & ~_umask())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never replaces what is there.
            path.hardlink_to(made)
        except FileExistsError:
            raise FileError("is there already", "move it, or remove it") from None
        except OSError:
            # A file system without links. Between the look and the rename another process may still win.
            if exists(path):
                raise FileError("is there already", "move it, or remove it") from None
            made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _umask() -> int:
    """Return the permissions that new files of this process do not get (its umask); to read it, it has to be set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def plain_or_none(path: Path) -> None:
    """Raise FileError where something else than a plain file stands under this name: a link, a pipe, a folder."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise FileError(f"is {_kind(mode)}, not a plain file", "remove it")


def remove(path: Path) -> None:
    """Remove a file, and what it points at where it is a link. Raises OSError."""
    if path.is_symlink():
        Path(os.path.realpath(path)).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[int]:
    """Open a file that the user names, empty it, and give its descriptor. Links, modes and owners stay as they are.

    Raises FileError for what does not take text: a folder, a disk, a pipe that nothing reads.
    """
    try:
        handle = _open_sink(path)
    except FileError:
        raise
    except (OSError, RuntimeError) as wrong:
        raise FileError(f"cannot be written: {_words(wrong)}", _writing_mend(wrong)) from None
    try:
        yield handle
    except OSError as wrong:
        raise FileError(f"cannot be written: {_words(wrong)}", _writing_mend(wrong)) from None
    finally:
        os.close(handle)


def write(path: Path, content: str) -> None:
    """Write a text in UTF-8 to a file that the user names. Raises FileError."""
    with writing(path) as handle, os.fdopen(handle, "wb", closefd=False) as sink:
        sink.write(content.encode("utf-8", "backslashreplace"))


def refuse_unwritable(path: Path) -> None:
    """Raise FileError if `write` could not write this file, so that it is said before anything is done."""
    mend = "name a file in a folder that exists"
    try:
        found = path.stat()
    except FileNotFoundError:
        if path.is_symlink() and not Path(os.path.realpath(path)).parent.is_dir():
            raise FileError("cannot be written: the link leads into a folder that does not exist", mend) from None
        if not path.parent.is_dir():
            raise FileError(f"cannot be written: there is no folder {path.parent}", mend) from None
        if not os.access(path.parent, os.W_OK):
            raise FileError(
                f"cannot be written: this user may not write into {path.parent}", "name another folder"
            ) from None
        return
    except (OSError, RuntimeError) as wrong:
        raise FileError(f"cannot be written: {_words(wrong)}", mend) from None
    _refuse_sink(path, found.st_mode)
    if not os.access(path, os.W_OK):
        raise FileError("cannot be written: this user may not write it", "mend its permissions, or name another file")


def _open_sink(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | _NEVER_WAIT
    with suppress(FileNotFoundError):
        _refuse_sink(path, path.stat().st_mode)
    handle = os.open(path, flags, 0o666)
    try:
        mode = os.fstat(handle).st_mode
        _refuse_sink(path, mode)
        if stat.S_ISREG(mode):
            os.ftruncate(handle, 0)
        if _NEVER_WAIT and hasattr(os, "set_blocking"):
            # A pipe's reader may be slower than we are.
            os.set_blocking(handle, True)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _refuse_sink(path: Path, mode: int) -> None:
    is_ours = str(path).startswith(_FROM_THE_SHELL)
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode) or (is_ours and not stat.S_ISDIR(mode)):
        return
    raise FileError(f"cannot be written: it is {_kind(mode)}", "name a plain file")


def _refuse_special(mode: int, piped: bool = False) -> None:
    if stat.S_ISREG(mode) or (piped and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))):
        return
    inside = "name a file in it, or " if stat.S_ISDIR(mode) else ""
    raise FileError(f"is {_kind(mode)}, not a plain file", f"{inside}put a plain file in its place")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a disk"),
        (stat.S_ISCHR, "a device"),
    )
    return next((words for fits, words in kinds if fits(mode)), "something special")


def _keep(handle: int, before: os.stat_result) -> None:
    """Give the new file the owner, group and mode of the old one, as far as this user may."""
    if not hasattr(os, "fchown"):
        return
    for owner in (before.st_uid, -1):
        try:
            os.fchown(handle, owner, before.st_gid)
            break
        except OSError:
            continue
    # After the owner: to change that takes some bits away.
    os.fchmod(handle, stat.S_IMODE(before.st_mode))


_OF_THE_MACHINE = {
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "the quota of this user is used up: make room",
    errno.EFBIG: "a limit for the size of files was reached (ulimit -f)",
    errno.EMFILE: "too many files are open for the limit of this shell (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "this machine, or its limit (ulimit -v, a container's), has not enough memory",
    errno.EROFS: "the file system is read-only: run this where it may write",
    errno.EACCES: "this user may not: mend the permissions of the file or folder that is named",
    errno.EPERM: "this user may not: mend the permissions of the file or folder that is named",
    errno.EIO: "the disk or the file system is broken",
    errno.ESTALE: "the file system went away: mount it again",
}


_OF_SQLITE = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE": errno.EIO,
    "SQLITE_IOERR": errno.EIO,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_READONLY_DIRECTORY": errno.EROFS,
    "SQLITE_CANTOPEN": errno.EACCES,
}
"""https://www.sqlite.org/rescode.html; `SQLITE` is what is left of the extended codes of SQLITE_IOERR."""


def of_the_machine(error: BaseException) -> str:
    """Return what to do about an error of the machine, such as a full disk; empty for any other error."""
    if isinstance(error, MemoryError):
        return _OF_THE_MACHINE[errno.ENOMEM]
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return "let TMPDIR name a folder that this user may write"
    if isinstance(error, OSError):
        return _OF_THE_MACHINE.get(error.errno or 0, "")
    # Of SQLite, in which mock orgs are kept. It is not imported for this: who has none pays nothing.
    code = _OF_SQLITE.get(str(getattr(error, "sqlite_errorname", "")).split("_IOERR_")[0], 0)
    return _OF_THE_MACHINE.get(code, "")


def _too_large(most: int, size: int = 0) -> FileError:
    holds = f"holds {size:,} bytes" if size else "does not end"
    return FileError(f"{holds}, and more than {_in_words(most)} are not read", "see whether it is the right file")


def _in_words(size: int) -> str:
    for unit, words in ((1 << 30, "GB"), (1 << 20, "MB"), (1000, "kB")):
        if size >= unit:
            return f"{size // unit:,} {words}"
    return f"{size} bytes"


def _words(wrong: Exception) -> str:
    return getattr(wrong, "strerror", None) or str(wrong)


def _unreadable(path: Path, wrong: Exception) -> FileError:
    code = getattr(wrong, "errno", None)
    if code == errno.ENOENT:
        if path.is_symlink():
            return FileError("is a link that leads nowhere", "mend the link, or what it points at")
        return FileError("does not exist", missing=True)
    if code in (errno.EACCES, errno.EPERM):
        return FileError(
            "cannot be read: this user may not (no read permission)",
            "let this user read it (its owner: chmod u+r, or g+r for the group), or run as its owner",
        )
    # Python 3.11 and 3.12 raise RuntimeError for a link that leads to itself in some calls.
    if code == errno.ELOOP or isinstance(wrong, RuntimeError):
        return FileError("is a link that leads in a circle", "put the file itself there")
    if code == errno.ENOTDIR:
        above = next((one for one in path.parents if one.exists() and not one.is_dir()), path.parent)
        return FileError(f"cannot be reached: {above} is no folder", "put a folder in its place")
    if code == errno.EISDIR:
        return FileError("is a folder, not a plain file", "name a file in it, or put a plain file in its place")
    if code == errno.ENXIO:
        return FileError("is a device or a socket, not a plain file", "put a plain file in its place")
    return FileError(f"cannot be read: {_words(wrong)}", "see what is wrong with the disk or the name")


def _writing_mend(wrong: Exception) -> str:
    code = getattr(wrong, "errno", None)
    if code in (errno.ENOSPC, errno.EDQUOT):
        return "make room there"
    if code == errno.EFBIG:
        return "lift the limit for the size of files (ulimit -f)"
    return "name a file that this user may write, in a folder that exists"
