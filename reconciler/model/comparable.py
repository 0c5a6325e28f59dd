"""Fills in what a live body lacks before it is compared: values that the org never gives back, and scrubbed ones."""

from reconciler.model.applied import Applied
from reconciler.model.live import LiveResource, LiveState
from reconciler.schema.kind import Struct
from reconciler.schema.marks import SourceText
from reconciler.schema.paths import at, get, put
from reconciler.schema.scrubbed import could_be_source, could_be_value
from reconciler.schema.values import Body


def with_unseen(struct: type[Struct], live: Body, applied: Applied | None) -> Body:
    """Return a live body with the values put in that were sent and that this org never gives back."""
    if applied is None or not applied.unseen:
        return live
    result = live
    for path in applied.unseen:
        if at(result, path) is None:
            result = put(struct, result, path, at(applied.body, path))
    return result


def with_scrubbed_from(live: LiveState, have: LiveResource, body: Body, other: Body) -> Body:
    """Return `body` with each scrubbed field replaced by `other`'s value, so that a replay reports no difference it
    cannot know. What a recording still holds of a text has to be in `other`'s text too."""
    result, struct = body, have.address.struct
    for path, left in live.scrubbed.get(have.address, {}).items():
        value, field = get(struct, other, path), struct.fields().get(path[0])
        source = field is not None and field.has(SourceText)
        if could_be_source(left, value) if source else could_be_value(left, value):
            result = put(struct, result, path, value)
    return result
