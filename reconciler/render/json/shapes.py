"""The types of our JSON outputs. The renderers are checked against them, and `schemas` publishes them.

The words of Terraform's JSON plan representation, format 1.2, mean here what they mean there
(https://developer.hashicorp.com/terraform/internals/json-format); its rule holds too: within a major version, keys may be
added, and a reader ignores those that it does not know. Every key is always there. Docstrings are the descriptions in
the published schemas.

One file because `schemas` looks the shapes up here by name, and a reader of our JSON reads them from top to bottom.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, WithJsonSchema, with_config

# The one of `typing` cannot be published by pydantic before Python 3.12.
from typing_extensions import TypedDict

from reconciler.doctor import Health
from reconciler.model.changes import Action
from reconciler.model.deployment import Landing
from reconciler.model.finding import Confidence
from reconciler.schema.severity import Direction, Severity
from reconciler.verify.verdicts import Standing

published = with_config(ConfigDict(use_attribute_docstrings=True))


def _one_of(words: type[StrEnum] | type[Severity]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in words]})


SeverityWord = Annotated[str, _one_of(Severity)]
DirectionWord = Annotated[str, _one_of(Direction)]
ConfidenceWord = Annotated[str, _one_of(Confidence)]
ActionWord = Annotated[str, _one_of(Action)]
LandingWord = Annotated[str, _one_of(Landing)]
HealthWord = Annotated[str, _one_of(Health)]
StandingWord = Annotated[str, _one_of(Standing)]
PromiseWord = Annotated[str, WithJsonSchema({"type": "string", "enum": ["granted", "refused"]})]
Time = str
"""ISO 8601, UTC; empty if it is not known."""


@published
class Place(TypedDict):
    """Where something is written. Line and column count from 1; 0 is unknown."""

    file: str
    """Path of the file, as the command was given it."""
    line: int
    """Line, from 1."""
    column: int
    """Column, from 1."""


@published
class Position(TypedDict):
    """A place inside a value that is source text, such as an Apex class."""

    line: int
    """Line, from 1."""
    column: int
    """Column, from 1."""


@published
class Modified(TypedDict):
    """Who last changed a record, and when, as the org says."""

    by: str
    """Username, or a person's name where the org gives only that."""
    by_id: str
    """Id of the user."""
    date: Time
    """ISO 8601, UTC."""


@published
class Touch(TypedDict):
    """A user who touched a record, and when last; which of its fields is not known."""

    by: str
    """Username, or a person's name where the org gives only that."""
    by_id: str
    """Id of the user."""
    date: Time
    """ISO 8601, UTC."""
    delegate: str
    """Username of the person who had logged in as that user; empty if no one had."""


@published
class Attribution(TypedDict):
    """Who changed something, when, and how that is known."""

    by: str
    """Username, or a person's name where the org gives only that; empty where no one can be named."""
    by_id: str
    """Id of the user."""
    date: Time
    """ISO 8601, UTC."""
    confidence: ConfidenceWord
    """`high`: the audit trail names that user, and nothing speaks against it. `medium`: it does, and others touched the
    record too, or its last change is another. `unknown`: no one is named."""
    delegate: str
    """Username of the person who had logged in as that user; empty if no one had."""
    deployment: str
    """Id of the deployment that brought the change; empty if none did."""
    ours: bool
    """Whether that deployment is one that this project made."""
    because: str
    """What the confidence rests on; of no one named, why not."""
    also_touched: list[Touch]
    """Everyone else who touched the record since its value was last known, the latest first."""


@published
class Org(TypedDict):
    """Which org was asked."""

    id: str
    """The org's id, 15 or 18 characters."""
    alias: str
    """What the project file calls it, such as prod."""
    name: str
    """The organization's name."""
    instance: str
    """Salesforce's instance, such as CS42."""
    is_sandbox: bool
    """Whether it is a sandbox."""
    organization_type: str
    """The edition, in Salesforce's words."""
    api_version: str
    """The API version that was spoken."""
    username: str
    """The user that was logged in."""
    recorded: Time
    """When the recording was made that stood for the org; empty: the org itself was asked. Then nothing can be applied."""


