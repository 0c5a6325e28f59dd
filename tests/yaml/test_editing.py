"""Edits of YAML files: the value changes, and nothing else of the file does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.yaml import rendering
from reconciler.yaml.editing import REMOVED, Edit, NotEditableError, edited
from reconciler.yaml.reader import Reader

APP = """\
# The portal.
kind: ExternalClientApplication   # a comment
name: portal
label:   'Order  portal'
oauth:
  scopes: [Api,   RefreshToken]  # what it may do
  urls:
    # first
    - https://a.example
    - "https://b.example"   # second

  open: false
# at the end
"""


def values(data: bytes) -> list[Any]:
    reading = Reader(lambda key: False).read(data, "x.yaml")
    assert [] == reading.complaints
    return [document.value for document in reading.documents]


def changed(text: str, *edits: tuple[tuple[str | int, ...], Any]) -> str:
    return edited(text.encode(), [Edit((0, *path), value) for path, value in edits]).decode()


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        ((("label",), "Portal"), "'Order  portal'", "Portal"),
        ((("oauth", "open"), True), "open: false", "open: true"),
        ((("oauth", "scopes", 2), "Web"), "[Api,   RefreshToken]", "[Api,   RefreshToken, Web]"),
        ((("oauth", "scopes", 0), REMOVED), "[Api,   RefreshToken]", "[RefreshToken]"),
        ((("oauth", "scopes", 1), REMOVED), "[Api,   RefreshToken]", "[Api]"),
        ((("oauth", "urls", 1), REMOVED), '    - "https://b.example"   # second\n', ""),
        (
            (("oauth", "urls", 2), "https://c.example"),
            '"https://b.example"   # second\n',
            '"https://b.example"   # second\n    - https://c.example\n',
        ),
        ((("oauth", "urls", 0), "https://z.example"), "- https://a.example", "- https://z.example"),
        ((("oauth", "new"), 5), "  open: false\n", "  open: false\n  new: 5\n"),
        ((("description",), "x: y"), "'Order  portal'\n", "'Order  portal'\ndescription: \"x: y\"\n"),
        ((("policies",), {"isEnabled": True}), "  open: false\n", "  open: false\npolicies:\n  isEnabled: true\n"),
        ((("label",), REMOVED), "label:   'Order  portal'\n", ""),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_one_edit_changes_one_stretch_of_the_text(edit, old, new, ends, mark) -> None:
    """The one whose comments, quotes and columns are reformatted by a tool that only had to change one value."""
    text = (mark + APP).replace("\n", ends)
    assert 1 == APP.count(old)

    found = edited(text.encode(), [Edit((0, *edit[0]), edit[1])]).decode()

    assert (mark + APP.replace(old, new)).replace("\n", ends) == found


ANCHORS = """\
one: &first
  urls: &urls [a, b]
  open: true
two:
  urls: *urls
