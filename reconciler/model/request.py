"""What a person asks of a plan besides making the org equal to the files: targets, replacements, destruction."""

from dataclasses import dataclass

from reconciler.model.address import Address


@dataclass(frozen=True, slots=True)
class Request:
    """What a plan is asked for besides making the org equal to the files."""

    targets: tuple[Address, ...] = ()
    """Only these, with their satellites and enablements. Empty: everything."""
    replace: frozenset[Address] = frozenset()
    destroy: bool = False
