"""The heading of a replay: nobody takes what a recording says for what the org says."""

import pytest

from reconciler.model.live import OrgInfo
from reconciler.render.words.recorded import age, heading


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-03-01T00:00:59Z", "0 minutes ago"),
        ("2026-03-01T00:01:00Z", "1 minute ago"),
        ("2026-03-01T01:59:00Z", "119 minutes ago"),
        ("2026-03-01T02:00:00Z", "2 hours ago"),
        ("2026-03-02T23:59:00Z", "47 hours ago"),
        ("2026-03-03T00:00:00Z", "2 days ago"),
        ("2027-03-01T00:00:00Z", "365 days ago"),
        ("2026-02-28T23:59:59Z", "in the future"),
        ("yesterday", ""),
    ],
)
def test_the_age_of_a_recording_is_told_as_people_would(created: str, expected: str) -> None:
    """A plan against last year's org looks just like one against today's."""
    assert expected == age("2026-03-01T00:00:00Z", created)


def test_an_org_that_was_asked_has_no_heading() -> None:
    """A heading that is always there is not read."""
    assert "" == heading(OrgInfo("00D"), "2026-03-01T00:00:00Z") == heading(None, "")


def test_what_stands_in_a_recording_cannot_write_a_heading_of_its_own() -> None:
    """The date comes from a file that a stranger may have made."""
    told = heading(OrgInfo("00D", recorded="2026\n::error::all is well\x1b[2J" + "x" * 500), "")

    assert ("\n" in told, "\x1b" in told, len(told) < 300) == (False, False, True)