@published
class Finding(TypedDict):
    """Something that a person must look at: drift, or a rule broken."""

    key: str
    """The finding's identity from run to run, 16 hexadecimal digits: what, where and the value, never who or when."""
    id: str
    """The id of a rule, such as TX01, or drift.changed, drift.gone, drift.replaced, drift.unmanaged, drift.desired,
    waiver.expired, waiver.unused."""
    severity: SeverityWord
    """How bad it is."""
    address: str
    """The resource: Kind/name, or Kind/name/enablements/app."""
    path: list[str]
    """The field in the resource, from the outside in; empty for the whole resource."""
    message: str
    """What is wrong, in words."""
    meaning: str
    """What it means for the clients of the app, in one sentence."""
    subject: str
    """What in the field, where a rule can be broken more than once in one: a URL, a method."""
    position: Position | None
    """Line and column inside the value, where that is source text."""
    also: list[str]
    """Addresses of other resources that the finding depends on."""
    old: Any
    """The value before; null where there was none, or where it is a secret."""
    new: Any
    """The value now; null where there is none, or where it is a secret."""
    direction: DirectionWord
    """What the change does to security."""
    attribution: Attribution | None
    """Who did it, when, and how sure that is; null where no one asked."""
    modified: Modified | None
    """Who last changed the record: perhaps elsewhere in it, see `attribution`. Null where the org does not say."""
    place: Place | None
    """Where the desired value is written; null where no file declares it."""
    mend: str
    """What to do about it."""
    counts: bool
    """Whether it counts for the exit code and the summary. Ignored, waived and deferred findings are only shown."""
    ignored: bool
    """True for a field under lifecycle.ignore."""
    waived: str
    """Who waived it, why and until when, in words; empty if no one did."""
    deferred: str
    """Id of the deployment under way that explains it; empty if none does."""
    known: bool | None
    """Whether the report given with --since had it already; null without one."""
    unmanaged: bool
    """Whether it is drift of a resource that no file declares and that belongs to nothing that one declares."""


@published
class Unchecked(TypedDict):
    """A rule that could not be judged. Never the same as being fine."""

    id: str
    """The rule's id."""
    address: str
    """The resource."""
    path: list[str]
    """The field; empty for the whole resource."""
    message: str
    """Why it could not be judged."""
    place: Place | None
    """Where the value is written."""


@published
class Values(TypedDict):
    """What happens to one resource, in Terraform's words."""

    actions: list[str]
    """["create"], ["update"], ["delete"], or ["delete", "create"] for a replacement."""
    before: Any
    """The record as the org has it, secrets as null; null if it is created."""
    after: Any
    """The whole record as it will be, secrets as null; null if it is deleted."""
    after_unknown: Any
    """True wherever only the org will say what a new record holds."""
    before_sensitive: Any
    """True wherever a secret stands in `before`; false if there is no `before`."""
    after_sensitive: Any
    """True wherever a secret stands in `after`; false if there is no `after`."""
    replace_paths: list[list[str]]
    """The fields that force a replacement."""


@published
class Resource(TypedDict):
    """One resource, in Terraform's words."""

    address: str
    """Kind/name, or Kind/name/enablements/app."""
    mode: str
    """Always "managed"."""
    type: str
    """The kind."""
    name: str
    """The address without its kind."""
    provider_name: str
    """Always the same."""
    change: Values
    """What happens to it, or has happened."""


@published
class Field(TypedDict):
    """One field that differs."""

    path: list[str]
    """Where it stands in the record, from the outside in."""
    old: Any
    """The value in the org; null where there is none, or where it is a secret."""
    new: Any
    """The value to be; null where there is none, or where it is a secret."""
    direction: DirectionWord
    """What the change does to security."""
    severity: SeverityWord
    """How much that matters."""
    conflict: bool
    """True where file and org both moved since the baseline. The file wins."""
    restores: bool
    """Only the org moved since the baseline: the change brings back what was last applied."""
    sensitive: bool
    """True where a secret was left out."""
    place: Place | None
    """Where the value is written."""


@published
class Change(Resource):
    """One resource that an apply would change."""

    action_reason: str | None
    """Why, in Terraform's words; null where it has none for it."""
    reason: str
    """Why, in ours. For people; it decides nothing."""
    fields: list[Field]
    """What differs, field by field."""
    modified: Modified | None
    """Who last changed the live record."""
    place: Place | None
    """Where the resource is declared."""
    record: str
    """What its record is called in the org."""
    step: int
    """The number of its step, from 1: a step is one deployment and lands as a whole or not at all."""


