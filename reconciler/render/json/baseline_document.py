"""A baseline, or a part of it, as JSON."""

from typing import Any

from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.render.words import value_text
from reconciler.render.words.safe import json_page


def baseline(found: Baseline, alias: str = "") -> str:
    """A baseline as JSON: what was last applied, secrets as null, and the addresses of what is not managed.

    Without the salt: who has it can try secrets against the digests of a baseline file.
    """
    content = {
        "format_version": "1.0",
        "org_id": found.org_id,
        "org_alias": alias,
        "project": found.project,
        "serial": found.serial,
        "api_version": found.api_version,
        "resources": {str(address): _resource(address, held) for address, held in found.resources.items()},
        "unmanaged": sorted(found.unmanaged),
    }
    return json_page(value_text.plain(content))


def _resource(address: Address, held: Applied) -> dict[str, Any]:
    return {
        "record": held.record,
        "id": held.id,
        "declared": [".".join(path) for path in held.declared],
        "protect": sorted(held.protect),
        "body": value_text.hidden(value_text.schema(address), held.body),
    }
