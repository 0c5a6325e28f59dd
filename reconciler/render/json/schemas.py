"""JSON Schemas (draft 2020-12) of our JSON, for programs that read it. Made from `shapes`, never by hand."""

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from reconciler.render.json import shapes
from reconciler.render.json.saved import FORMAT

_SHAPES: dict[str, Any] = {
    "plan": shapes.Plan,
    "apply": shapes.Applied,
    "drift": shapes.Drift,
    "compare": shapes.Comparison,
    "check": shapes.Check,
    "doctor": shapes.Examined,
    "verify": shapes.Verified,
    "pull": shapes.Pulled,
    "error": shapes.Stopped,
}
NAMES = tuple(_SHAPES)


def schema(name: str) -> str:
    """The JSON Schema of what `--output json` of a command writes; `name` is one of `NAMES`.

    It allows more keys than it names: within a major version of the format, keys are added.
    """
    content = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:reconciler:schema:{name}:{FORMAT}",
        **_published(_SHAPES[name]),
        "title": f"reconciler {name}",
    }
    return json.dumps(content, indent=2) + "\n"


class _Untitled(GenerateJsonSchema):
    """Makes schemas without a title for each property, which would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _published(shape: Any) -> dict[str, Any]:
    found: dict[str, Any] = TypeAdapter(shape).json_schema(schema_generator=_Untitled)
    _describe(found, shape)
    for name, definition in found.get("$defs", {}).items():
        _describe(definition, getattr(shapes, name))
    return found


def _describe(definition: dict[str, Any], shape: Any) -> None:
    """Give the properties of a class the descriptions from its base classes: pydantic reads only the class's own."""
    for base in shape.__orig_bases__:
        if hasattr(base, "__orig_bases__"):
            for name, inherited in _published(base)["properties"].items():
                if "description" in inherited:
                    definition["properties"][name].setdefault("description", inherited["description"])
    for described in [definition, *definition["properties"].values()]:
        if "description" in described:
            described["description"] = " ".join(described["description"].split())
