"""Translates the scope names of metadata into those of tokens, and decides which scopes a token gets."""

from __future__ import annotations

from collections.abc import Iterable

from providers.mock.oauth import refusals

# Runtime names as the Mobile SDK's page on OAuth scopes and forcedotcom/mcp-hosted#7 spell them. Of some newer scopes no
# source tells the runtime name (CDPSegment, PwdlessLogin, SCRT and others): tokens do not show those.
_NAMES = {
    "Api": "api", "Web": "web", "Full": "full", "RefreshToken": "refresh_token", "OfflineAccess": "refresh_token",
    "OpenID": "openid", "Basic": "id", "Profile": "profile", "Email": "email", "Address": "address", "Phone": "phone",
    "CustomPermissions": "custom_permissions", "Chatter": "chatter_api", "Content": "content",
    "Lightning": "lightning", "CustomApplications": "visualforce", "Wave": "wave_api", "Eclair": "eclair_api",
    "Pardot": "pardot_api", "CDPIngest": "cdp_ingest_api", "CDPProfile": "cdp_profile_api",
    "CDPQuery": "cdp_query_api", "CDP": "cdp_api", "Chatbot": "chatbot_api",
    "UserRegistration": "user_registration_api", "ForgotPassword": "forgot_password", "SFAP": "sfap_api",
    "SFApiPlatform": "sfap_api", "Interaction": "interaction_api", "EinsteinGPT": "einstein_gpt_api", "MCP": "mcp_api",
}  # fmt: skip
# "Scopes": `id` stands for the identity URL service and with it for profile, email, address and phone.
_IDENTITY = frozenset({"id", "profile", "email", "address", "phone"})
IDENTITY = frozenset({"id", "openid", "full"}) | _IDENTITY
REFRESH = "refresh_token"
SERVICE = frozenset(_NAMES.values())
"""All runtime names that this org knows."""


def runtime(metadata_names: Iterable[str]) -> frozenset[str]:
    """Return the names that tokens use for the scopes of an app's metadata; scopes without one are left out."""
    return frozenset(_NAMES[name] for name in metadata_names if name in _NAMES)


def granted(of_app: frozenset[str], requested: str | None) -> frozenset[str]:
    """Return the scopes of a new token: all of the app's, or what was `requested`, which must be among them (S000)."""
    wanted = {"refresh_token" if each == "offline_access" else each for each in (requested or "").split()}
    if not wanted:
        return of_app
    # "Scopes": full holds every scope but the refresh token.
    allowed = set(of_app) | (_IDENTITY if "id" in of_app else set())
    if "full" in of_app:
        allowed |= SERVICE - {REFRESH}
    if not wanted <= allowed:
        raise refusals.scope_too_wide()
    return frozenset(wanted)
