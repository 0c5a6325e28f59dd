"""The OAuth endpoints of an org: where they are, and what stands in their answers. Logins and `verify` ask the same ones."""

import json
from collections.abc import Mapping
from typing import Any

from providers.salesforce.wire.soap import not_an_org
from reconciler.errors import UnreachableError
from reconciler.redaction import hold

TOKEN, AUTHORIZE, REVOKE, INTROSPECT = (
    f"/services/oauth2/{name}" for name in ("token", "authorize", "revoke", "introspect")
)


def told(content: bytes) -> Mapping[str, Any]:
    """Return an endpoint's answer as a JSON object; an empty one where it is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def hold_tokens(found: Mapping[str, Any]) -> None:
    """Keep what a token endpoint gave out of all that we write."""
    for name in ("access_token", "refresh_token", "id_token"):
        if isinstance(found.get(name), str):
            hold(found[name])


def no_answer(origin: str, content: bytes) -> UnreachableError:
    """The error for an answer that is neither tokens nor a refusal.

    Never with its beginning, unless that is a page: half an answer may hold half a token.
    """
    return not_an_org(origin, content if content.lstrip()[:1] == b"<" else b"")
