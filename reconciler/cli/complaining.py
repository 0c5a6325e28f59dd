"""Writes an error to standard error, with its place and what to do about it."""

import sys

from reconciler.cli.output import colour
from reconciler.cli.streams import lost
from reconciler.errors import ReconcilerError
from reconciler.redaction import redacted


def complain(error: ReconcilerError) -> int:
    from reconciler.render.text import complaints

    # Where no one reads standard error, it goes to standard output, unless a result stands there already.
    silent = lost(sys.stderr) and not getattr(sys.stdout, "used", False)
    stream = sys.stdout if silent else sys.stderr
    stream.write(redacted(complaints.complaints(error, colour=colour(stream))))
    return error.exit