@published
class Refusal(TypedDict):
    """A reason to refuse an apply."""

    guard: str
    """The guard that refuses."""
    address: str | None
    """The resource that it is about; null for the whole plan."""
    message: str
    """Why."""
    allow: str
    """The flag that lifts it; empty if nothing does."""


@published
class Release(TypedDict):
    """Something that the files no longer manage. It stays in the org as it is."""

    address: str
    """The resource."""
    path: list[str]
    """The field; empty for the whole resource."""


@published
class Counts(TypedDict):
    """How many resources meet which fate."""

    create: int
    """Resources to be created."""
    update: int
    """Resources to be updated in place."""
    delete: int
    """Resources to be deleted."""
    replace: int
    """Resources to be deleted and created anew."""
    unchanged: int
    """Resources that already are as declared."""
    steps: int
    """Deployments that it takes."""


@published
class Output(TypedDict):
    """What every output says first."""

    format_version: str
    """Version of this format. Within a major version, keys are only added."""
    reconciler_version: str
    """Version of the program that wrote it."""
    command: str
    """The command that wrote it: plan, apply, drift, check or doctor."""
    timestamp: Time
    """When it was made."""


@published
class Judged(Output):
    """What every output says of findings."""

    findings: list[Finding]
    """Rules broken; of drift, what drifted."""
    unchecked: list[Unchecked]
    """Rules that could not be judged."""
    notes: list[str]
    """What a reader should know besides."""


@published
class UnsignedPlan(Judged):
    """A plan, all but its digest."""

    applyable: bool
    """Whether there is something to apply, and no guard refuses it."""
    complete: bool
    """Whether everything was planned for: false with --target."""
    errored: bool
    """Always false: a plan that fails is not written."""
    resource_changes: list[Change]
    """What an apply would do, in the order in which it would."""
    resource_drift: list[Resource]
    """The drift in Terraform's words: one entry a resource, holding only the fields that moved."""
    org: Org
    """The org that the plan is for."""
    drift: list[Finding]
    """What was changed behind the files' back since the last apply."""
    refusals: list[Refusal]
    """Why an apply would be refused."""
    released: list[Release]
    """What the files no longer manage."""
    adopted: list[str]
    """Addresses of resources that already are as declared and are managed from now on."""
    summary: Counts
    """The numbers."""
    targets: list[str]
    """Addresses given with --target."""
    replaced: list[str]
    """Addresses given with --replace."""
    destroy: bool
    """Whether it was made with --destroy."""
    fingerprints: dict[str, str]
    """Component -> digest of its live content, on which the plan is based."""
    payload_digest: str
    """Digest of what would be sent."""
    desired_digest: str
    """Digest of the desired files."""
    desired_files: dict[str, str]
    """Digest of each desired file and of the project file, by name."""
    record_ids: dict[str, str]
    """The org's id of each app, handler and scope that the plan touches, by address, where the org gives one."""
    undeclared_apps: int | None
    """How many apps of the org are in no file; null if that is not known."""
    baseline_serial: int
    """Serial number of the baseline on which the plan is based."""


@published
class Plan(UnsignedPlan):
    """What an apply would do. Written by plan --output json and plan --out; follows Terraform's JSON plan representation."""

    plan_digest: str
    """SHA-256 of the rest, to find accidents; it is no signature."""


@published
class Failure(TypedDict):
    """What the org said about one component of a failed deployment."""

    type: str
    """The kind, as the org names it."""
    record: str
    """The record, as the org names it."""
    address: str | None
    """Our address for it; null if there is none."""
    salesforce: str
    """The org's own words."""
    file_name: str
    """The file in the deployment that the org complains about."""
    line: int
    """The line in that file; 0 if the org does not say."""
    column: int
    """The column in that file; 0 if the org does not say."""
    place: Place | None
    """The line in our files that caused it."""


@published
class Deployment(TypedDict):
    """The org's last word on one deployment."""

    id: str
    """The id of the deployment."""
    success: bool
    """Whether it succeeded."""
    status: str
    """Its status, in Salesforce's words."""
    error: str
    """What went wrong as a whole, in Salesforce's words."""
    warnings: list[str]
    """The org's warnings."""
    failures: list[Failure]
    """What went wrong, component by component."""


@published
class Changed(TypedDict):
    """What was to happen to one resource."""

    address: str
    """The resource."""
    action: ActionWord
    """What was to happen to it."""


