"""The mend speaks of a permission only where the org does."""

import pytest

from reconciler.engine.session import unread_complaints
from reconciler.model.declared import Snapshot
from reconciler.model.live import NOT_RECORDED
from reconciler.model.unread import lacks_permission, mend


@pytest.mark.parametrize(
    ("why", "permission", "word"),
    [
        ("INSUFFICIENT_ACCESS: You do not have the proper permissions to access ConnectedApp", True, "permission"),
        ("You do not have access to the ConnectedApp 'Vendor_Sync'", True, "permission"),
        ("Entity type 'ConnectedApp' is not available in this organization", False, "api_version"),
        ("Entity type 'ExtlClntAppOauthSecuritySettings' is unknown", False, "licence"),
        ("INVALID_TYPE: Unknown type: OauthTokenExchangeHandler", False, "api_version"),
        ("Load of metadata from db failed for metadata of type:ConnectedApp and file name:X.", False, "Support"),
        ("An unexpected error occurred. ErrorId: 7", False, "Support"),
        ("its source is not UTF-8: 'utf-8' codec can't decode byte 0xe9", False, "save it anew"),
        ("a and b both belong to portal; remove one of them", False, "in Setup"),
        (NOT_RECORDED, False, "record again"),
    ],
)
def test_the_mend_fits_the_reason(why: str, permission: bool, word: str) -> None:
    """An admin who grants permissions for a type that the org does not have comes back none the wiser."""
    assert (permission, True) == (lacks_permission(why), word in mend(why))


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
