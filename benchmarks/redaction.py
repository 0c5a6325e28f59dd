"""What redaction costs with many tokens: memory, the time to hold one, and the time to take them out of a text.

    python -m benchmarks.redaction [TOKENS]

A run holds a handful. A server that used one run for everything would hold thousands: what is measured here says whether
it would notice. The table stands in `benchmarks/README.md`.
"""

import random
import string
import sys
import time
import tracemalloc

from reconciler import redaction

TOKENS = 10_000
TEXT = 4_500
"""Characters: an error of an org with its answer."""


def tokens(number: int) -> list[str]:
    """Session ids of one org: they begin alike, as those of an org do."""
    chance = random.Random(7)  # noqa: S311 (made up, and the same each time)
    letters = string.ascii_letters + string.digits + "._"
    return ["00D5f000000abcdEAA!AQEAQ" + "".join(chance.choices(letters, k=88)) for _ in range(number)]


def text(words: list[str]) -> str:
    """A text of `TEXT` characters that names two of the tokens, one of them cut off."""
    chance = random.Random(8)  # noqa: S311
    said = f"the session {words[0]} is not valid; it began with {words[-1][:60]} "
    while len(said) < TEXT:
        said += "".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 9))) + chance.choice(" .,:/-")
    return said[:TEXT]


def middle(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def main(number: int) -> None:
    words = tokens(number)
    said = text(words)
    # Memory and time in turns: to trace memory takes time of its own.
    tracemalloc.start()
    with redaction.running():
        for word in words:
            redaction.hold(word)
        held = tracemalloc.get_traced_memory()[0]
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    with redaction.running():
        begun = time.perf_counter()
        for word in words:
            redaction.hold(word)
        each = (time.perf_counter() - begun) / number
        taken = []
        for _ in range(50):
            begun = time.perf_counter()
            shown = redaction.redacted(said)
            taken.append(time.perf_counter() - begun)
        if words[0][24:36] in shown or words[-1][24:36] in shown:
            raise SystemExit("a token is still there")
    print(f"{number:,} tokens: {held / 1e6:,.1f} MB while the run lasts, {left / 1e6:,.1f} MB after its end")
    print(f"{each * 1e3:.2f} ms to hold one, {middle(taken) * 1e3:.2f} ms for a text of {TEXT:,} characters")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TOKENS)
