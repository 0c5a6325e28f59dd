"""Baseline files: whole or not at all, one holder at a time, readable by people."""

import errno
import json
import multiprocessing
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.baseline.advance import remembered
from reconciler.baseline.store import Store
from reconciler.drift.compare import findings
from reconciler.errors import Exit, InputError, ReconcilerError, RefusedError
from reconciler.model.applied import Applied, Baseline
from reconciler.model.live import LiveResource, LiveState, Modified
from reconciler.schema.values import RawXml
from tests.build import ORG, address

CA = address("ConnectedApp/légacy")
APPLIED = Applied(
    {
        "label": "a → b",
        "raw": RawXml("<x>1</x>"),
        "scopes": ["Api"],
        "nil": None,
        "oauthConfig": {"isPkceRequired": True},
    },
    "legacy",
    (("label",), ("oauthConfig", "isPkceRequired")),
    (("certificate",),),
    frozenset({"delete"}),
)
BASELINE = Baseline(
    ORG.id,
    "p",
    3,
    "salt",
    "63.0",
    {CA: APPLIED, address("ConnectedApp/b"): APPLIED},
    frozenset({"ConnectedApp/x"}),
    ("0Af1",),
)


def test_what_is_saved_is_loaded(tmp_path: Path):
    store = Store(tmp_path, "p")
    known = replace(BASELINE, as_of={CA: Modified("", "005000000000001AAA", "2026-01-02T03:04:05.000Z")})
    store.save(known)

    assert known == store.load(ORG.id)
    assert isinstance(store.load(ORG.id).resources[CA].body["raw"], RawXml)


def test_an_org_without_a_baseline_has_an_empty_one(tmp_path: Path):
    assert not Store(tmp_path, "p").load(ORG.id).exists


def test_the_file_is_canonical_json_with_a_resource_a_line(tmp_path: Path):
    """It is committed: a reviewer sees which resources an apply touched."""
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    text = store.path(ORG.id).read_text(encoding="utf-8")

    assert ["ConnectedApp/b", "ConnectedApp/légacy"] == list(json.loads(text)["resources"])
    assert 1 + 2 + 1 == len(text.splitlines())
    canonical = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert canonical == text.replace("\n", "")
    store.save(BASELINE)
    assert text == store.path(ORG.id).read_text(encoding="utf-8")


def test_a_file_that_an_editor_has_reformatted_is_read(tmp_path: Path):
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    path = store.path(ORG.id)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=2), encoding="utf-8")

    assert BASELINE == store.load(ORG.id)


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"format":99,"resources":{}}', "\x00"])
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, damage: str):
    """Taken for empty, the next plan would own nothing and protect nothing."""
    store = Store(tmp_path, "p")
    store.path(ORG.id).write_text(damage, encoding="utf-8")

    with pytest.raises(InputError) as raised:
        store.load(ORG.id)
    assert str(store.path(ORG.id)) == str(raised.value.complaints[0].place)


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_a_cut_off_file_is_never_taken_for_whole(tmp_path: Path, keep: int):
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    lines = store.path(ORG.id).read_text(encoding="utf-8").splitlines(keepends=True)
    store.path(ORG.id).write_text("".join(lines[:keep]), encoding="utf-8")

    with pytest.raises(InputError):
        store.load(ORG.id)


def test_the_baseline_of_another_org_is_refused(tmp_path: Path):
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    other = "00D000000000002EAA"
    store.path(ORG.id).rename(store.path(other))

    with pytest.raises(RefusedError):
        store.load(other)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    broken = replace(BASELINE, resources={CA: replace(APPLIED, body={"label": object()})})

    with pytest.raises(TypeError):
        store.save(broken)
    assert BASELINE == store.load(ORG.id)
    assert [store.path(ORG.id)] == list(tmp_path.iterdir())


def _try_lock(folder: str, queue: "multiprocessing.Queue[str]") -> None:
    try:
        with Store(Path(folder), "p").lock(ORG.id):
            queue.put("held")
    except ReconcilerError as error:
        queue.put(f"{int(error.exit)} {error}")


