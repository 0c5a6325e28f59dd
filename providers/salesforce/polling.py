"""Waiting for the org: how often to ask, for how long, and what a lost answer means."""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import requests

from reconciler.errors import Complaint, UnreachableError

T = TypeVar("T")


class BusyError(Exception):
    """The org answered that it cannot answer now (502, 503, 504): worth another try of a call that only reads."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait, in seconds. Clock, sleep and chance are given, so that tests need no time."""

    first: float = 0.2
    growth: float = 1.5
    most: float = 1.0
    """Longest pause during the first minute."""
    later: float = 5.0
    """Longest pause after it: each question counts against the org's daily limit of calls."""
    total: float = 3600.0
    tries: int = 4
    """Of a call that only reads."""
    backoff: float = 0.5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default=random.random)  # jitter, not a secret

    def pauses(self, what: str) -> Iterator[None]:
        """Yield at once, and then again after each growing pause. Raises UnreachableError when the time is up."""
        start, pause = self.clock(), self.first
        while True:
            yield
            waited = self.clock() - start
            if waited > self.total:
                raise UnreachableError(
                    Complaint(
                        f"{what} did not come to an end within {self.total / 60:.0f} minutes",
                        mend="look at Setup, Deployment Status",
                    )
                )
            self.sleep(pause)
            pause = min(pause * self.growth, self.most if waited < 60 else self.later)

    def insist(self, call: Callable[[], T], host: str) -> T:
        """The result of a call that only reads, tried again while the connection fails. Raises UnreachableError."""
        for attempt in range(self.tries):
            try:
                return call()
            except requests.exceptions.SSLError as untrusted:
                raise unreachable(host, untrusted) from None
            except (
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
                BusyError,
            ) as lost:
                if attempt + 1 == self.tries:
                    raise unreachable(host, lost) from None
                self.sleep(self.backoff * 2**attempt * (0.5 + self.chance()))
        raise AssertionError("at least one try")


_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")>]+)")
"""The system's own words, at the bottom of what the HTTP library wraps around them."""


def unreachable(host: str, why: Exception) -> UnreachableError:
    """The error for an org that gives no answer."""
    if isinstance(why, requests.exceptions.SSLError):
        said, mend = "its certificate is not trusted", "check the host; behind a proxy set REQUESTS_CA_BUNDLE"
    elif isinstance(why, requests.Timeout):
        said, mend = "no answer in time", "try again; check the network and status.salesforce.com"
    elif isinstance(why, BusyError):
        said, mend = f"{why}", "the org is busy or in maintenance: try again later, see status.salesforce.com"
    else:
        found = _ERRNO.search(str(why))
        said = f"the connection fails ({found[1].strip().lower()})" if found else "the connection fails"
        mend = "check instance_url, the network and the proxy settings"
    return UnreachableError(Complaint(f"{host} cannot be reached: {said}", mend=mend))
