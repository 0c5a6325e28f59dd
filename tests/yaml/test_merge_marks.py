"""Marks of a merge are found by their line, and nothing else is taken for one."""

import pytest

from reconciler.yaml.merge_marks import conflict


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n", 2),
        ("a\r\n<<<<<<< HEAD\r\nb\r\n", 2),
        ("a\nb\n=======\nc\n", 3),
        ("a\n||||||| 1a2b3c\n", 2),
        ("a: 1\nb: >>>>>>> other\n", 0),
        ("<<<<<<<<<< a heading\n", 0),
        ("========\n  =======\n", 0),
        ("", 0),
    ],
)
def test_the_first_mark_is_found(text: str, line: int):
    assert line == conflict(text.splitlines())