three: *first
"""


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        # Only the anchored one: the aliases keep what they meant.
        (
            [(("one", "open"), False)],
            ANCHORS.replace("open: true", "open: false").replace(
                "three: *first", "three:\n  urls: [a, b]\n  open: true"
            ),
        ),
        # All in the same way: the aliases stay.
        ([(("one", "open"), False), (("three", "open"), False)], ANCHORS.replace("open: true", "open: false")),
        ([(("two", "urls"), ["c"])], ANCHORS.replace("urls: *urls", "urls: [c]")),
        ([(("two", "urls", 2), "c")], ANCHORS.replace("urls: *urls", "urls: [a, b, c]")),
        (
            [(("one", "urls", 2), "c"), (("three", "urls", 2), "c")],
            ANCHORS.replace("&urls [a, b]", "&urls [a, b, c]").replace("urls: *urls", "urls: [a, b]"),
        ),
        ([(("one",), REMOVED)], "two:\n  urls: [a, b]\nthree:\n  urls: [a, b]\n  open: true\n"),
    ],
)
def test_an_alias_stays_where_it_still_means_the_same(edits, expected) -> None:
    """The one in whose file an edit of one app changes another, which shares a list with it."""
    assert expected == changed(ANCHORS, *edits)


DOCUMENTS = "# head\nkind: A\nname: a\n---\n# of b\nkind: B\n---\nkind: C # c\n"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "# head\n# of b\nkind: B\n---\nkind: C # c\n"),
        (1, "# head\nkind: A\nname: a\n---\nkind: C # c\n"),
        (2, "# head\nkind: A\nname: a\n---\n# of b\nkind: B\n"),
    ],
)
def test_a_document_is_taken_out_of_its_file(number, expected) -> None:
    assert expected == edited(DOCUMENTS.encode(), [Edit((number,), REMOVED)]).decode()


def test_what_cannot_be_edited_by_itself_is_refused() -> None:
    with pytest.raises(NotEditableError):
        changed("a: text\n", (("a", "b"), 1))


# --- any file, any edit ----------------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\ue000\ue001"), max_size=12
) | st.sampled_from(
    ["true", "no", "1e3", "- a", "a: b", "a #b", "${var.x}", "https://a.example/x?y=1", "&a", "*a", "x:"]
)
SCALARS = TEXTS | st.booleans() | st.integers(-(10**6), 10**6) | st.none()
KEYS = st.sampled_from([f"key{n}" for n in range(6)])


def trees(depth: int) -> st.SearchStrategy[Any]:
    if not depth:
        return SCALARS
    inner = trees(depth - 1)
    return SCALARS | st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


FILES = st.dictionaries(KEYS, trees(3), min_size=1, max_size=5)


class Writer:
    """Writes a value as a person might: block or flow, with comments, anchors and aliases."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._anchors: list[tuple[str, Any]] = []
        self.comments: list[str] = []

    def choice(self, *options: Any) -> Any:
        return self._draw(st.sampled_from(options))

    def comment(self) -> str:
        if self.choice(True, False, False):
            self.comments.append(f"# c{len(self.comments)}.")
            return "  " + self.comments[-1]
        return ""

    def mapping(self, value: dict[str, Any], indent: int) -> list[str]:
        lines = []
        for key, inner in value.items():
            if self.choice(True, False, False, False):
                lines.append(" " * indent + self.comment().strip())
            lines += self.entry(" " * indent + f"{key}:", inner, indent)
        return lines

    def entry(self, head: str, value: Any, indent: int) -> list[str]:
        known = [name for name, other in self._anchors if other == value and type(other) is type(value)]
        if known and self.choice(True, False):
            return [f"{head} *{self._draw(st.sampled_from(known))}{self.comment()}"]
        anchor = ""
        if value is not None and self.choice(True, False, False):
            anchor = f" &a{len(self._anchors)}"
            self._anchors.append((anchor[2:], value))
        if isinstance(value, dict) and value and self.choice(True, False):
            return [f"{head}{anchor}{self.comment()}", *self.mapping(value, indent + 2)]
        if isinstance(value, list) and value and self.choice(True, False):
            lines = [f"{head}{anchor}{self.comment()}"]
            for one in value:
                if isinstance(one, dict) and one and self.choice(True, False):
                    before = [*self._anchors], [*self.comments]
                    first, *rest = self.mapping(one, indent + 4)
                    if first.lstrip().startswith("#") or not first.strip():
                        self._anchors, self.comments = before
                        lines.append(" " * (indent + 2) + "- " + rendering.one_line(one))
                    else:
                        lines += [" " * (indent + 2) + "- " + first.lstrip(), *rest]
                else:
                    lines += self.entry(" " * (indent + 2) + "-", one, indent + 2)
            return lines
        return [f"{head}{anchor} {rendering.one_line(value)}{self.comment()}"]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        found += paths(inner, (*path, key))
    return found


def after(value: Any, edits: dict[tuple[str | int, ...], Any]) -> Any:
    """The same edits on the value, in the plainest way."""
    if () in edits:
        return edits[()]
    if isinstance(value, dict):
        keys = [*value, *dict.fromkeys(path[0] for path in edits if path[0] not in value)]
        found = {key: after(value.get(key), {p[1:]: v for p, v in edits.items() if p[0] == key}) for key in keys}
        return {key: inner for key, inner in found.items() if inner is not REMOVED}
    if isinstance(value, list):
        keys = [*range(len(value)), *sorted({p[0] for p in edits if p[0] >= len(value)})]
        found = [
            after(value[key] if key < len(value) else None, {p[1:]: v for p, v in edits.items() if p[0] == key})
            for key in keys
        ]
        return [one for one in found if one is not REMOVED]
    return value


@settings(deadline=None)
@given(data=st.data())
def test_edits_of_any_file_do_what_they_say_and_keep_every_comment_elsewhere(data) -> None:
    """The one whose file is written in a way that no example shows."""
    value = data.draw(FILES)
    writer = Writer(data.draw)
    text = "\n".join([*writer.mapping(value, 0), ""])
    ends = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = text.replace("\n", ends)
    assert [value] == values(text.encode())
    edits: dict[tuple[str | int, ...], Any] = {}
    for _ in range(data.draw(st.integers(1, 5))):
        path = data.draw(st.sampled_from(paths(value)))
        inside = at(value, path)
        if isinstance(inside, dict | list) and data.draw(st.booleans()):
            path = (*path, "added" if isinstance(inside, dict) else len(inside))
        if any(path[: len(o)] == o or o[: len(path)] == path for o in edits):
            continue
        there = path in paths(value)
        edits[path] = data.draw((st.just(REMOVED) | SCALARS if there else SCALARS) | trees(1))
    try:
        found = edited(text.encode(), [Edit((0, *path), new) for path, new in edits.items()])
    except NotEditableError:
        return
    expected = after(value, edits)

    assert ([expected] if expected else [{}]) == values(found), found.decode()
    assert ends == "\n" or b"\n" not in found.replace(b"\r\n", b"")
    if REMOVED not in edits.values() and all(not isinstance(new, dict | list) for new in edits.values()):
        simple = all(path in paths(value) and not isinstance(at(value, path), dict | list) for path in edits)
        assert not simple or all(comment in found.decode() for comment in writer.comments)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


@settings(deadline=None)
@given(value=FILES)
def test_what_is_written_is_read_back_the_same(value) -> None:
    assert [value] == values(rendering.document(value).encode())
