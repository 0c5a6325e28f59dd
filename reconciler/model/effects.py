"""What an apply of a plan would bring about, as texts that can be compared with those of another plan."""

from collections.abc import Iterable

from reconciler.model.changes import Plan


def beside(plan: Plan) -> frozenset[str]:
    """Return what a plan changes in the baseline without changing the org: adopted and released resources."""
    return beside_texts(map(str, plan.adopted), map(str, plan.released))


def beside_texts(adopted: Iterable[str], released: Iterable[str]) -> frozenset[str]:
    """Return the effects on the baseline alone, from adopted addresses and released fields as texts."""
    return frozenset({*(f"adopt {address}" for address in adopted), *(f"release {one}" for one in released)})


def effects(plan: Plan) -> frozenset[str]:
    """Everything that an apply of the plan would bring about, in the org and in the baseline, a text each."""
    return effects_of(
        plan.payload,
        ((str(change.address), str(change.reason)) for change in plan.changes),
        beside(plan),
    )


def effects_of(payload: str, changes: Iterable[tuple[str, str]], more: frozenset[str]) -> frozenset[str]:
    return more | {f"payload {payload}", *(f"change {address} {reason}" for address, reason in changes)}