def test_a_second_holder_is_refused_with_the_name_of_the_first(tmp_path: Path):
    """Two pipelines that apply at once would each deploy what the other has not seen."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[str] = context.Queue()
    with Store(tmp_path, "p").lock(ORG.id):
        other = context.Process(target=_try_lock, args=(str(tmp_path), queue))
        other.start()
        answer = queue.get(timeout=60)
        other.join()

    assert answer.startswith(f"{int(Exit.REFUSED)} the baseline is locked by process ")
    with Store(tmp_path, "p").lock(ORG.id):
        pass


def test_a_full_disk_is_no_defect_of_ours_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A build machine's disk fills up while an apply runs: the mend has to stand there, and the baseline to be whole."""
    store = Store(tmp_path, "p")
    store.save(BASELINE)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("reconciler.baseline.store.os.fsync", full)
    with pytest.raises(ReconcilerError, match="cannot be kept: No space left") as told:
        store.save(replace(BASELINE, serial=4))

    assert ("make room there", 3, 1) == (
        told.value.complaints[0].mend,
        store.load(ORG.id).serial,
        len(list(tmp_path.iterdir())),
    )


CLASS = address("ApexClass/PartnerIdpHandler")
SOURCE = "public class PartnerIdpHandler {\n    private static final String clientSecret = '{}';\n}\n"


def source(secret: str) -> Baseline:
    body = {"apiVersion": 63.0, "status": "Active", "content": SOURCE.replace("{}", secret)}
    return replace(BASELINE, resources={CLASS: Applied(body)})


def live(secret: str) -> LiveState:
    body = source(secret).resources[CLASS].body
    return LiveState(ORG, {CLASS: LiveResource(CLASS, body, CLASS.name)})


def test_a_secret_in_source_is_not_kept(tmp_path: Path):
    """A baseline goes into version control, where a secret stays for ever."""
    store = Store(tmp_path, "p")
    store.save(source("q7Xp2vLm9RtY4bHd8sWc"))

    assert "q7Xp2vLm" not in store.path(ORG.id).read_text(encoding="utf-8")
    assert "clientSecret" in store.path(ORG.id).read_text(encoding="utf-8")


def test_source_that_the_org_still_has_is_remembered(tmp_path: Path):
    """Otherwise every class with a secret in it would have drifted, for ever."""
    store = Store(tmp_path, "p")
    store.save(source("q7Xp2vLm9RtY4bHd8sWc"))
    again = remembered(store.load(ORG.id), live("q7Xp2vLm9RtY4bHd8sWc"))

    assert source("q7Xp2vLm9RtY4bHd8sWc") == again


@pytest.mark.parametrize("other", ["q7Xp2vLm9RtY4bHd8sWd", "(secret)"])
def test_source_with_another_secret_has_drifted_and_is_kept_as_it_was(tmp_path: Path, other: str):
    """Whoever swaps the key that a handler trusts must not pass for nobody; put back, it is no drift any more."""
    store = Store(tmp_path, "p")
    store.save(source("q7Xp2vLm9RtY4bHd8sWc"))
    seen = remembered(store.load(ORG.id), live(other))
    found = list(findings(seen, live(other)))
    store.save(seen)

    assert ["content"] == [one.path[0] for one in found]
    assert source("q7Xp2vLm9RtY4bHd8sWc") == remembered(store.load(ORG.id), live("q7Xp2vLm9RtY4bHd8sWc"))


def _told(store: Store) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        store.load(ORG.id)
    (complaint,) = raised.value.complaints
    assert complaint.place is not None
    assert complaint.place.file == str(store.path(ORG.id))
    return complaint.message, complaint.mend


