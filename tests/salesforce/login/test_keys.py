"""What stands around a name or a token and is no part of it is named: the org would only say that it does not know it."""

import pytest

from providers.salesforce.login.keys import Given
from providers.salesforce.login.sfdx_url import parse
from providers.salesforce.wire.session import token_of
from reconciler.errors import InputError, NotAllowedError
from reconciler.schema.values import SecretRef


def given(name: str, value: str) -> str:
    return Given("jwt", {name: SecretRef("env", "X")}, lambda ref: value).text(name)


@pytest.mark.parametrize("name", ["client_id", "client_secret", "username"])
@pytest.mark.parametrize("value", [" hunter2", "hunter2\t", "hunter2\r\n", '"hunter2"', "'hunter2'"])
def test_blanks_and_quotes_around_a_name_are_named_and_the_name_is_not_shown(name: str, value: str):
    with pytest.raises(InputError, match=rf"login: {name} (begins or ends with a blank|stands in quotes)") as raised:
        given(name, value)
    assert "hunter2" not in repr(raised.value.complaints)


def test_a_password_may_have_anything_around_it():
    assert ' "x" ' == given("password", ' "x" ')


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_quotes_around_a_token_are_named(quote: str):
    with pytest.raises(NotAllowedError, match="stands in quotes") as raised:
        token_of(f"{quote}00Dx!hunter2{quote}\n", "login.access_token")
    assert "take the quotes away" == raised.value.complaints[0].mend
    with pytest.raises(InputError, match="stands in quotes"):
        parse(f"{quote}force://PlatformCLI::hunter2@acme.my.salesforce.com{quote}")
