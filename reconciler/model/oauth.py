"""What an org answers where clients ask for tokens, as values without the tokens. Pure."""

from dataclasses import dataclass, field


class Tokens:
    """Tokens that an org gave out: they can be refreshed, asked about and revoked, and are never shown.

    A class of its own and no dataclass, so that no `repr`, comparison or report ever gets at what is inside.
    """

    __slots__ = ("access", "refresh")

    def __init__(self, access: str, refresh: str = "") -> None:
        self.access, self.refresh = access, refresh

    def __repr__(self) -> str:
        return "Tokens(…)"


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint said. `error` is empty if it gave a token."""

    status: int
    """Of HTTP."""
    error: str = ""
    """`invalid_grant` and the like, in the org's words; `http_…` where it said none."""
    description: str = ""
    scopes: frozenset[str] = frozenset()
    """What was granted, under the names of the token endpoint (`api`, `refresh_token`)."""
    user_id: str = ""
    """Of the user whom the token is for."""
    username: str = ""
    """Empty if no one could look it up."""
    is_jwt: bool = False
    """Whether the access token is a JWT, which can be read and lives on when the session is ended."""
    tokens: Tokens | None = field(default=None, compare=False)

    @property
    def granted(self) -> bool:
        return not self.error

    @property
    def has_refresh_token(self) -> bool:
        return self.tokens is not None and bool(self.tokens.refresh)


@dataclass(frozen=True, slots=True)
class AuthorizeAnswer:
    """What the authorize endpoint answers without a login. `error` is empty if it asks to log in."""

    status: int
    error: str = ""
    description: str = ""

    @property
    def granted(self) -> bool:
        return not self.error


Answer = TokenAnswer | AuthorizeAnswer
