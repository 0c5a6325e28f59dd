"""What a pull took from an org into the files, as JSON for machines."""

from reconciler.model.reports import PullReport
from reconciler.render.json import parts, shapes
from reconciler.render.words import value_text
from reconciler.render.words.safe import json_page


def pull(found: PullReport) -> str:
    """The report of `pull` as JSON, in the form that `schema pull` publishes."""
    content: shapes.Pulled = {
        **parts.head("pull", found.created),
        "org": parts.org(found.org),
        "written": not found.checked,
        "files": [{"name": one.name, "action": one.action} for one in found.files],
        "taken": [{"address": str(address), "file": file} for address, file in sorted(found.taken.items())],
        "fields": [
            {
                "address": str(one.address),
                "path": list(one.path),
                "old": None if one.secret else one.old,
                "new": None if one.secret else one.new,
                "file": one.file,
                "direction": str(one.direction),
                "severity": str(one.severity),
            }
            for one in found.fields
        ],
        "gone": [str(one) for one in found.gone],
        "accepted": [{"address": str(address), "path": list(path)} for address, path in found.accepted],
        "left": [{"what": what, "why": why, "mend": mend} for what, why, mend in found.left],
        "omitted": [{"address": str(address), "path": list(path), "why": why} for address, path, why in found.omitted],
        "variables": [{"name": name, "value": value} for name, value in sorted(found.variables.items())],
        "unreadable": dict(found.unreadable),
        "adopted": found.adopted,
    }
    return json_page(value_text.plain(content))
