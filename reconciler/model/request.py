"""What a person asked a plan for besides "make it equal": targets, replacements, destruction."""

from dataclasses import dataclass

from reconciler.model.address import Address


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for besides "make it equal"."""

    targets: tuple[Address, ...] = ()
    """Only these, with their satellites and enablements. Empty: everything."""
    replace: frozenset[Address] = frozenset()
    destroy: bool = False
