"""Walking the folder: links, loops, bounds. Nothing leads out, nothing hangs."""

import os
import time

import pytest

from reconciler.desired import load, tree
from tests.desired.build import Folder, addresses

A = "kind: ConnectedApp\nname: a\n"


def test_files_are_found_at_any_depth_and_hidden_ones_are_not(folder: Folder) -> None:
    """Editors and git keep files of their own there."""
    folder.write(
        {"a.yaml": A, "x/y/z.yml": "kind: ConnectedApp\nname: b\n", ".git/c.yaml": "[", ".d.yaml": "[", "e.txt": "["}
    )

    assert ["ConnectedApp/a", "ConnectedApp/b"] == addresses(folder.load())


def test_a_link_to_itself_and_a_link_to_a_folder_above_end_in_an_error(folder: Folder) -> None:
    """Followed, they would never end."""
    folder.write({"x/a.yaml": A})
    (folder.desired / "x" / "up").symlink_to(folder.desired)
    (folder.desired / "self").symlink_to("self")
    (folder.desired / "one.yaml").symlink_to("two.yaml")
    (folder.desired / "two.yaml").symlink_to("one.yaml")
    begun = time.process_time()
    messages = {str(c.place): c.message for c in folder.complaints()}

    assert {
        "desired/x/up": "this link leads back to a folder that it stands in",
        "desired/self": "this link leads in a circle, or cannot be followed",
        "desired/one.yaml": "this link leads in a circle, or cannot be followed",
        "desired/two.yaml": "this link leads in a circle, or cannot be followed",
    } == messages
    assert time.process_time() - begun < 1


def test_a_link_out_of_the_folder_is_an_error(folder: Folder) -> None:
    """A pull request could make the pipeline read, and quote, any file of the machine."""
    (folder.root / "secret.yaml").write_text("password: hunter2\n")
    (folder.desired / "a.yaml").symlink_to("../secret.yaml")
    (folder.desired / "etc").symlink_to("/etc")
    complaints = folder.complaints()

    assert ["desired/a.yaml", "desired/etc"] == [str(c.place) for c in complaints]
    assert {"this link leads out of the desired folder"} == {c.message for c in complaints}
    assert "hunter2" not in repr(complaints)


def test_a_link_inside_of_the_folder_is_followed(folder: Folder) -> None:
    """Kubernetes mounts files as links into a hidden folder."""
    folder.write({"..data/a.yaml": A})
    (folder.desired / "a.yaml").symlink_to("..data/a.yaml")

    assert ["ConnectedApp/a"] == addresses(folder.load())


def test_a_link_that_leads_nowhere_is_an_error_only_if_it_would_be_read(folder: Folder) -> None:
    """Lock files of editors are such links."""
    (folder.desired / "lock").symlink_to("nowhere")
    assert [] == folder.complaints()

    (folder.desired / "a.yaml").symlink_to("nowhere")
    assert ["this link leads nowhere"] == folder.messages()


def test_a_pipe_is_an_error(folder: Folder) -> None:
    """Opened, it would wait for a writer for ever."""
    os.mkfifo(folder.desired / "a.yaml")

    assert ["this is not a plain file"] == folder.messages()


def test_a_huge_file_is_not_even_opened(folder: Folder) -> None:
    """It need not be large on disk to be large in memory."""
    with (folder.desired / "a.yaml").open("wb") as file:
        file.truncate(50_000_000_000)
    begun = time.process_time()

    assert ["the file is larger than 10 MB"] == folder.messages()
    assert time.process_time() - begun < 1


