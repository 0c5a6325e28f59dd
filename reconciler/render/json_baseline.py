"""A baseline, or a part of it, as JSON."""

import json
from typing import Any

from reconciler.body import to_json
from reconciler.model import Address, Applied, Baseline
from reconciler.render import values


def baseline(found: Baseline) -> str:
    """What we last applied: resources with bodies and declared fields, secrets left out; strangers by address."""
    content = {
        "format_version": "1.0",
        "org_id": found.org_id,
        "project": found.project,
        "serial": found.serial,
        "api_version": found.api_version,
        "resources": {str(address): _resource(address, held) for address, held in found.resources.items()},
        "unmanaged": sorted(found.unmanaged),
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=True, indent=2) + "\n"


def _resource(address: Address, held: Applied) -> dict[str, Any]:
    return {
        "record": held.record,
        "declared": [".".join(path) for path in held.declared],
        "protect": sorted(held.protect),
        "body": to_json(values.hidden(values.schema(address), held.body)),
    }
