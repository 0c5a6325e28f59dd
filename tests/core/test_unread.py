"""What could not be read is answered with what helps: a type that the org does not know wants no permission."""

import pytest

from reconciler.engine.session import unread_complaints
from reconciler.model import Snapshot


@pytest.mark.parametrize(
    ("why", "mend"),
    [
        ("INVALID_TYPE: Unknown type:OauthTokenExchangeHandler", "this org does not know the type"),
        ("Entity type 'X' is not available in this api version", "this org does not know the type"),
        ("Entity type 'X' is unknown", "this org does not know the type"),
        ("INSUFFICIENT_ACCESS: insufficient access rights", "give the login the permission"),
    ],
)
def test_the_mend_follows_from_the_words_of_the_org(why: str, mend: str) -> None:
    (complaint,) = unread_complaints({"OauthTokenExchangeHandler": why}, Snapshot({}))

    assert complaint.mend.startswith(mend)
    assert why == complaint.quote
