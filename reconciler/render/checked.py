"""What a check of the files says, as text and as JSON."""

import json as jsonlib
from collections.abc import Sequence

from reconciler.errors import Complaint
from reconciler.render.safe import line, page


def text(resources: int, not_checked: Sequence[Complaint]) -> str:
    """One line for each reference that only the org can check, then the count."""
    lines = [f"not checked: {line(c.message)}   {line(c.place or '')}".rstrip() for c in not_checked]
    return page([*lines, f"{resources} resources, no problems."])


def json(resources: int, not_checked: Sequence[Complaint]) -> str:
    """The same for machines."""
    found = [{"message": c.message, "place": str(c.place) if c.place else None} for c in not_checked]
    return jsonlib.dumps({"resources": resources, "problems": [], "not_checked": found}, sort_keys=True, indent=2)
