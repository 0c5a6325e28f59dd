"""Files that a user names: never waited for, never read without end, and what is wrong is said in true words."""

import errno
import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

import pytest

from reconciler import files
from reconciler.files import FileError

PERMITTED = os.name == "posix" and os.geteuid() == 0
"""Whether permissions mean nothing to this user."""


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _nowhere(path: Path) -> None:
    path.symlink_to("/nonexistent/file")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


UNFIT = {
    "is a pipe, not a plain file": _pipe,
    "is a device, not a plain file": _endless,
    "is a link that leads in a circle": _circle,
    "is a link that leads nowhere": _nowhere,
    "is a socket, not a plain file": _socket,
    "is a folder, not a plain file": Path.mkdir,
    "holds 3,221,225,472 bytes, and more than 1 MB are not read": _huge,
}


@pytest.mark.parametrize("problem", UNFIT)
def test_what_is_no_plain_file_of_a_bounded_size_is_refused_at_once(tmp_path: Path, problem: str):
    """A pipeline that hangs, or is ended for its memory, tells nothing about the org."""
    file = tmp_path / "f"
    UNFIT[problem](file)

    for read in (lambda: files.read(file, 1 << 20), lambda: files.opened(file, 1 << 20)):
        with pytest.raises(FileError) as raised:
            read()
        assert problem == raised.value.problem
        assert raised.value.mend
        assert not raised.value.missing


def test_a_missing_file_is_told_from_one_that_cannot_be_reached(tmp_path: Path):
    with pytest.raises(FileError) as raised:
        files.read(tmp_path / "f", 10)
    assert raised.value.missing
    assert not files.exists(tmp_path / "f")


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path, linked: str):
    """The share is not mounted: to go on without what is there is to forget it."""
    if linked == "file":
        file = tmp_path / "f"
        file.symlink_to("/nonexistent/f")
    else:
        (tmp_path / "folder").symlink_to("/nonexistent")
        file = tmp_path / "folder" / "f"

    with pytest.raises(FileError, match="leads nowhere, to /nonexistent") as raised:
        files.exists(file)
    assert raised.value.mend.startswith("mount or restore")


@pytest.mark.parametrize("size", [0, 1, 5, 6])
def test_what_is_read_is_the_file_or_an_error(tmp_path: Path, size: int):
    file = tmp_path / "f"
    file.write_bytes(b"x" * size)

    if size <= 5:
        assert b"x" * size == files.read(file, 5)
        with files.opened(file, 5) as source:
            assert b"x" * size == source.read()
    else:
        with pytest.raises(FileError, match="more than 5 bytes"):
            files.read(file, 5)


def test_a_file_that_grows_while_it_is_read_is_not_read_without_end(tmp_path: Path):
    file = tmp_path / "f"
    file.write_text("a\n")

    with TextIOWrapper(files.opened(file, 10), encoding="utf-8") as source:
        assert "a\n" == source.readline()
        with file.open("a") as more:
            more.write("b" * 100)
        with pytest.raises(FileError, match="does not end"):
            source.read()


