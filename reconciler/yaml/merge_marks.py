"""Finds the marks that a merge with a conflict leaves in a file: `<<<<<<< HEAD`, `=======`, `>>>>>>> other`."""

from collections.abc import Iterable

_MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")

MEND = "settle the conflict: keep what is right of both sides, and remove the lines with <<<<<<<, ======= and >>>>>>>"


def conflict(lines: Iterable[str]) -> int:
    """The number of the first line with a mark, from 1; 0 where there is none.

    Asked of what could not be read: neither YAML nor JSON has such a line at its very left.
    """
    for number, line in enumerate(lines, 1):
        if line[:7] in _MARKS and (len(line.rstrip("\r\n")) == 7 or line[7] == " "):
            return number
    return 0
