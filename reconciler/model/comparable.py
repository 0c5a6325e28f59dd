"""Makes a live body comparable: with values that the org never gives back, and those scrubbed from a recording."""

from reconciler.model.applied import Applied
from reconciler.model.live import LiveResource, LiveState
from reconciler.schema.kind import Struct
from reconciler.schema.marks import SourceText
from reconciler.schema.paths import at, get, put
from reconciler.schema.scrubbed import fits, may_be
from reconciler.schema.values import Body


def completed(struct: type[Struct], live: Body, applied: Applied | None) -> Body:
    """A live body with the values that were sent and that this org never gives back."""
    if applied is None or not applied.unseen:
        return live
    result = live
    for path in applied.unseen:
        if at(result, path) is None:
            result = put(struct, result, path, at(applied.body, path))
    return result


def told(live: LiveState, have: LiveResource, body: Body, other: Body) -> Body:
    """A live body in which what was scrubbed from a recording is as in *other*, the files' or the baseline's: nobody can
    say that it differs. What is left of a text has to be in the other's too."""
    result, struct = body, have.address.struct
    for path, left in live.scrubbed.get(have.address, {}).items():
        value, field = get(struct, other, path), struct.fields().get(path[0])
        source = field is not None and field.has(SourceText)
        if fits(left, value) if source else may_be(left, value):
            result = put(struct, result, path, value)
    return result
