"""Finding a deployment again whose answer was lost: among what the org lists, the one that does what ours does.

An id is given by the org's answer and by nothing else, so ours is known by its fingerprint: made after what was there
before, a validation or not, as many components, and once it is done the same kinds and records. Pure.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from providers.salesforce.results import components_of
from providers.salesforce.wire.soap import is_id
from reconciler.model.deployment import Sent

_MANIFESTS = 3
"""package.xml and the two lists of removals: whether an org counts them is not documented."""
_MOST = 20
"""New deployments of an org that are looked at, the oldest first: ours is one of the first after it was sent."""


class Fit(IntEnum):
    """How sure it is that a deployment is ours."""

    NO = 0
    MAYBE = 1
    """Nothing speaks against it, and at most the number of components for it: a colleague's may have as many."""
    LIKELY = 2
    """The names of some components agree."""
    YES = 3


def fit(result: Mapping[str, Any], sent: Sent) -> Fit:
    """Return how likely a listed deployment is the one that we sent, by its status."""
    ours, seen = set(sent.components), components_of(result)
    total = _number(result.get("numberComponentsTotal"))
    if not seen.named <= ours or (total and not len(ours) <= total <= len(ours) + _MANIFESTS):
        return Fit.NO
    if len(ours - seen.named) <= seen.absent:
        return Fit.YES
    if str(result.get("status")) == "Succeeded":
        # It names all that it did, and that is not what we wanted.
        return Fit.NO
    return Fit.LIKELY if seen.named else Fit.MAYBE


def new(rows: Iterable[Mapping[str, Any]], sent: Sent) -> list[str]:
    """Ids of the listed deployments that may be ours, the oldest first: made since, not known before."""
    known = {job[:15] for job in sent.known}
    oldest_first = sorted(rows, key=lambda row: str(row.get("CreatedDate") or ""))
    found = [str(row.get("Id") or "") for row in oldest_first if (row.get("CheckOnly") is True) is sent.check_only]
    return [job for job in found if is_id(job) and job[:15] not in known][:_MOST]


def _number(value: object) -> int:
    text = str(value if value is not None else "")
    return int(text) if text.isascii() and text.isdigit() else 0
