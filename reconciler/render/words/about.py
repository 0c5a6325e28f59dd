"""The meaning of every finding id: of the rules, of drift, waivers and failed applies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from reconciler.model.finding import CHANGED, DESIRED, DIFFERS, GONE, REFERENCE, REPLACED, UNDONE, UNMANAGED
from reconciler.rules import all_rules
from reconciler.rules.settings import EXPIRED, OWN, UNUSED
from reconciler.schema.severity import Severity
from reconciler.verify.verdicts import GRANTED, KEPT, OTHER_SCOPES, OTHER_TOKEN, OTHER_USER, REFUSED, WAITING

FAILED = "apply.failed"
ERROR = "error"

_DESIGN = "our own judgement: who watches an org has to know what its files do not say"
_PROMISE = "a call that verify made: what the files say of the app, and Salesforce's answer"
_OTHERS = (
    (
        CHANGED,
        Severity.LOW,
        "A field holds what was last applied",
        "Somebody changed it in the org, past review: the clients of the app live with a setting that nobody agreed to.",
        "our own judgement, field by field: the mark of each field tells which change weakens it",
    ),
    (
        GONE,
        Severity.HIGH,
        "What was applied is still in the org",
        "Clients that log in through it are refused until it is restored.",
        _DESIGN,
    ),
    (
        REPLACED,
        Severity.HIGH,
        "An app, handler or scope is the record that was last applied or accepted",
        "Under an old name stands another record: with other keys, no tokens of the former one, and perhaps another owner.",
        _DESIGN,
    ),
    (
        UNDONE,
        Severity.HIGH,
        "Nobody touches a record between an apply's last look at the org and its deployment",
        "The deployment replaces the whole record, so what another user changed a moment before may be gone.",
        _DESIGN,
    ),
    (
        UNMANAGED,
        Severity.MEDIUM,
        "Everything in the org is declared in a file or accepted in the baseline",
        "A way into the org that no file declares is one that nobody reviews.",
        _DESIGN,
    ),
    (
        DESIRED,
        Severity.LOW,
        "The org is as the files declare it",
        "Whoever reads the files believes in a setting that the org does not have.",
        _DESIGN,
    ),
    (
        DIFFERS,
        Severity.LOW,
        "Two orgs are alike, but for what belongs to one of them",
        "What was tried in one org is not what runs in the other.",
        _DESIGN,
    ),
    (
        EXPIRED,
        OWN[EXPIRED],
        "A waiver is renewed or its cause mended before it ends",
        "A risk that was accepted for a time is run for ever.",
        "our own judgement: a waiver is a promise with a date",
    ),
    (
        UNUSED,
        OWN[UNUSED],
        "A waiver covers something",
        "A waiver that nothing needs hides the next mistake.",
        "our own judgement: a waiver is a promise with a date",
    ),
    (
        REFERENCE,
        Severity.INFO,
        "Everything that a file names is declared or in the org",
        "A deployment that names what does not exist is refused as a whole.",
        "our own judgement; only the org can tell, so a check of files says that it was not checked",
    ),
    (
        GRANTED,
        Severity.HIGH,
        "What the files keep out is refused at run time",
        "Somebody gets a token whom every reviewer of the files believes to be kept out.",
        _PROMISE,
    ),
    (
        REFUSED,
        Severity.HIGH,
        "What the files promise is granted at run time",
        "Clients that do all as they should get no token.",
        _PROMISE,
    ),
    (
        OTHER_USER,
        Severity.CRITICAL,
        "A token is for the user who is meant",
        "Whoever uses the token acts as somebody else than was reviewed.",
        _PROMISE,
    ),
    (
        OTHER_SCOPES,
        Severity.HIGH,
        "A token may do what the files declare, and no more",
        "A token that is lost opens more than anybody reviewed.",
        _PROMISE,
    ),
    (
        OTHER_TOKEN,
        Severity.HIGH,
        "An access token is of the form that is declared, opaque or a JWT",
        "A JWT tells whoever finds it what it holds, and lives until its end; and the SOAP API refuses it.",
        _PROMISE,
    ),
    (
        KEPT,
        Severity.HIGH,
        "A refresh token that was used, or that is over, is dead",
        "A refresh token that was stolen goes on working.",
        _PROMISE,
    ),
    (
        WAITING,
        Severity.HIGH,
        "The org knows an app that is declared",
        "Clients get invalid_client_id until it does: up to 30 minutes after a deployment, or for ever.",
        _PROMISE,
    ),
    (
        ERROR,
        Severity.HIGH,
        "The command can do its work",
        "Nothing was judged, planned or compared: whoever takes silence for success is wrong.",
        "the error's own message, and Salesforce's where it has one",
    ),
    (
        FAILED,
        Severity.HIGH,
        "What was deployed is accepted by the org",
        "The org is not as the files declare it, and whoever approved the plan believes that it is.",
        "Salesforce's Metadata API refused a component; its own words are in the message",
    ),
)


@dataclass(frozen=True, slots=True)
class About:
    """The explanation of a finding's id: its title, severity, whom it hurts, and its source."""

    id: str
    name: str
    """In words run together, as viewers of results show it: `OneDefaultHandlerPerApp`."""
    severity: Severity
    """Its own; a finding's may differ."""
    title: str
    """What should be, in one sentence without a full stop."""
    hurts: str
    source: str


@cache
def all_about() -> Mapping[str, About]:
    """Return everything that a finding's id can be, in the order of the documents."""
    found = {
        rule.id: About(
            rule.id, _name(getattr(rule.check, "__name__", rule.id)), rule.severity, rule.title, rule.hurts, rule.source
        )
        for rule in all_rules().values()
    }
    found |= {id: About(id, _name(id), *rest) for id, *rest in _OTHERS}  # type: ignore[arg-type]
    return dict(sorted(found.items()))


def about(id: str) -> About:
    """Return what `id` stands for; of an unknown one (from a report of another version) it says so."""
    known = all_about().get(id)
    if known is not None:
        return known
    return About(id, _name(id), Severity.MEDIUM, "A finding of a kind that this version does not know", "", "")


def _name(words: str) -> str:
    parts = "".join(c if c.isalnum() else " " for c in words).split()
    return "".join(part[0].upper() + part[1:] for part in parts)
