"""YAML as we read it: the core rules of 1.2, nothing twice, and no way to make it slow."""

import time
from typing import Any

import pytest

from reconciler.yaml.events import MAX_ALIASED, MAX_DEPTH
from reconciler.yaml.reader import Positions, Reader, Reading


def read(text: str | bytes) -> Reading:
    return Reader(lambda key: key == "hidden").read(text.encode() if isinstance(text, str) else text, "a.yaml")


def value(text: str) -> Any:
    reading = read(text)
    assert [] == reading.complaints
    return reading.documents[0].value


def message(text: str | bytes) -> str:
    (complaint,) = read(text).complaints
    assert complaint.place is not None
    return f"{complaint.place}: {complaint.message}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("trUe", "trUe"),
        ("12", 12), ("-3", -3), ("012", 12), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("0b11", "0b11"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-.INF", float("-inf")), ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"), ("'true'", "true"), ('"12"', "12"), ("! 12", "12"), ("!!str 12", "12"),
        ("!!int 12", 12), ("!!float 1", 1.0), ('!!bool "true"', True), ("|\n   a\n   b\n", "a\nb\n"), (">-\n   a\n   b\n", "a b"),
        ("10.0.0.1", "10.0.0.1"), ("-", None), ("nan", "nan"), ("${var.x}", "${var.x}"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_what_they_look_like(text: str, expected: object) -> None:
    """A profile called `No` is no boolean, and an API version is no date."""
    if text == "-":
        assert {"a": [None]} == value("a:\n-\n")
    else:
        found = value(f"a: {text}")["a"]
        assert (expected, type(expected)) == (found, type(found))


def test_nan_is_a_number() -> None:
    """It is refused later, by the field, with the field's name."""
    assert "nan" == str(value("a: .nan")["a"])


def test_aliases_are_copies() -> None:
    """Bodies are changed in place: what one document gets must not reach another."""
    found = value("a: &x {k: [1]}\nb: *x\n")

    assert {"a": {"k": [1]}, "b": {"k": [1]}} == found
    assert found["a"] is not found["b"]
    assert found["a"]["k"] is not found["b"]["k"]


def test_references_may_stand_inside_of_braces() -> None:
    """`{id: ${env.ID}}` is not YAML, but everybody writes it. Lines and columns stay what they are."""
    text = "login: {id: ${env.ID}, 'q': '${env.Q}', r: a${var.x}b} # ${env.C}\nb: }\n"
    assert {"id": "${env.ID}", "q": "${env.Q}", "r": "a${var.x}b"} == value(text.splitlines()[0])["login"]
    assert message(text).startswith("a.yaml:2:4: not valid YAML")


def test_several_documents_and_empty_ones() -> None:
    """A file that ends with `---` is not broken."""
    reading = read("---\na: 1\n---\n---\n# nothing\n...\n---\nb: 2\n---\n")

    assert [({"a": 1}, 0, 2), ({"b": 2}, 3, 8)] == [(d.value, d.index, d.line) for d in reading.documents]
    assert [] == read("").documents == read("# nothing\n").documents


def test_documents_before_a_fault_are_kept() -> None:
    """All that is wrong is told in one run."""
    reading = read("a: 1\n---\nb: [\n")

    assert [{"a": 1}] == [d.value for d in reading.documents]
    assert 1 == len(reading.complaints)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: a is given twice"),
        ("- {k: {a: 1, a: 2}}\n", "a.yaml:1:14: a is given twice"),
        ("1: a\n", "a.yaml:1:1: a key must be text, not '1'"),
        ("true: a\n", "a.yaml:1:1: a key must be text, not 'true'"),
        ("? [a]\n: b\n", "a.yaml:1:3: a key must be text, not a list, mapping or alias"),
        ("{a: 1}: b\n", "a.yaml:1:1: a key must be text, not a list, mapping or alias"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "a.yaml:3:3: merge keys (<<) are not supported"),
        ("a: *x\n", "a.yaml:1:4: *x stands for nothing"),
        ("a: &x [*x]\n", "a.yaml:1:8: *x stands inside of what it stands for"),
        (
            "a: !!python/object:os.system x\n",
            "a.yaml:1:4: the tag tag:yaml.org,2002:python/object:os.system is not supported",
        ),
        ("a: !vault x\n", "a.yaml:1:4: the tag !vault is not supported"),
        ("a: !!set {b}\n", "a.yaml:1:4: the tag tag:yaml.org,2002:set is not supported"),
        ("a: !!int x\n", "a.yaml:1:4: this is no int"),
        ("ä: b\x00c\n", "a.yaml:1:5: the control character U+0000 is not allowed"),
        (b"a: caf\xe9\n", "a.yaml:1:7: byte 0xe9 is not UTF-8"),
        ("a: 1".encode("utf-16"), "a.yaml:1:1: the file is UTF-16, not UTF-8"),
    ],
)
def test_what_is_wrong_has_a_place(text: str | bytes, expected: str) -> None:
    """`line 1, column 5 in "<byte string>"` helps nobody in a pull request."""
    assert expected == message(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1\n", "a.yaml:2:1: not valid YAML: "),
        ("a: @b\n", "a.yaml:1:4: not valid YAML: "),
        ("a: b: c\n", "a.yaml:1:5: not valid YAML: "),
        ("a: 'b\n", "a.yaml:2:1: not valid YAML: "),
    ],
)
def test_what_is_no_yaml_has_a_place_and_a_mend(text: str, expected: str) -> None:
    """What follows are libyaml's words, which another version of it may choose anew."""
    (complaint,) = read(text).complaints

    assert message(text).startswith(expected)
    assert "" != complaint.mend


