"""Faults of the connection: it breaks, says nothing, or is slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from providers.mock.faults.calls import Answer, Call
from providers.mock.faults.kinds import Between, fault
from providers.mock.http.breaking import Hangup, Reset

_FAMILY = "The connection"


@fault(_FAMILY)
def reset(call: Call) -> Answer:
    """The connection is reset before the org has done anything."""
    raise Reset


@fault(_FAMILY)
def lost_answer(call: Call) -> Answer:
    """The org does what was asked, and the connection is reset before a byte of the answer: who asked cannot know."""
    call.answer()
    raise Reset


@fault(_FAMILY)
def reset_midway(call: Call) -> Answer:
    """The org does it, and the connection is reset in the middle of the answer."""
    return _half(call.answer(), Reset())


@fault(_FAMILY)
def cut_short(call: Call) -> Answer:
    """The org does it; the answer claims its whole Content-Length, and the connection is closed after half of it."""
    return _half(call.answer(), Hangup())


def _half(answer: Answer, end: Exception) -> Answer:
    content = answer.content

    def pieces() -> Iterator[bytes]:
        yield content[: len(content) // 2]
        raise end

    return answer.streaming(pieces(), len(content))


@fault(_FAMILY)
def silence(call: Call, *, seconds: Annotated[float, Between(0, 86400)] = 60, done: bool = False) -> Answer:
    """Nothing is said for so many seconds, then the connection is closed. With `done` the org has done it before."""
    if done:
        call.answer()
    call.wait(seconds)
    raise Hangup


@fault(_FAMILY)
def drip(
    call: Call, *, size: Annotated[int, Between(1, 1_000_000)] = 64, seconds: Annotated[float, Between(0, 3600)] = 0.05
) -> Answer:
    """The answer comes `size` bytes at a time, with so many seconds between them. Nothing is missing in the end."""
    answer = call.answer()
    content = answer.content

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), size):
            if start:
                call.wait(seconds)
            yield content[start : start + size]

    return answer.streaming(pieces(), len(content))