def test_too_many_files_and_too_much_of_them_is_one_error(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each file would bury it."""
    folder.write({f"{n}.yaml": f"kind: ConnectedApp\nname: a{n}\n" for n in range(9)})
    monkeypatch.setattr(tree, "MAX_FILES", 5)
    assert ["more than 5 files"] == folder.messages()

    monkeypatch.setattr(tree, "MAX_FILES", 100)
    monkeypatch.setattr(tree, "MAX_TOTAL", 100)
    assert ["the files are larger than 0 MB together"] == folder.messages()


def test_folders_in_folders_have_an_end(folder: Folder) -> None:
    """Each one costs a frame of the stack."""
    folder.write({"/".join("x" * 40) + "/a.yaml": A})

    assert ["more than 32 folders inside of folders"] == folder.messages()


def test_a_name_that_is_not_utf8_is_an_error(folder: Folder) -> None:
    """It could be neither printed nor digested."""
    with open(os.fsencode(folder.desired) + b"/caf\xe9.yaml", "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(A.encode())
    (complaint,) = folder.complaints()

    assert "the name of this file is not UTF-8" == complaint.message
    assert complaint.place is not None
    assert complaint.place.file.encode()


def test_a_file_without_permission_is_an_error(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out, its resources would count as removed. (Root may read everything, so the refusal is made up.)"""

    def refuse(path: object, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    folder.write({"a.yaml": A})
    monkeypatch.setattr(os, "open", refuse)

    assert ["this file cannot be read: this user may not (no read permission)"] == folder.messages()


def test_no_folder_is_an_error(folder: Folder) -> None:
    """An empty state would delete everything."""
    folder.desired.rmdir()
    (complaint,) = folder.complaints()

    assert "the folder of desired files does not exist" == complaint.message
    assert complaint.mend


def test_all_that_is_wrong_is_told_together_in_order_and_with_an_end(folder: Folder) -> None:
    """One mistake a run takes a day; ten thousand lines take another."""
    files = {f"{n:03}.yaml": "kind: ConnectedApp\nname: a b\nlable: x\n" for n in range(150)}
    folder.write({**files, "000.yaml": "a: [\n", "zzz.cls": "x"})
    complaints = folder.complaints()

    assert load.MAX_COMPLAINTS + 1 == len(complaints)
    assert f"… and {1 + 2 * 149 + 1 - 200} more" == complaints[-1].message
    places = [(c.place.file, c.place.line) for c in complaints[:-1] if c.place]
    assert sorted(places) == places
    assert 200 == len(places)


FLOODS = {
    "unknown keys": "kind: ConnectedApp\nname: a\n" + "".join(f"lable{n}: x\n" for n in range(600_000)),
    "unknown keys below": "kind: ConnectedApp\nname: a\noauthConfig:\n" + "".join(f"  lable{n}: x\n" for n in range(500_000)),
    "documents": "---\nlable: x\n" * 600_000,
    "documents of a kind": "---\nkind: ConnectedApp\nlable: x\n" * 200_000,
    "items": "kind: ConnectedApp\nname: a\nipRanges:\n" + "- {x: 1}\n" * 900_000,
    "duplicates": "a: 1\n" * 1_500_000,
    "variables": "kind: ConnectedApp\nname: a\nlabel: " + "${var.x}" * 1_000_000,
    "unresolved": "---\nkind: ConnectedApp\nname: a\nlabel: ${var.y}\n" * 150_000,
    "aliases": "---\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n" * 100_000,
    "secrets": "".join(f"consumerSecret{n}: x\n" for n in range(400_000)) + "[",
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_mistakes_ends_soon(folder: Folder, name: str) -> None:
    """A near word for each of a million typing errors would take hours, and memory for all of them more than there is."""
    folder.write(FLOODS[name][:2_000_000])
    begun = time.process_time()
    complaints = folder.complaints(variables={"x": "y" * 30_000})

    assert 0 < len(complaints) <= load.MAX_COMPLAINTS + 1
    assert time.process_time() - begun < 20


def test_a_folder_of_files_that_are_not_read_is_an_error(folder: Folder) -> None:
    """`desired: force-app/main/default`: 70 files, and the check would be green."""
    folder.write({f"layouts/P{number}.layout-meta.xml": "<Layout/>" for number in range(7)} | {"a.xml": "<a/>"})

    (message,) = folder.messages()
    assert (
        "no desired files: desired holds no YAML and no metadata of ours; not read: desired/a.xml; 7 files of other types (layout 7)"
        == message
    )


@pytest.mark.parametrize("kind", ["OauthOidcSettings", "HandlerEnablement"])
def test_json_that_declares_something_is_an_error(folder: Folder, kind: str) -> None:
    """A file renamed to .json would let the plan delete its app."""
    folder.write({"a.yaml": A, "settings.json": f'{{"kind" : "{kind}", "isPkceRequired": true}}'})

    (complaint,) = folder.complaints()
    assert "desired/settings.json" == str(complaint.place)
    assert "this file is not read: desired files are called .yaml or .yml" == complaint.message
    assert "rename it to settings.yaml: JSON is YAML" == complaint.mend


def test_other_files_beside_the_yaml_are_told_and_hinder_nothing(folder: Folder) -> None:
    folder.write(
        {
            "a.yaml": A,
            "old/P.layout-meta.xml": "<Layout/>",
            "old/P.connectedApp-meta.xml.bak": "",
            "package.json": '{"kind": "x"}',
            "b.yaml.off": "",
            "README.md": "",
        }
    )
    told: list[str] = []

    assert [] == folder.complaints()
    load.load([folder.desired], root=folder.desired.parent, variables={}, environment={}, tell=told.append)
    assert [
        "not read: desired/b.yaml.off, desired/old/P.connectedApp-meta.xml.bak, desired/package.json;"
        " 1 file of other types (layout 1)"
    ] == told


def test_an_empty_folder_and_one_of_prose_are_told_nothing(folder: Folder) -> None:
    folder.write({"README.md": "Here come our files."})

    assert [] == folder.complaints()