MARKS = "<<<<<<< HEAD\n{}=======\n{}>>>>>>> other\n"


@pytest.mark.parametrize(
    ("text", "place", "problem", "mend"),
    [
        (
            "a: 1\nb:\n  c: 1\n d: 2\n",
            "a.yaml:4:2",
            "this line is indented by 1 blank, and no line that it could belong to is",
            "indent it by no blank (line 2) or 2 blanks (line 3)",
        ),
        (
            "b:\n    - c\n\n# why\n   - d\n",
            "a.yaml:5:4",
            "this line is indented by 3 blanks, and no line that it could belong to is",
            "indent it by no blank (line 1) or 4 blanks (line 2)",
        ),
        (
            "a: 1\n  b: 2\n",
            "a.yaml:2:4",
            "this line is indented by 2 blanks, deeper than line 1, which has a value already",
            "indent it by no blank",
        ),
        (
            "a:\n  b: 1\nc: 2\n  d: 3\n",
            "a.yaml:3:1",
            "this line is indented by no blank, less than the lines before and after it",
            "indent it by 2 blanks, or line 4 by no blank",
        ),
        (
            "a:\n  b: 1\n  # why\n\nc:\n    - x\n  d: 3\n",
            "a.yaml:5:1",
            "this line is indented by no blank, less than the lines before and after it",
            "indent it by 2 blanks, or line 7 by no blank",
        ),
        (
            "a:\n  b:\n    c: 1\n  d: 2\n    e: 3\n",
            "a.yaml:4:3",
            "this line is indented by 2 blanks, less than the lines before and after it",
            "indent it by 4 blanks, or line 5 by 2 blanks",
        ),
        ("a:\n\tb: 1\n", "a.yaml:2:1", "the line is indented with a tab (", "indent with blanks"),
        ("a: [b\nc: d\n", "a.yaml:2:2", "a bracket is not closed (", "close the bracket, or put the value in quotes"),
    ],
)
def test_a_line_that_does_not_fit_is_told_where_it_would(text: str, place: str, problem: str, mend: str) -> None:
    """`did not find expected key` is the parser's view of it; people count blanks."""
    (complaint,) = read(text).complaints

    assert (place, mend) == (str(complaint.place), complaint.mend)
    assert complaint.message.startswith(f"not valid YAML: {problem}")


