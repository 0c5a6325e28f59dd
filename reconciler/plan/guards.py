"""Reasons to refuse a plan until it is allowed by name. Pure; the engine asks before it acts, `plan` shows them."""

from collections.abc import Collection, Iterator, Mapping

from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.changes import Action, Change, Refusal
from reconciler.model.declared import Snapshot
from reconciler.model.live import LiveState
from reconciler.model.record_identity import is_sure, other_owner

DELETE, REPLACE, PROTECT, INSTALLED, PROTECTED_ORG = "delete", "replace", "protect", "installed", "protected"
TAKEOVER = "takeover"

ALLOWABLE = (DELETE, REPLACE, TAKEOVER, PROTECTED_ORG)
"""What `--allow` takes. The others are lifted in the files only."""
_UNPROTECTED = (
    "taking the word out of lifecycle.protect in the file; where the file is gone, restore it without the word first"
)
_INSTALLED = "leave the component to its package, and declare no more of it than its policies"
GUARDS: Mapping[str, str] = {
    DELETE: "An app, handler, custom scope or enablement would be deleted. Lifted by --allow delete.",
    REPLACE: "An app or handler would be deleted and created again: its consumer key changes and its tokens are revoked."
    " Lifted by --allow replace.",
    TAKEOVER: "The org's record of that name is not the one that was applied from here: it was deleted and made anew, and is"
    " not ours. Lifted by --allow takeover; baseline forget gives the former one up.",
    PROTECT: f"lifecycle.protect of a resource forbids it. Lifted by {_UNPROTECTED}.",
    INSTALLED: "The component came with a managed package and is read-only, except its policies."
    f" Nothing lifts this: {_INSTALLED}.",
    PROTECTED_ORG: "The org is protected in reconciler.yaml. Lifted by applying a saved plan, or by --allow protected.",
}


def lifted(refusal: Refusal) -> str:
    """What lifts a refusal, or what to do where nothing does: `lifted by --allow delete`."""
    if refusal.allow:
        return f"lifted by {refusal.allow}"
    without = {PROTECT: f"lifted by {_UNPROTECTED}", INSTALLED: f"nothing lifts this: {_INSTALLED}"}
    return without.get(refusal.guard, "nothing lifts this")


def refusals(
    changes: Collection[Change],
    desired: Snapshot,
    live: LiveState,
    baseline: Baseline,
    *,
    allowed: Collection[str],
) -> Iterator[Refusal]:
    """Yield each reason not to apply these changes, with the flag that lifts it."""
    known = desired.resources.keys() | baseline.resources.keys()
    # Few are protected, and a plan may delete thousands: looked up once, not for each change.
    protected = {a: words for a in sorted(known) if (words := _protection(a, desired, baseline))}
    managed, said = baseline.managed, set[Address]()
    for change in changes:
        address = change.address
        if change.action is Action.DELETE and DELETE not in allowed:
            yield Refusal(DELETE, address, f"would be deleted: {change.reason}", f"--allow {DELETE}")
        alone = address.schema.removable and not address.is_enablement
        if change.action is Action.REPLACE and alone and REPLACE not in allowed:
            message = "would be deleted and created again: its consumer key changes and its tokens are revoked"
            if address.kind == "ConnectedApp":
                message += "; most orgs let nobody create a connected app any more (since Spring '26)"
            yield Refusal(REPLACE, address, message, f"--allow {REPLACE}")
        other = None if TAKEOVER in allowed else other_owner(address, baseline, live)
        if other is None and change.action is Action.DELETE and not is_sure(address, baseline, live):
            if TAKEOVER not in allowed:
                message = "may be another record of that name: the baseline, of an earlier version, has no id of it"
                yield Refusal(
                    TAKEOVER, address, message, f"--allow {TAKEOVER}; an apply that deletes nothing notes the ids"
                )
        elif other is not None and not managed.isdisjoint({other, address}) and other not in said:
            said.add(other)
            message = "is another record of that name, not the one that was applied from here"
            yield Refusal(
                TAKEOVER, other, message, f"--allow {TAKEOVER}; to give the former one up: baseline forget {other}"
            )
        for guarded in _protected(change, protected):
            message = f"is protected from {change.action} (lifecycle.protect)"
            yield Refusal(PROTECT, guarded, message if guarded == address else f"{message} and would go with {address}")
        have = live.resources.get(address)
        # A package's components are not among what is read, so one that would be new and carries a prefix is one of them.
        installed = have.installed if have is not None else "__" in address.name
        if installed and not address.schema.policy and not address.is_enablement:
            yield Refusal(INSTALLED, address, "came with a managed package and is read-only, except its policies")


def _protected(change: Change, protected: Mapping[Address, frozenset[str]]) -> Iterator[Address]:
    """What the change would break the protection of: the resource itself, and all that goes with it."""
    if change.action in (Action.DELETE, Action.REPLACE):
        for address, words in protected.items():
            if change.action.value in words and (address == change.address or address.belongs_to(change.address)):
                yield address


def _protection(address: Address, desired: Snapshot, baseline: Baseline) -> frozenset[str]:
    """While a resource is declared its file decides; what was removed keeps the protection that it had."""
    wanted, applied = desired.resources.get(address), baseline.resources.get(address)
    if wanted is not None:
        return wanted.lifecycle.protect
    return applied.protect if applied is not None else frozenset()
