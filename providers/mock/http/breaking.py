"""Exceptions by which an application has its connection broken, raised before or while it answers.

Over a socket `connection` does it to the client's connection; in process `adapter` raises what a client would see.
"""

from __future__ import annotations

WAIT = "mock.wait"
"""Key of the WSGI environment: a function that waits so many seconds, or less when the server ends or no client listens."""


class Reset(Exception):  # noqa: N818 (the word of TCP)
    """The connection is reset (RST): the client gets an error, and what it has not read may be lost."""


class Hangup(Exception):  # noqa: N818
    """The connection is closed in good order (FIN), however much of the answer was still to come."""
