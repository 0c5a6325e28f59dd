"""Logins by client credentials."""

import pytest
import requests
from simple_salesforce.login import SalesforceLogin

from reconciler.errors import InputError
from tests.salesforce.build import HOST, Stub
from tests.salesforce.login.build import FRESH, Login, Vault, form_of, granted, ref


def login(instance_url: str = HOST) -> Login:
    vault = Vault(SECRET="canarySecret")
    return Login(
        "client_credentials", instance_url=instance_url, vault=vault, client_id="3MVG9", client_secret=ref("SECRET")
    )


def test_the_request_is_the_one_that_simple_salesforce_sends():
    """Their users log in to real orgs with it every day."""
    it, theirs = login(), Stub(lambda _: granted())
    session = requests.Session()
    session.mount("https://", theirs)
    SalesforceLogin(consumer_key="3MVG9", consumer_secret="canarySecret", domain="acme.my", session=session)

    assert FRESH == it.enter()
    assert theirs.asked[0].url == it.sent[0].url
    assert form_of(theirs.asked[0]) == it.form
    assert theirs.asked[0].headers["Authorization"] == it.sent[0].headers["Authorization"]


@pytest.mark.parametrize("host", ["", "https://login.salesforce.com", "https://test.salesforce.com"])
def test_it_needs_the_orgs_own_host(host: str):
    """`request not supported on this domain` would come from Salesforce, after the secret went there."""
    with pytest.raises(InputError, match="client_credentials needs") as wrong:
        login(host)
    assert "My Domain" in wrong.value.complaints[0].mend
