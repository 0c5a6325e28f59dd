"""A body as it is stored: as JSON, with secrets withheld, and digests of it."""

import json
from functools import cache
from hashlib import sha256
from typing import Any

from reconciler.apex.hardcoded import MASK, masked
from reconciler.schema.kind import Struct
from reconciler.schema.marks import (
    SourceText,
)
from reconciler.schema.values import Body, RawXml, SecretRef, Value, Withheld


def to_json(value: Value) -> Any:
    """Turn a body into values that JSON can hold: raw elements and references become small objects, sets sorted lists."""
    match value:
        case RawXml():
            return {"$xml": str(value)}
        case SecretRef():
            return {"$secret": [value.source, value.target]}
        case Withheld():
            return {"$withheld": [str(value), value.digest]}
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case frozenset():
            return sorted(to_json(item) for item in value)
    return value


def from_json(value: Any) -> Value:
    """Make a body of JSON: the reverse of `to_json`."""
    if isinstance(value, dict):
        if value.keys() == {"$xml"}:
            return RawXml(value["$xml"])
        if value.keys() == {"$withheld"}:
            return Withheld(*value["$withheld"])
        for key, item in value.items():
            if item.__class__ is dict or item.__class__ is list:
                value[key] = from_json(item)
    elif isinstance(value, list):
        return [from_json(item) for item in value]
    return value


def withheld(struct: type[Struct], body: Body, salt: str) -> Body:
    """Return the body as it may be stored: source text that holds secrets becomes what is left of it and a salted digest."""
    for name in _sources(struct):
        text = body.get(name)
        if isinstance(text, str) and not isinstance(text, Withheld) and (left := masked(text)) != text:
            body = {**body, name: Withheld(left, _salted(text, salt))}
    return body


def recalled(struct: type[Struct], body: Body, live: Body, salt: str) -> Body:
    """Put back the secrets that `withheld` took out of a body, where the org still has them."""
    for name in _sources(struct):
        kept, text = body.get(name), live.get(name)
        if isinstance(kept, Withheld) and isinstance(text, str):
            if _salted(text, salt) == kept.digest:
                body = {**body, name: text}
            elif text == kept:
                # Someone wrote what we show in the place of secrets. That is another text, and must not look the same.
                body = {**body, name: Withheld(f"{kept}\n// {MASK}", kept.digest)}
    return body


@cache
def _sources(struct: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name, field in struct.fields().items() if field.has(SourceText))


def _salted(text: str, salt: str) -> str:
    return sha256(f"{salt}:{text}".encode("utf-8", "surrogatepass")).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON of a value."""
    text = json.dumps(to_json(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