def test_a_pipe_is_read_only_where_the_shell_hands_it_over(tmp_path: Path):
    """`--since <(git show main:drift.json)`; but no file of a project may lead to what this process was started with."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"{}")
        os.close(writer)
        named = Path(f"/dev/fd/{reader}")
        (tmp_path / "link").symlink_to(named)

        with pytest.raises(FileError, match="is a pipe"):
            files.read(named, 10)
        with pytest.raises(FileError, match="is a pipe"):
            files.read(tmp_path / "link", 10, from_shell=True)
        assert b"{}" == files.read(named, 10, from_shell=True)
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("ä".encode("utf-16"), "is UTF-16, not UTF-8"),
        (b"one\ntwo \xe4\n", "is not text in UTF-8: line 2 holds the byte 0xe4"),
    ],
)
def test_another_encoding_is_named(data: bytes, problem: str):
    with pytest.raises(FileError) as raised:
        files.text(data)
    assert problem == raised.value.problem
    assert "UTF-8" in raised.value.mend


def test_the_mark_that_editors_put_before_a_text_is_no_part_of_it():
    assert "ä" == files.text(b"\xef\xbb\xbf" + "ä".encode())


@pytest.mark.skipif(PERMITTED, reason="permissions mean nothing to root")
def test_who_may_not_read_is_told_to_mend_the_permissions(tmp_path: Path):
    file = tmp_path / "f"
    file.write_text("x")
    file.chmod(0)

    with pytest.raises(FileError, match="no read permission") as raised:
        files.read(file, 10)
    assert "chmod" in raised.value.mend


def test_a_link_stays_a_link_and_what_it_points_at_gets_the_new_content(tmp_path: Path):
    """Several checkouts share one baseline; one of them must not go on alone without a word."""
    (tmp_path / "shared").mkdir()
    shared, link = tmp_path / "shared" / "b.json", tmp_path / "b.json"
    shared.write_text("old")
    shared.chmod(0o664)
    link.symlink_to("shared/b.json")

    files.replace(link, ["new"])

    assert link.is_symlink()
    assert ("new", 0o664) == (shared.read_text(), shared.stat().st_mode & 0o777)
    assert [shared] == list(shared.parent.iterdir())


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int):
    file = tmp_path / "f"
    file.write_text("old")
    file.chmod(mode)

    files.replace(file, ["new"])

    assert ("new", mode) == (file.read_text(), file.stat().st_mode & 0o777)


@pytest.mark.skipif(not PERMITTED, reason="only root may give files away")
def test_a_file_that_is_replaced_keeps_its_owner(tmp_path: Path):
    file = tmp_path / "f"
    file.write_text("old")
    os.chown(file, 12, 34)

    files.replace(file, ["new"])

    assert (12, 34) == (file.stat().st_uid, file.stat().st_gid)


@pytest.mark.parametrize("make", [_pipe, _endless, _nowhere, _circle, Path.mkdir])
def test_what_is_no_plain_file_is_not_replaced(tmp_path: Path, make: Callable[[Path], None]):
    file = tmp_path / "f"
    make(file)

    with pytest.raises(FileError):
        files.replace(file, ["new"])
    assert [file] == list(tmp_path.iterdir())
    assert os.path.lexists(file)


def test_removing_a_link_removes_what_it_points_at(tmp_path: Path):
    """A journal of an apply that is over, left under its real name, would be found by the next checkout."""
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")

    files.remove(tmp_path / "link")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [_pipe, _socket, Path.mkdir])
def test_a_report_does_not_go_where_nothing_would_read_it(tmp_path: Path, make: Callable[[Path], None]):
    """A pipe without a reader would be waited for, after the apply."""
    file = tmp_path / "f"
    make(file)

    for attempt in (lambda: files.refuse_unwritable(file), lambda: files.write(file, "x")):
        with pytest.raises(FileError, match="cannot be written"):
            attempt()


def test_a_report_is_written_through_a_link_into_the_file_that_is_there(tmp_path: Path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("something much longer")
    real.chmod(0o640)
    link.symlink_to("real")

    files.refuse_unwritable(link)
    files.write(link, "new")

    assert link.is_symlink()
    assert ("new", 0o640) == (real.read_text(), real.stat().st_mode & 0o777)


def test_a_report_may_go_to_the_null_device_and_to_what_the_shell_hands_over():
    files.refuse_unwritable(Path(os.devnull))
    files.write(Path(os.devnull), "x")
    reader, writer = os.pipe()
    heard: list[bytes] = []
    listening = threading.Thread(target=lambda: heard.append(os.read(reader, 10)))
    listening.start()
    try:
        files.refuse_unwritable(Path(f"/dev/fd/{writer}"))
        files.write(Path(f"/dev/fd/{writer}"), "x")
        listening.join(timeout=60)
    finally:
        os.close(writer)
        listening.join(timeout=60)
        os.close(reader)

    assert [b"x"] == heard


def _sqlite(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (MemoryError(), "memory"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/a']"), "TMPDIR"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), "permissions"),
        (OSError(errno.EBADF, "Bad file descriptor"), ""),
        (ValueError("x"), ""),
        (_sqlite("SQLITE_FULL"), "the disk is full"),
        (_sqlite("SQLITE_IOERR_WRITE"), "the disk or the file system is broken"),
        (_sqlite("SQLITE_CONSTRAINT"), ""),
    ],
)
def test_what_the_machine_is_to_blame_for_is_no_defect_of_ours(error: Exception, mend: str):
    found = files.of_the_machine(error)
    assert (bool(mend), True) == (bool(found), mend in found)