@published
class Step(TypedDict):
    """One deployment: all of it lands or nothing."""

    landing: LandingWord
    """What became of it."""
    changes: list[Changed]
    """What was in it."""
    deployment: Deployment | None
    """What the org said; null if it was not asked, or did not answer."""


@published
class Applied(Judged):
    """What an apply did. Written by apply --output json."""

    errored: bool
    """True if a step did not land for sure, or if something is left to change."""
    org: Org
    """The org that was changed."""
    steps: list[Step]
    """Each step as landed, not landed or unknown."""
    left: list[Change]
    """What a second plan still wants. Empty if all is well."""
    unread: str
    """Why the org could not be read back afterwards; empty if it could."""
    meanwhile: list[Finding]
    """Drift that came about while the apply was under way."""
    adopted: list[str]
    """Resources that were already as declared and are managed from now on."""
    baseline_written: bool
    """Whether the baseline is another than before."""
    drift: list[Finding]
    """What had been changed behind the files' back before."""
    seconds: float
    """How long it took."""


@published
class InFlight(TypedDict):
    """A deployment that is under way: what it changes is not drift."""

    id: str
    """The id of the deployment."""
    status: str
    """Its status, in Salesforce's words."""
    by: str
    """Username of who started it."""
    by_id: str
    """Id of that user."""
    started: Time
    """When it started; empty while it waits."""


@published
class Compared(Judged):
    """What every report of findings says in the end."""

    summary: dict[str, int]
    """Severity -> how many findings of it count. What is only shown is not in it."""
    unreadable: dict[str, str]
    """What could not be read, a resource or a kind -> why, in the org's words. It is not judged."""
    resolved: list[str]
    """What the report given with --since had, and this one has no more: address, field and message."""


@published
class Drift(Compared):
    """What changed behind the files' back. Written by drift --output json."""

    org: Org
    """The org that was compared."""
    undeclared_apps: int | None
    """How many apps of the org are in no file; null if that is not known."""
    against: str
    """What it was compared with: baseline or desired."""
    compared: int
    """How many resources were compared."""
    in_flight: list[InFlight]
    """Deployments under way."""
    resource_drift: list[Resource]
    """The findings in Terraform's words: one entry a resource, holding only the fields that moved."""


@published
class Comparison(Compared):
    """Where an org differs from another one. Written by compare --output json."""

    org: Org
    """The second of the two orgs."""
    against: str
    """The first one, by its name."""
    compared: int
    """How many resources were compared."""


@published
class Check(Compared):
    """What the rules say of the files, or of an org as it is. Written by check --output json."""

    org: Org | None
    """The org that was asked; null for files alone."""
    checked: int
    """How many resources were looked at."""


@published
class Diagnosis(TypedDict):
    """One thing that doctor looked at."""

    topic: str
    """What it is about: login, org, permissions and so on."""
    health: HealthWord
    """How it is."""
    message: str
    """What was found."""
    mend: str
    """What to do about it."""
    salesforce: str
    """Salesforce's own text, verbatim."""
    exit_code: int
    """Of a problem: the code with which plan or apply would end because of it; else 0."""


@published
class Examined(Output):
    """Whether we can work with an org. Written by doctor --output json."""

    org: Org | None
    """The org that was asked; null if it was not reached."""
    diagnoses: list[Diagnosis]
    """Everything that was looked at, in the order in which plan and apply need it."""
    exit_code: int
    """The exit code: that of the first problem, 0 without one."""


@published
class PulledFile(TypedDict):
    """One file that a pull writes."""

    name: str
    """Relative to the project folder."""
    action: str
    """create, change or remove."""


@published
class PulledRecord(TypedDict):
    """A record that no file declared before."""

    address: str
    """Its address."""
    file: str
    """The file that it stands in."""


@published
class PulledField(TypedDict):
    """One field of a file that took the org's value."""

    address: str
    """The resource's address."""
    path: list[str]
    """Field names, and keys of keyed lists."""
    old: Any
    """The value that the file had; null for nothing, and for secrets."""
    new: Any
    """The org's value."""
    file: str
    """The file."""
    direction: DirectionWord
    """What the change does to the security of the org: weakens, tightens or neutral."""
    severity: SeverityWord
    """How bad that is."""


