"""Ids of 15 and of 18 characters: the same record, or another one."""

import pytest

from reconciler.schema.record_id import same_id, short_id


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("00D000000000062", "00D000000000062EAA", True),
        ("00D000000000062EAA", "00D000000000062EAA", True),
        ("00D00000000006aEAA", "00D00000000006AEAQ", False),
        ("00D000000000062EAA", "00D000000000063EAA", False),
        ("", "00D000000000062EAA", False),
        ("", "", True),
    ],
)
def test_the_checksum_of_an_id_does_not_count_and_letter_case_does(one, other, same) -> None:
    """The one who pins the org's id as the browser shows it, in 15 characters."""
    assert same is same_id(one, other) is same_id(other, one)
    assert short_id(one) == short_id(short_id(one))
