"""A probe: one OAuth call that has to succeed or to fail, as a value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from reconciler.model.address import Address
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path


class Flow(StrEnum):
    """The OAuth flows that are run."""

    TOKEN_EXCHANGE = "token exchange"  # noqa: S105 (a name, no token)
    REFRESH = "refresh"
    CLIENT_CREDENTIALS = "client credentials"
    JWT_BEARER = "JWT bearer"
    WEB_SERVER = "web server"
    INTROSPECTION = "introspection"


class Secret(NamedTuple):
    """A parameter that is a secret: what the app's section holds under `key`."""

    key: str
    borrow: bool = False
    """Whether another app's will do: no token opens an app for which the flow is off."""


class Tampered(NamedTuple):
    """A JWT that is given, with another signature."""

    key: str


class Text(NamedTuple):
    """A plain text that the app's section holds under `key`."""

    key: str


class WrongSecret(NamedTuple):
    """A wrong client secret, made up when a probe needs one."""


class Assertion(NamedTuple):
    """A JWT of the JWT bearer flow, signed when it is needed."""

    issuer: str
    """The app's consumer key."""
    user: Text
    audience: str
    right_key: bool = True
    """With the key that is given; else with one that is made up."""


class RefreshToken(NamedTuple):
    """The refresh token that another probe brought."""

    of: str
    """The id of that probe."""
    first: bool = False
    """The one that came first, not the one that is current."""


class AnothersToken(NamedTuple):
    """An access token of another app, asked for when it is needed."""


Part = str | Secret | Tampered | Text | WrongSecret | Assertion | RefreshToken | AnothersToken


@dataclass(frozen=True, slots=True)
class Granted:
    """The call has to succeed."""

    user: str = ""
    """The username that has to come out; empty: not judged."""
    scopes: frozenset[str] | None = None
    """All that may be granted, as metadata spells it; `None`: not judged."""
    custom_scopes: frozenset[str] = frozenset()
    known_scopes: frozenset[str] = frozenset()
    """All custom scopes of the org."""
    jwt: bool | None = None
    """Whether the access token has to be a JWT; `None`: not judged."""
    new_refresh_token: bool = False
    """Whether a new refresh token has to come along: rotation."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The call has to fail, with one of these errors. Another error proves nothing."""

    codes: frozenset[str]
    unless_without: str = ""
    """A scope: a token without it is as good as a refusal."""
    betrayed_by: frozenset[str] = frozenset()
    """Errors that tell that the org went further than it should have."""
    unclear: str = ""
    """Words in small letters with which the org says that something else is missing: then a fitting error proves nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One call to the token endpoint, or to the authorize endpoint without a login."""

    app: Address
    flow: Flow
    id: str
    """Its name in the app, the same in every run: `token_exchange.PartnerIdp.no_secret`."""
    what: str
    """What is asked, in words: `through the handler PartnerIdp, without the client secret`."""
    expects: Granted | Refused
    form: Mapping[str, Part]
    because: str
    """What promises it, in words that follow "granted, although" or "refused, although"."""
    severity: Severity
    """How bad it is if the promise is broken."""
    address: Address
    """The resource that promises it."""
    path: Path = ()
    control: str = ""
    """The id of the probe whose success, or right refusal, makes this refusal mean something."""
    refreshes: str = ""
    """The id of the probe whose refresh token becomes another one by this."""
    blocked: str = ""
    """Why it cannot be run at all, whatever is given."""
    mend: str = ""
    """What to do if the promise is broken; empty: what is to be done about any."""

    @property
    def is_promise_of_success(self) -> bool:
        return isinstance(self.expects, Granted)

    @property
    def asks_to_authorize(self) -> bool:
        """Whether the call is one to the authorize endpoint."""
        return "response_type" in self.form

    def needs(self) -> Iterator[Secret | Tampered | Text]:
        """What has to be given in the project file for it."""
        for part in self.form.values():
            if isinstance(part, Secret | Tampered | Text):
                yield part
            elif isinstance(part, Assertion):
                yield part.user
                if part.right_key:
                    yield Secret("private_key")
