"""Staying within the platform's limits: what goes into one deployment, and into one retrieve."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers.salesforce.files.package import files_of
from reconciler.model.changes import Component

_MANIFESTS = 3
"""package.xml and the two lists of removals."""
_ENTRY_BYTES = 256
"""Of the zip's own records for one file: two headers, its name twice."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The platform's limits (Metadata API Developer Guide, deploy()), and how near to them we go."""

    files: int = 10_000
    """Of one deployment, manifests included."""
    zip_bytes: int = 39 * 1024 * 1024
    retrieved_files: int = 9_900
    """Asked for by name in one retrieve: the platform's own files count too."""


def split(groups: Iterable[Sequence[Component]], limits: Limits) -> list[list[Component]]:
    """Pack groups of related components into deployments, groups kept whole and in order.

    Sizes are counted before compression, so a deployment is never over the limit. A group that is too large for any
    deployment is cut where it has to be; its order is the order of references, so each part can land on its own.
    """
    deployments: list[list[Component]] = [[]]
    files = size = 0
    room, space = limits.files - _MANIFESTS, limits.zip_bytes
    for group in groups:
        weights = [_weight(component) for component in group]
        if files + sum(w[0] for w in weights) <= room and size + sum(w[1] for w in weights) <= space:
            deployments[-1] += group
            files, size = files + sum(w[0] for w in weights), size + sum(w[1] for w in weights)
            continue
        if deployments[-1]:
            deployments.append([])
            files = size = 0
        for component, (more_files, more_size) in zip(group, weights, strict=True):
            if deployments[-1] and (files + more_files > room or size + more_size > space):
                deployments.append([])
                files = size = 0
            deployments[-1].append(component)
            files, size = files + more_files, size + more_size
    return [deployment for deployment in deployments if deployment]


def _weight(component: Component) -> tuple[int, int]:
    """How many files and bytes one component adds to a package."""
    files = files_of(component, str)
    # Even a removal has its line in a manifest.
    return len(files), _ENTRY_BYTES + sum(len(data) + _ENTRY_BYTES for data in files.values())


def parts(names: Iterable[tuple[str, str, int]], most: int) -> Iterator[Mapping[str, list[str]]]:
    """Members of retrieves, from (name, manifest type, files), each retrieve with at most `most` files.

    In the order given: sorted by name, an app and most of its satellites come together.
    """
    part: dict[str, list[str]] = {}
    files = 0
    for name, type_, count in names:
        if part and files + count > most:
            yield part
            part, files = {}, 0
        part.setdefault(type_, []).append(name)
        files += count
    if part:
        yield part
