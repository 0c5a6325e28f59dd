"""What `doctor` found, as JSON for machines."""

from reconciler.doctor import DoctorReport
from reconciler.render.json import parts, shapes
from reconciler.render.words import value_text
from reconciler.render.words.safe import json_page


def json(found: DoctorReport) -> str:
    """The report of `doctor` as JSON, in the form that `schema doctor` publishes."""
    content: shapes.Examined = {
        **parts.head("doctor", found.created),
        "org": parts.org(found.org) if found.org is not None else None,
        "exit_code": int(found.exit),
        "diagnoses": [
            {
                "topic": one.topic,
                "health": str(one.health),
                "message": one.message,
                "mend": one.mend,
                "salesforce": one.quote,
                "exit_code": int(one.exit),
            }
            for one in found.entries
        ],
    }
    return json_page(value_text.plain(content))
