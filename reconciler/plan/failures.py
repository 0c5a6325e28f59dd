"""Finds the line of our files that caused an org's complaint, as far as its text tells. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.errors import Place
from reconciler.model.changes import Component, Step
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import ComponentFailure


def explained(failures: Sequence[ComponentFailure], step: Step, desired: Snapshot) -> tuple[ComponentFailure, ...]:
    """Find the line in our files that caused what the org complains of."""
    by_record: dict[tuple[str, str], Component] = {(c.address.kind, c.record): c for c in step.components}
    # All settings share one type in a manifest, and that is how an org names them.
    by_record |= {("Settings", c.record): c for c in step.components if c.kind.singleton}
    explained = []
    for failure in failures:
        component = by_record.get((failure.kind, failure.record))
        if component is None:
            explained.append(failure)
            continue
        explained.append(replace(failure, address=component.address, place=_cause(failure, component, step, desired)))
    return tuple(explained)


def _cause(failure: ComponentFailure, component: Component, step: Step, desired: Snapshot) -> Place | None:
    """The place of the field, or of the enablement, whose name or value the org's text quotes; else of the document."""
    own = desired.resources.get(component.address)
    if (
        component.address.kind == "ApexClass"
        and own is not None
        and failure.line
        and failure.file_name.endswith(".cls")
    ):
        # The source is sent as it is, so its lines are ours.
        return Place(own.origin.file, failure.line, failure.column)
    words = set(re.findall(r"[\w.@+-]+", failure.problem))
    candidates = [component.address] + [c.address for c in step.changes if c.address.component == component.address]
    best: Place | None = None
    for address in dict.fromkeys(candidates):
        want = desired.resources.get(address)
        if want is None:
            continue
        best = best or want.origin.at()
        for path, value in _leaves(want.body, ()):
            texts = {str(v) for v in value} if isinstance(value, list) else {str(value)}
            if path[-1] in words or (texts & words and not isinstance(value, bool)):
                return want.origin.at(path)
    return best


def _leaves(body: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value
