"""Who changed something, when, and what that rests on, in words."""

from collections.abc import Sequence

from reconciler.model.finding import Attribution, Confidence, Finding, Touch
from reconciler.model.live import Modified
from reconciler.render.words.safe import line

_PEOPLE = 5
"""So many of those who touched a record are named in a sentence."""


def who(finding: Finding) -> str:
    """Who caused a finding, in words; empty if nothing is known.

    `changed by jane@acme.example at 2026-11-22T07:14:00Z (the audit trail agrees …)`, and who else touched the record;
    without a name, only who touched it.
    """
    found = finding.attribution
    if found is None:
        return last_touch(finding.modified)
    how = _how(found)
    around = f" ({how})" if how else ""
    if found.by or found.by_id or found.date:
        also = f"; also touched by {_people(found.also)}" if found.also else ""
        return f"changed by {_one(found)}{around}{also}"
    if found.also:
        return f"{'last ' if len(found.also) == 1 else ''}touched by {_people(found.also)}{around}"
    return f"changed by somebody whom the org does not name{around}"


def last_touch(modified: Modified) -> str:
    """Who touched a record last, perhaps elsewhere in it; empty if the org does not say."""
    return f"last touched by {line(modified)}" if modified.by or modified.date else ""


def _how(found: Attribution) -> str:
    sure = "medium confidence" if found.confidence is Confidence.MEDIUM else ""
    because = line(found.because) if found.because else ""
    if found.confidence is Confidence.HIGH and not because:
        because = "the audit trail agrees"
    told = [": ".join(text for text in (sure, because) if text)]
    if found.delegate:
        told.append(_delegate(found.delegate))
    if found.deployment:
        told.append(f"by {'our own ' if found.ours else ''}deployment {line(found.deployment)}")
    return ", ".join(text for text in told if text)


def _people(touches: Sequence[Touch]) -> str:
    told = [_one(one) + (f" ({_delegate(one.delegate)})" if one.delegate else "") for one in touches[:_PEOPLE]]
    return ", ".join([*told, *([f"{len(touches) - _PEOPLE} more"] if len(touches) > _PEOPLE else [])])


def _one(found: Attribution | Touch) -> str:
    return f"{line(found.by or found.by_id or 'unknown')} at {line(found.date or 'an unknown time')}"


def _delegate(username: str) -> str:
    return f"{line(username)} had logged in as that user"


def uncounted(finding: Finding) -> str:
    """Why a finding is shown and not counted; empty if it counts."""
    if finding.waived:
        return f"waived: {line(finding.waived)}"
    if finding.deferred:
        return f"deployment {line(finding.deferred)} is under way"
    return "ignored by lifecycle.ignore" if finding.ignored else ""
