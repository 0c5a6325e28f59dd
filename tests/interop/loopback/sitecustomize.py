"""Loaded before a Python client: it may talk to this machine and to nobody else. What else it tries is written down.

Not a patch of the client: the interpreter itself asks before each connection (PEP 578).
"""

import os
import sys
from pathlib import Path
from typing import Any

WHERE = "INTEROP_OUTSIDE"
_HERE = ("localhost", "127.0.0.1", "::1", "", None)


def _ask(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in _HERE and (outside := os.environ.get(WHERE)):
        with Path(outside).open("a", encoding="utf-8") as file:
            file.write(f"{host}\n")
        raise ConnectionRefusedError(f"{host} is not this machine")


sys.addaudithook(_ask)