def _with_marks(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([lines[0], "<<<<<<< HEAD\n", lines[1], "=======\n", lines[1], ">>>>>>> other\n", *lines[2:]])


DAMAGES = {
    "the baseline holds the marks of an unsettled merge": (_with_marks, "keep one side whole"),
    "the baseline was written by a newer version of reconciler (format 99)": (
        lambda text: re.sub('"format":[0-9]+', '"format":99', text),
        "upgrade this one",
    ),
    "the baseline is empty": (lambda text: "", "restore it from version control"),
    "the baseline is only a pointer of Git LFS": (
        lambda text: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "run `git lfs pull`",
    ),
    "the baseline cannot be read (the end is missing)": (
        lambda text: "".join(text.splitlines(keepends=True)[:-1]),
        "restore it from version control",
    ),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_each_damage_is_named_and_none_is_mended_by_giving_up_what_is_managed(tmp_path: Path, message: str):
    """Removing a baseline forgets what may be deleted, what is protected, and every drift since."""
    damage, mend = DAMAGES[message]
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    path = store.path(ORG.id)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")

    said = _told(store)
    assert message == said[0]
    assert said[1].startswith(mend)
    assert "remove" not in said[1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_another_encoding_is_read_or_named(tmp_path: Path, encoding: str):
    """An editor on Windows has saved it again."""
    store = Store(tmp_path, "p")
    store.save(BASELINE)
    path = store.path(ORG.id)
    path.write_bytes(path.read_text(encoding="utf-8").replace("→", "-").encode(encoding))

    if encoding == "utf-8-sig":
        assert BASELINE.resources.keys() == store.load(ORG.id).resources.keys()
    else:
        assert "UTF-8" in _told(store)[0]


def test_a_baseline_whose_link_leads_nowhere_is_not_taken_for_none(tmp_path: Path):
    store = Store(tmp_path / "baselines", "p")
    for link, target in (
        (store.path(ORG.id), str(tmp_path / "away" / "b.json")),
        (store.folder, str(tmp_path / "away")),
    ):
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        assert "leads nowhere" in _told(store)[0]
        with pytest.raises(ReconcilerError, match="leads nowhere"):
            store.save(BASELINE)
        with pytest.raises(ReconcilerError, match="leads nowhere"), store.lock(ORG.id):
            pass
        link.unlink()
        if link != store.folder:
            store.folder.rmdir()
    assert [] == list(tmp_path.iterdir())


def test_a_linked_baseline_is_written_through_and_locked_for_all_who_share_it(tmp_path: Path):
    one, other = Store(tmp_path / "one", "p"), Store(tmp_path / "other", "p")
    one.save(BASELINE)
    other.folder.mkdir()
    other.path(ORG.id).symlink_to(one.path(ORG.id))

    other.save(replace(BASELINE, serial=4))

    assert other.path(ORG.id).is_symlink()
    assert 4 == one.load(ORG.id).serial
    with one.lock(ORG.id), pytest.raises(RefusedError), other.lock(ORG.id):
        pass


@pytest.mark.parametrize("ending", [".lock", ".owner"])
def test_a_lock_that_is_a_link_or_a_pipe_is_refused_and_its_target_left_alone(tmp_path: Path, ending: str):
    """A stranger's branch may hold one, and taking a lock empties the file."""
    store = Store(tmp_path, "p")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = store.path(ORG.id).with_suffix(ending)
    for make in (lambda: path.symlink_to(victim), lambda: os.mkfifo(path)):
        make()
        with pytest.raises(ReconcilerError, match="not a plain file"), store.lock(ORG.id):
            pass
        path.unlink()
    assert "precious" == victim.read_text()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("<<<<<<< HEAD\n{}\n", "holds the marks of an unsettled merge"),
        ('{"format":99}', "was written by a newer version of reconciler (format 99)"),
        ("", "is empty"),
    ],
)
def test_a_damaged_journal_says_why(tmp_path: Path, damage: str, message: str):
    store = Store(tmp_path, "p")
    store.journal_path(ORG.id).write_text(damage)

    with pytest.raises(InputError) as raised:
        store.journal(ORG.id)
    assert f"the journal of an apply that was cut off {message}" == raised.value.complaints[0].message


def test_a_lock_is_waited_for_where_that_is_asked_for(tmp_path: Path):
    """Two pipelines at once: the second one goes on when the first is done, instead of being red."""
    told: list[str] = []
    first = Store(tmp_path, "p").lock(ORG.id)
    first.__enter__()

    def tell(text: str) -> None:
        told.append(text)
        first.__exit__(None, None, None)

    with Store(tmp_path, "p", wait=60, tell=tell).lock(ORG.id):
        assert [True] == [text.startswith("waiting for the baseline, which is locked by process ") for text in told]


def test_a_lock_that_is_not_given_up_is_refused_with_its_holder(tmp_path: Path):
    """And since when: a job that hangs is found by that."""
    with (
        Store(tmp_path, "p").lock(ORG.id),
        pytest.raises(RefusedError, match=r"locked by process \d+ on .+, since 20\d\d-.+Z"),
        Store(tmp_path, "p", wait=0.3).lock(ORG.id),
    ):
        pass
