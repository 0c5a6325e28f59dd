"""Reasons to refuse a plan until it is allowed by name. Pure; the engine asks before it acts, `plan` shows them."""

from collections.abc import Collection, Iterator

from reconciler.model import Action, Baseline, Change, LiveState, Refusal, Snapshot

DELETE, REPLACE, PROTECT, INSTALLED, PROTECTED_ORG = "delete", "replace", "protect", "installed", "protected"

ALLOWABLE = (DELETE, REPLACE, PROTECTED_ORG)
"""What `--allow` takes. The others are lifted in the files only."""


def refusals(
    changes: Collection[Change],
    desired: Snapshot,
    live: LiveState,
    baseline: Baseline,
    *,
    allowed: Collection[str],
) -> Iterator[Refusal]:
    """Yield each reason not to apply these changes, with the flag that lifts it."""
    for change in changes:
        address = change.address
        if change.action is Action.DELETE and DELETE not in allowed:
            yield Refusal(DELETE, address, f"would be deleted: {change.reason}", f"--allow {DELETE}")
        if change.action is Action.REPLACE and address.schema.removable and REPLACE not in allowed:
            message = "would be deleted and created again: its consumer key changes and its tokens are revoked"
            yield Refusal(REPLACE, address, message, f"--allow {REPLACE}")
        guarded = _protected(change, desired, baseline)
        if guarded:
            yield Refusal(PROTECT, address, f"is protected from {guarded} (lifecycle.protect)")
        have = live.resources.get(address)
        # A package's components are not among what is read, so one that would be new and carries a prefix is one of them.
        installed = have.installed if have is not None else "__" in address.name
        if installed and not address.schema.policy and not address.is_enablement:
            yield Refusal(INSTALLED, address, "came with a managed package and is read-only, except its policies")


def _protected(change: Change, desired: Snapshot, baseline: Baseline) -> str:
    """The protection that the change would break: of the files, or of the baseline where the file is gone."""
    action = change.action
    if action not in (Action.DELETE, Action.REPLACE):
        return ""
    wanted, applied = desired.resources.get(change.address), baseline.resources.get(change.address)
    # While a resource is declared its file decides; what was removed keeps the protection that it had.
    protect = (
        wanted.lifecycle.protect if wanted is not None else applied.protect if applied is not None else frozenset()
    )
    return action.value if action.value in protect else ""
