"""Waiting for the org: how often to ask, for how long, and what a lost answer means.

What only reads is tried again; what deploys never is, unless it certainly never arrived (`never_sent`) or the org said
that it did nothing. All pauses and failed tries of a run count against one allowance, so that troubles of many calls do
not add up to hours.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from reconciler.errors import Complaint, UnreachableError

T = TypeVar("T")

BUSY = (420, 429, 502, 503, 504)
"""Statuses that say "not now"; 420 is what Salesforce's edge answers to too many (source-deploy-retrieve retries it)."""


class BusyError(Exception):
    """The org, or what stands before it, cannot answer now: worth another try of a call that only reads."""

    def __init__(self, status: int, after: str | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.after = _seconds(after)
        """What it asks us to wait, in seconds; 0 if it does not say."""


def not_busy(answer: requests.Response) -> requests.Response:
    """Return an answer. Raises BusyError where the org only says "not now"."""
    if answer.status_code in BUSY:
        raise BusyError(answer.status_code, answer.headers.get("Retry-After"))
    return answer


class PassingError(UnreachableError):
    """A trouble that may be over at the next try: an answer that is none of an org's, or an org that says "later"."""


LOST = (requests.RequestException, HTTPError, BusyError)
"""What a call raises whose answer did not come."""


@dataclass(slots=True)
class _Spent:
    """What one run has waited so far, in seconds: for jobs that go on, and because of troubles."""

    jobs: float = 0.0
    trouble: float = 0.0


def _silent(_: str) -> None:
    """Ignore a message."""


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
    """For the end of one deployment or retrieve."""
    run: float = 7200.0
    """For all of them in one run."""
    tries: int = 4
    """Of a call that only reads."""
    backoff: float = 0.5
    longest: float = 60.0
    """The longest pause that an org may ask for (Retry-After). Coming back earlier would be hammering, so beyond it we
    give up."""
    trouble: float = 900.0
    """For all failed tries of one run and the pauses after them."""
    search: float = 60.0
    """For a deployment whose answer was lost."""
    cancel: float = 120.0
    """For the last word on a deployment that was cancelled."""
    others: float = 600.0
    """For the end of deployments that others have under way."""
    sendings: int = 3
    """Of a deployment that did nothing because records were locked."""
    locked: float = 15.0
    """Pause before it is sent again; the second is twice as long."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = _silent
    """Called with words that say why nothing seems to happen."""
    chance: Callable[[], float] = field(default=random.random)  # jitter, not a secret
    _spent: _Spent = field(default_factory=_Spent, init=False, repr=False, compare=False)

    def pauses(self, what: str, most: float | None = None, mend: str = "") -> Iterator[None]:
        """Yield at once, and then again after each growing pause. Raises UnreachableError when the time is up."""
        most = self.total if most is None else most
        yield from self.looks(most)
        limit = self.run if self._spent.jobs > self.run else most
        message = f"{what} did not come to an end within {_spoken(limit)}"
        raise UnreachableError(Complaint(message, mend=mend or "look at Setup, Deployment Status"))

    def looks(self, most: float) -> Iterator[None]:
        """Yield at once, and then again after each growing pause, until the time is up."""
        start, pause, before = self.clock(), self.first, self._spent.jobs
        while True:
            yield
            waited = self.clock() - start
            self._spent.jobs = before + waited
            if waited > most or self._spent.jobs > self.run:
                return
            self.sleep(pause)
            pause = min(pause * self.growth, self.most if waited < 60 else self.later)

    def insist(self, call: Callable[[], T], host: str, *, again: Callable[[Exception], bool] | None = None) -> T:
        """The result of a call that only reads, tried again while it fails in passing. Raises UnreachableError.

        With `again`, tried again only after what it agrees to; anything else is raised as it is.
        """
        for attempt in range(self.tries):
            begun = self.clock()
            try:
                return call()
            except (*LOST, PassingError) as lost:
                if again is not None and not again(lost):
                    raise
                if is_distrust(lost):
                    raise unreachable(host, lost) from None
                pause = self.jittered(self.backoff * 2**attempt)
                asked = lost.after if isinstance(lost, BusyError) else 0.0
                self._spent.trouble += self.clock() - begun
                over = asked > self.longest or self._spent.trouble > self.trouble
                trouble = lost if isinstance(lost, PassingError) else unreachable(host, lost)
                if attempt + 1 == self.tries or over:
                    raise trouble from None
                pause = max(pause, asked)
                self.tell(f"{trouble}; once more in {pause:.1f} s ({attempt + 2} of {self.tries})")
                self.pause(pause)
        raise AssertionError("at least one try")

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds because of a trouble, and count them."""
        self._spent.trouble += seconds
        self.sleep(seconds)

    def jittered(self, seconds: float) -> float:
        """Return a number of seconds, changed at random by up to a half: not all pipelines of a company should come
        back together."""
        return seconds * (0.5 + self.chance())


def never_sent(why: Exception) -> bool:
    """True if a request certainly was not sent: there was no connection."""
    if isinstance(why, requests.ConnectTimeout) or is_distrust(why):
        return True
    # requests wraps what urllib3 says: ConnectionError(MaxRetryError(reason=NewConnectionError)).
    reason = getattr(why.args[0] if why.args else None, "reason", None)
    return isinstance(why, requests.ConnectionError) and isinstance(reason, NewConnectionError)


def is_distrust(why: Exception) -> bool:
    """True for a certificate that is not trusted. Other errors of TLS are a connection that broke."""
    text = str(why).casefold()
    return isinstance(why, requests.exceptions.SSLError) and not any(
        broken in text for broken in ("eof occurred", "eof_error", "connection reset", "timed out", "bad record mac")
    )


def _seconds(after: str | None) -> float:
    """Retry-After as seconds: a number, or a date (RFC 9110, 10.2.3)."""
    text = (after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")>]+)")
"""The system's own words, at the bottom of what the HTTP library wraps around them."""


def unreachable(host: str, why: Exception) -> UnreachableError:
    """The error for an org that gives no answer."""
    if is_distrust(why):
        said, mend = (
            "its certificate is not trusted",
            "check the host; where a proxy opens TLS, let REQUESTS_CA_BUNDLE name its certificate",
        )
    elif isinstance(why, requests.Timeout):
        said, mend = "no answer in time", "try again; check the network and status.salesforce.com"
    elif isinstance(why, BusyError):
        later = f", and asks to come back in {_spoken(why.after)}" if why.after else ""
        said, mend = f"{why}{later}", "the org is busy or in maintenance: try again later, see status.salesforce.com"
    else:
        found = _ERRNO.search(str(why))
        said = f"the connection fails ({found[1].strip().lower()})" if found else "the connection fails"
        mend = "check instance_url, the network and the proxy settings"
    return UnreachableError(Complaint(f"{host} cannot be reached: {said}", mend=mend))
