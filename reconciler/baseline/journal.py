"""The journal of an apply: what was approved, which deployment is on its way, and how that is found again. Pure.

It is written before a deployment is sent and removed when the baseline holds what became of it. So who finds one knows
that an apply was cut off, and can tell whether its last deployment landed. It holds no secrets: references, and salted
digests as in the baseline.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.model.address import Address
from reconciler.model.changes import Action, Change, Component, Plan, Reason, Step
from reconciler.model.declared import Lifecycle, Origin, Resource, Snapshot
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.model.effects import beside
from reconciler.model.live import LiveState
from reconciler.model.request import Request
from reconciler.schema.body import covers
from reconciler.schema.stored import digest, from_json, recalled, to_json, withheld
from reconciler.schema.values import Body, Path, SecretRef, Value

FORMAT = 1
_ORIGIN = Origin("(an apply that was cut off)", 0)


@dataclass(frozen=True, slots=True)
class Intent:
    """One change of the step that is on its way."""

    address: Address
    action: Action
    want: Body | None = None
    """What the files declared; `None` where they declared nothing."""
    record: str = ""
    protect: frozenset[str] = frozenset()
    ignore: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """An apply that is under way, or was cut off."""

    org_id: str
    project: str
    begun: str
    """When it began (ISO 8601, UTC, our clock)."""
    request: Request = Request()
    """What was asked for; of replacements only those that are still to come."""
    allowed: frozenset[str] = frozenset()
    """The guards that were lifted by name."""
    desired: str = ""
    """Digest of the files that were approved."""
    payload: str = ""
    """Digest of all that was to be sent."""
    approved: frozenset[str] = frozenset()
    """Each record that someone said yes to, by address and digest."""
    step: int = 0
    """Counted from 1."""
    steps: int = 0
    salt: str = ""
    sent: Sent | None = None
    """The deployment of which the baseline does not know yet; `None` between two."""
    sent_at: str = ""
    """Just before it was sent (our clock)."""
    intents: tuple[Intent, ...] = ()
    secrets: Mapping[SecretRef, str] = field(default_factory=dict)
    """Salted digests of the secrets that were sent."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Digests of the variables that the files used, by name; empty in journals of 0.1.0."""
    effects: frozenset[str] = frozenset()
    """What else was approved: what is adopted and released."""

    def next_step(self, number: int, step: Step, desired: Snapshot) -> "Journal":
        """Return the journal as it is when a step is about to be sent."""
        intents = tuple(_intent(change, desired.resources.get(change.address)) for change in step.changes)
        return replace(self, step=number, sent=None, sent_at="", intents=intents)

    def settled(self, *, landed: bool) -> "Journal":
        """Return the journal as it is once the baseline holds what became of the deployment."""
        done = {intent.address for intent in self.intents} if landed else set()
        request = replace(self.request, replace=self.request.replace - done)
        return replace(self, request=request, sent=None, sent_at="", intents=(), secrets={})

    def landing(self, found: Sequence[Deployed] | None, live: LiveState, *, may_come: bool) -> Landing:
        """Whether the deployment landed: by the org's word on it, or by what the org has where that is no clear word.

        `found` is `None` where the org does not tell, and `may_come` says whether it may then still be under way.
        """
        words = {one.landing for one in found or ()}
        if len(words) == 1 and Landing.UNKNOWN not in words:
            return words.pop()
        holds = all(_holds(intent, live, self.salt) for intent in self.intents)
        # What is replaced looks the same before and after. A step is one transaction, so the rest tells for all of it.
        if holds and any(intent.action is not Action.REPLACE for intent in self.intents):
            return Landing.LANDED
        in_doubt = (found is None or words) if holds else (found is None and may_come)
        return Landing.UNKNOWN if in_doubt else Landing.NOT_LANDED

    @property
    def declared(self) -> Snapshot:
        """What the files said of the step's resources when it was sent."""
        return Snapshot(
            {
                intent.address: Resource(
                    intent.address, intent.want, _ORIGIN, Lifecycle(intent.protect, intent.ignore), intent.record
                )
                for intent in self.intents
                if intent.want is not None
            }
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        """The step's changes, as far as a baseline has to know of them."""
        return tuple(
            Change(
                intent.address,
                None if intent.action is Action.CREATE else {},
                None if intent.action is Action.DELETE else intent.want or {},
                Reason.DECLARED,
                replace=intent.action is Action.REPLACE,
                record=intent.record,
            )
            for intent in self.intents
        )

    def approves(self, plan: Plan) -> bool:
        """True if all that the plan would send was approved when the apply began, and is still the same."""
        sent = approval(component for step in plan.steps for component in step.components)
        return sent <= self.approved and beside(plan) <= self.effects


def variables(files: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of the variables among the files of a plan; the project file itself may be mended before an
    apply is carried on."""
    return {name: digest for name, digest in files.items() if name.startswith("${var.")}


def approval(components: Iterable[Component]) -> frozenset[str]:
    """What a person approves: address and content of each record, secrets as references."""
    return frozenset(f"{component.address} {digest(component.body)}" for component in components)


def _intent(change: Change, want: Resource | None) -> Intent:
    if want is None or change.after is None:
        return Intent(change.address, change.action, record=change.record)
    kept = want.lifecycle
    return Intent(change.address, change.action, want.body, change.record, kept.protect, kept.ignore)


def _holds(intent: Intent, live: LiveState, salt: str) -> bool:
    have = live.resources.get(intent.address)
    if intent.action is Action.DELETE:
        return have is None and live.reason_unreadable(intent.address) is None
    if have is None:
        return False
    struct = intent.address.struct
    return covers(struct, have.body, recalled(struct, intent.want or {}, have.body, salt))


def dump(journal: Journal) -> dict[str, Any]:
    """The journal as JSON."""
    sent, request = journal.sent, journal.request
    return {
        "format": FORMAT,
        "org_id": journal.org_id,
        "project": journal.project,
        "begun": journal.begun,
        "request": {
            "targets": [str(address) for address in request.targets],
            "replace": sorted(str(address) for address in request.replace),
            "destroy": request.destroy,
        },
        "allowed": sorted(journal.allowed),
        "desired": journal.desired,
        "payload": journal.payload,
        "variables": dict(journal.variables),
        "effects": sorted(journal.effects),
        "approved": sorted(journal.approved),
        "step": journal.step,
        "steps": journal.steps,
        "salt": journal.salt,
        "sent": None
        if sent is None
        else {
            "id": sent.id,
            "components": [list(one) for one in sent.components],
            "check_only": sent.check_only,
            "known": list(sent.known),
            "since": sent.since,
            "listed": sent.listed,
        },
        "sent_at": journal.sent_at,
        "intents": [
            {
                "address": str(intent.address),
                "action": intent.action.value,
                "want": None
                if intent.want is None
                else to_json(withheld(intent.address.struct, intent.want, journal.salt)),
                "record": intent.record,
                "protect": sorted(intent.protect),
                "ignore": [list(path) for path in intent.ignore],
            }
            for intent in journal.intents
        ],
        "secrets": [[to_json(ref), kept] for ref, kept in journal.secrets.items()],
    }


def parse(content: Mapping[str, Any]) -> Journal:
    """Read a journal from JSON. Raises ValueError, KeyError or TypeError for what is no journal of ours."""
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}, this version reads {FORMAT}")
    sent, asked = content["sent"], content["request"]
    return Journal(
        org_id=_text(content["org_id"]),
        project=_text(content["project"]),
        begun=_text(content["begun"]),
        request=Request(
            tuple(Address.parse(text) for text in asked["targets"]),
            frozenset(Address.parse(text) for text in asked["replace"]),
            asked["destroy"] is True,
        ),
        allowed=_texts(content["allowed"]),
        desired=_text(content["desired"]),
        payload=_text(content["payload"]),
        variables={_text(name): _text(one) for name, one in content.get("variables", {}).items()},
        effects=_texts(content.get("effects", ())),
        approved=_texts(content["approved"]),
        step=int(content["step"]),
        steps=int(content["steps"]),
        salt=_text(content["salt"]),
        sent=None
        if sent is None
        else Sent(
            _text(sent["id"]),
            tuple((_text(kind), _text(name)) for kind, name in sent["components"]),
            sent["check_only"] is True,
            tuple(map(_text, sent["known"])),
            _text(sent["since"]),
            sent["listed"] is True,
        ),
        sent_at=_text(content["sent_at"]),
        intents=tuple(_read_intent(one) for one in content["intents"]),
        secrets={_ref(ref): _text(kept) for ref, kept in content["secrets"]},
    )


def _read_intent(one: Mapping[str, Any]) -> Intent:
    want = one["want"]
    return Intent(
        Address.parse(one["address"]),
        Action(one["action"]),
        None if want is None else _with_refs(from_json(want)),
        _text(one["record"]),
        _texts(one["protect"]),
        tuple(tuple(map(_text, path)) for path in one["ignore"]),
    )


def _with_refs(value: Any) -> Any:
    if isinstance(value, dict):
        return _ref(value) if value.keys() == {"$secret"} else {name: _with_refs(one) for name, one in value.items()}
    return value


def _ref(value: Mapping[str, Any]) -> SecretRef:
    source, target = value["$secret"]
    return SecretRef(source, tuple(target) if isinstance(target, list) else target)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: Collection[Any]) -> frozenset[str]:
    return frozenset(map(_text, values))
