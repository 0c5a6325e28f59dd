"""Scopes under the names that the token endpoint gives them.

Source: Salesforce Help, "OAuth Tokens and Scopes"; the names of the newer ones are those that Salesforce's Mobile SDK and
its hosted MCP servers document (github.com/forcedotcom/mcp-hosted/issues/7). Scopes whose name is documented nowhere are
left out: no one can say whether an answer holds them.
"""

from collections.abc import Iterable, Mapping

_IDENTITY = frozenset({"id", "profile", "email", "address", "phone"})
_REFRESH = frozenset({"refresh_token", "offline_access"})
RUNTIME: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("Basic", "Profile", "Email", "Address", "Phone"), _IDENTITY),
    **dict.fromkeys(("RefreshToken", "OfflineAccess"), _REFRESH),
    **dict.fromkeys(("SFAP", "SFApiPlatform"), frozenset({"sfap_api"})),
    **{
        name: frozenset({runtime})
        for name, runtime in {
            "Api": "api",
            "CDP": "cdp_api",
            "CDPIngest": "cdp_ingest_api",
            "CDPProfile": "cdp_profile_api",
            "CDPQuery": "cdp_query_api",
            "Chatbot": "chatbot_api",
            "Chatter": "chatter_api",
            "Content": "content",
            "CustomApplications": "visualforce",
            "CustomPermissions": "custom_permissions",
            "Eclair": "eclair_api",
            "EinsteinGPT": "einstein_gpt_api",
            "ForgotPassword": "forgot_password",
            "Full": "full",
            "Interaction": "interaction_api",
            "Lightning": "lightning",
            "MCP": "mcp_api",
            "OpenID": "openid",
            "Pardot": "pardot_api",
            "UserRegistration": "user_registration_api",
            "Wave": "wave_api",
            "Web": "web",
        }.items()
    },
}
"""Scope as metadata spells it -> what the token endpoint calls it."""
_KNOWN = frozenset(name for names in RUNTIME.values() for name in names)
_FULL = _KNOWN - _REFRESH
"""What Full contains, so that a token which names it too may do nothing more: all but refresh tokens."""
_TRIED = ("Full", "Web", "Chatter", "Wave", "CustomPermissions", "Content")
"""Scopes that a client would be glad to have, the worst first."""


def one_too_many(declared: Iterable[str]) -> str:
    """The runtime name of a scope that is not declared, to be asked for; empty if the app may have everything."""
    held = set(declared)
    if "Full" in held:
        return ""
    return next((next(iter(RUNTIME[name])) for name in _TRIED if name not in held), "")


def too_many(granted: Iterable[str], declared: Iterable[str], custom: Iterable[str], known: Iterable[str]) -> list[str]:
    """The scopes that were granted and are not declared.

    `custom` are the app's custom scopes, `known` all custom scopes of the org. `id` comes along in many answers and is
    never counted; nor is a name that no one knows, nor what a declared Full contains.
    """
    held = set(declared)
    allowed = {"id", *custom}.union(_FULL if "Full" in held else (), *(RUNTIME.get(name, frozenset()) for name in held))
    return sorted(name for name in granted if name not in allowed and (name in _KNOWN or name in set(known)))