@pytest.mark.parametrize(
    "text", ["a: 1\n" + MARKS.format("b: 1\n", "b: 2\n"), "a:\n" + MARKS.format("  - b\n", "  - c\n")]
)
def test_the_marks_of_a_merge_are_named(text: str) -> None:
    """The parser misses a colon, some lines below the first mark."""
    (complaint,) = read(text).complaints

    assert ("a.yaml:2:1", "the marks of an unsettled merge") == (str(complaint.place), complaint.message)
    assert "<<<<<<<" in complaint.mend


def test_a_duplicate_names_both_places() -> None:
    """With two lists of permission sets, which one counts would be luck."""
    (complaint,) = read("k:\n  a: 1\n  b: {c: 1}\n  a: 2\n").complaints

    assert ("a.yaml:4:3", "a.yaml:2:3") == (str(complaint.place), str(complaint.also))


def nested(depth: int) -> str:
    return "a: " + "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)), f"{MAX_ALIASED:,} values"),
        (nested(MAX_DEPTH + 1), "levels deep"),
        ("[" * 1_000_000, "levels deep|not valid YAML"),
        ("{a: " * 1_000_000, "levels deep"),
        ("- " * 1_000_000, "levels deep"),
        ("? " * 1_000_000, "a key must be text"),
        ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40, "levels deep by an alias"),
        ("[" * 9_000_000 + "\x00", "levels deep|not valid YAML"),
        ("&a " * 3_000_000, "not valid YAML"),
        ("!" * 9_000_000, "the tag tag:yaml.org"),
        ("'" + "a " * 4_000_000, "not valid YAML"),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_bomb_ends_at_once_and_in_an_error(text: str, words: str) -> None:
    """A pull request from a stranger must not stop the pipeline of everybody else.

    Newer versions of PyYAML have a bound of their own, which brackets reach before they reach ours.
    """
    begun = time.process_time()

    messages = [complaint.message for complaint in read(text).complaints]

    assert any(any(word in message for word in words.split("|")) for message in messages)
    assert all(len(message) < 400 for message in messages)
    assert time.process_time() - begun < 5


def test_deep_but_allowed_nesting_is_read() -> None:
    """The bound is not where people are."""
    assert [] == read(nested(MAX_DEPTH - 1)).complaints


@pytest.mark.parametrize(
    "text",
    [
        "hidden: hunter2\nx: 1\nx: 2\n",
        "{hidden: hunter2, x: 1, x: 2}\n",
        "hidden: |\n  first\n  hunter2\nx: 1\nx: 2\n",
        "hidden: {secret: hunter2}\nx: 1\nx: 2\n",
        "hidden: {secret: {env: 'hunter2 !'}}\nx: 1\nx: 2\n",
        "hidden: [a, hunter2]\nx: 1\nx: 2\n",
        "hidden: 'a\nhunter2'\nx: 1\nx: 2\n",
        "hidden: hunter2: x\n",
        "hidden: 'hunter2\nx: 1\n",
        "hidden:\n  hunter2\n x: @\n",
        "hidden: {secret: hunter2\n",
        "hidden: {secret: {env: X}, hunter2: @\n",
        "{hidden: hunter2, b: @}\n",
        "hidden: hunter2\xff\n",
        '"hidden": "hunter2\\q"\n',
        "x: 1\nx: 2 # hidden: hunter2\n",
    ],
)
def test_a_secret_is_in_no_message_and_no_snippet(text: str) -> None:
    """Logs of a pipeline are read by more people than the secret is meant for."""
    data = text.encode("latin-1")
    shown = repr(read(data).complaints)
    everywhere = Positions(data, "a.yaml", lambda key: key == "hidden")
    shown += repr([everywhere.at(line, 0) for line in range(6)])

    assert read(data).complaints
    assert "hunter2" not in shown


def test_equal_texts_are_one_object() -> None:
    """Ten thousand apps hold the same two dozen field names and values."""
    reader = Reader(lambda _: False)
    first, second = (reader.read(b"label: Api\n", name).documents[0].value for name in ("a", "b"))

    assert first["label"] is second["label"]
    assert next(iter(first)) is next(iter(second))
