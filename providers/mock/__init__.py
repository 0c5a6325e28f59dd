"""A mock Salesforce org: one WSGI application over one SQLite file, judged by Salesforce's own WSDL.

Importing this costs nothing: the parts are loaded when they are first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers.mock.faults import Faults, FaultsError
    from providers.mock.http.adapter import mount
    from providers.mock.http.server import Served, serve, serving
    from providers.mock.http.wsgi import application
    from providers.mock.org import Org, open_org
    from providers.mock.state.errors import MockOrgError
    from providers.mock.state.switches import Switches
    from providers.mock.state.world import AuditRow, User

__all__ = [
    "AuditRow",
    "Faults",
    "FaultsError",
    "MockOrgError",
    "Org",
    "Served",
    "Switches",
    "User",
    "application",
    "mount",
    "open_org",
    "serve",
    "serving",
]

_HOMES = {
    "AuditRow": "state.world",
    "MockOrgError": "state.errors",
    "Faults": "faults",
    "FaultsError": "faults",
    "Org": "org",
    "Switches": "state.switches",
    "User": "state.world",
    "application": "http.wsgi",
    "mount": "http.adapter",
    "open_org": "org",
    "Served": "http.server",
    "serve": "http.server",
    "serving": "http.server",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