@published
class PulledSpot(TypedDict):
    """A field of a record."""

    address: str
    """The resource's address."""
    path: list[str]
    """Field names, and keys of keyed lists."""


@published
class PulledLeft(TypedDict):
    """Something that differs and was left alone."""

    what: str
    """Address and field, or a file."""
    why: str
    """The reason."""
    mend: str
    """What to do about it; empty where nothing helps."""


@published
class PulledOmitted(TypedDict):
    """A field of a record that no file can hold."""

    address: str
    """The resource's address."""
    path: list[str]
    """The field."""
    why: str
    """The reason."""


@published
class PulledVariable(TypedDict):
    """A variable of the org in the project file."""

    name: str
    """Its name."""
    value: str
    """Its value."""


@published
class Pulled(Output):
    """What a pull took from the org into the files. Written by pull --output json."""

    org: Org
    """The org that was read."""
    written: bool
    """False where --check only asked what would be done."""
    files: list[PulledFile]
    """The files that were written."""
    taken: list[PulledRecord]
    """Records that no file declared before."""
    fields: list[PulledField]
    """Fields of declared records that took the org's value."""
    gone: list[str]
    """Addresses of records that were taken out of the files, since the org has them no more."""
    accepted: list[PulledSpot]
    """Drift that was taken into the baseline alone: no file has to say it."""
    left: list[PulledLeft]
    """What differs and was left alone."""
    omitted: list[PulledOmitted]
    """What of the records no file can hold."""
    variables: list[PulledVariable]
    """Variables of the org that are new, or have another value."""
    unreadable: dict[str, str]
    """What of the org could not be read, and is in no file for that: the org's reason, by kind or address."""
    adopted: int
    """How many records are managed since then, and were not before."""


@published
class VerifiedCall(TypedDict):
    """One call that had to succeed or to fail."""

    id: str
    """Its name in the app, the same in every run: token_exchange.PartnerIdp."""
    flow: str
    """The OAuth flow: token exchange, refresh, client credentials, JWT bearer, web server."""
    what: str
    """What was asked, in words."""
    promise: PromiseWord
    """What has to become of it."""
    because: str
    """What in the files promises that."""
    standing: StandingWord
    """Whether it did. `waiting`: the org said invalid_client_id, and may not know yet what was deployed."""
    sent: bool
    """Whether the call was made."""
    message: str
    """What happened; why it was not run."""
    mend: str
    """What to do about it."""
    error: str
    """The error that the org refused it with; empty if it did not."""
    salesforce: str
    """The org's own words about that, verbatim."""
    address: str
    """The resource that promises it."""
    path: list[str]
    """The field; empty for the whole resource."""
    place: Place | None
    """Where that is declared; null where no file declares it."""


@published
class VerifiedApp(TypedDict):
    """An app, and the calls that were made for it."""

    address: str
    """The app."""
    calls: list[VerifiedCall]
    """In the order in which they were made."""


@published
class VerifiedCounts(TypedDict):
    """How many calls ended how."""

    as_promised: int
    """Calls that did what the files promise."""
    broken: int
    """Calls that did not."""
    waiting: int
    """Calls refused with invalid_client_id until there was no more time to wait."""
    not_run: int
    """Calls that were not made, or that proved nothing."""


@published
class Verified(Judged):
    """What an org did, and whether that is what the files promise. Written by verify --output json."""

    errored: bool
    """True if a promise is broken; with --strict, also if a promised call was not run."""
    org: Org
    """The org that was asked."""
    apps: list[VerifiedApp]
    """What was run, app by app."""
    summary: VerifiedCounts
    """The numbers."""
    strict: bool
    """Whether it was run with --strict."""
    seconds: float
    """How long it took."""


@published
class Complaint(TypedDict):
    """One thing that is wrong."""

    message: str
    """What is wrong."""
    place: Place | None
    """Where it is wrong."""
    also: Place | None
    """A second place, where the same thing is written twice."""
    mend: str
    """What to do about it."""
    salesforce: str
    """Salesforce's own text, verbatim."""


@published
class Stopped(TypedDict):
    """What stopped a command, in place of what it would have written. Written by --output json."""

    format_version: str
    """Version of this format. Within a major version, keys are only added."""
    errored: bool
    """Always true."""
    exit_code: int
    """The exit code; `reconciler explain` knows them."""
    error: str
    """The sort of error."""
    complaints: list[Complaint]
    """All that is wrong."""
