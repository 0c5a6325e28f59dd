"""What stands behind a reference, at the last moment before the wire."""

import os
import sys
from pathlib import Path

import pytest

from reconciler import secret_refs
from reconciler.errors import InputError
from reconciler.schema.values import SecretRef
from reconciler.secret_refs import secret_value


def value(ref: SecretRef, root: Path, *, allow: bool = False, **environment: str) -> str:
    return secret_value(ref, root=root, environment=environment, allow_commands=allow)


def python(code: str) -> SecretRef:
    return SecretRef("command", (sys.executable, "-c", code))


def test_a_value_comes_without_the_line_break_at_its_end(tmp_path: Path) -> None:
    """Editors put one there; the org would take it for a character of the secret."""
    (tmp_path / "key").write_text("one\ntwo\n")
    (tmp_path / "windows").write_bytes(b"one\r\n")

    (tmp_path / "marked").write_bytes(b"\xef\xbb\xbfone\r\n")

    assert "one" == value(SecretRef("file", "marked"), tmp_path)
    assert "one" == value(SecretRef("env", "A"), tmp_path, A="\ufeffone")
    assert "x " == value(SecretRef("env", "A"), tmp_path, A="x ")
    assert "one\ntwo" == value(SecretRef("file", "key"), tmp_path)
    assert "one" == value(SecretRef("file", "windows"), tmp_path)
    assert "$HOME; x" == value(python("print('$HOME; x')"), tmp_path, allow=True)


def test_a_link_that_leads_to_itself_is_no_secret(tmp_path: Path) -> None:
    """Python 3.13 finds that out later than the versions before it."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError) as error:
        value(SecretRef("file", "loop"), tmp_path, allow=True)

    assert error.value.complaints[0].message in {
        "the path 'loop' leads nowhere",
        "the file loop is a link that leads in a circle",
    }


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (SecretRef("env", "A"), "the environment variable A is not set"),
        (SecretRef("env", "EMPTY"), "the secret from env EMPTY is empty"),
        (SecretRef("file", "absent"), "the file absent does not exist"),
        (SecretRef("file", "pipe"), "the file pipe is a pipe, not a plain file"),
        (SecretRef("file", "."), "the file . is a folder, not a plain file"),
        (SecretRef("file", "link"), "the path 'link' leads out of the project folder"),
        (SecretRef("file", "/etc/passwd"), "the path '/etc/passwd' is absolute"),
        (SecretRef("file", "big"), "the file big holds 140,000 bytes, and more than 100 kB are not read"),
        (SecretRef("file", "binary"), "the file binary holds no UTF-8 text"),
        (SecretRef("file", "powershell"), "the file powershell is UTF-16, not UTF-8"),
        (SecretRef("command", ("no-such-program", "hunter2")), "the command no-such-program cannot be run"),
    ],
)
def test_what_cannot_be_found_says_where_it_was_looked_for(tmp_path: Path, ref: SecretRef, message: str) -> None:
    """And never what was found, nor the arguments of the command."""
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_text("hunter2" * 20_000)
    (tmp_path / "powershell").write_bytes("hunter2".encode("utf-16"))
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    with pytest.raises(InputError) as error:
        value(ref, tmp_path, allow=True, EMPTY="")

    assert message == error.value.complaints[0].message
    assert error.value.complaints[0].mend
    assert "hunter2" not in repr(error.value.complaints)


def test_a_command_is_not_run_unless_it_is_allowed(tmp_path: Path) -> None:
    """A pull request from a stranger would run it on our machine."""
    with pytest.raises(InputError, match="not run unless they are allowed"):
        value(python(f"open({str(tmp_path / 'ran')!r}, 'w')"), tmp_path)

    assert not (tmp_path / "ran").exists()


def test_a_command_that_fails_or_takes_too_long_shows_nothing_of_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have said half of the secret."""
    monkeypatch.setattr(secret_refs, "COMMAND_SECONDS", 0.5)
    with pytest.raises(InputError, match="failed with exit code 3") as failed:
        value(python("print('hunter2'); raise SystemExit(3)"), tmp_path, allow=True)
    with pytest.raises(InputError, match="gave no secret within") as late:
        value(python("import time; print('hunter2', flush=True); time.sleep(60)"), tmp_path, allow=True)

    assert "hunter2" not in repr(failed.value.complaints) + repr(late.value.complaints)
