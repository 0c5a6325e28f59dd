"""A mock Salesforce org: one WSGI application over one SQLite file, judged by Salesforce's own WSDL.

Importing this costs nothing: the parts are loaded when they are first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers.mock.adapter import mount
    from providers.mock.errors import MockOrgError
    from providers.mock.org import Org, open_org
    from providers.mock.server import serve
    from providers.mock.switches import Switches
    from providers.mock.world import AuditRow, User
    from providers.mock.wsgi import application

__all__ = ["AuditRow", "MockOrgError", "Org", "Switches", "User", "application", "mount", "open_org", "serve"]

_HOMES = {
    "AuditRow": "world",
    "MockOrgError": "errors",
    "Org": "org",
    "Switches": "switches",
    "User": "world",
    "application": "wsgi",
    "mount": "adapter",
    "open_org": "org",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
