"""Reads an org as a whole, so that what is asked does not depend on the desired files: for recordings and their replays.

A run asks for what its files need: the classes and users that they name, what happened since their baseline. A replay
with other files would then ask what was never recorded. So a recorded run asks everyone and everything once, when it
reads the org, and answers the engine from that; its replay asks the very same, of the recording:

- all kinds, with the classes of the handlers that the org has; that never depended on files;
- the names of all Apex classes, by one listing: they prove that a class is not there;
- the classes that files and baseline spoke of at the time. The recording names them, and its replay asks for the same.
  Another class that the org does have counts as not readable: record again;
- all users (the first ten thousand, by name), all permission sets, everyone who is API-only by assignment;
- certificates; the whole audit trail and all deployments that an answer brings, cut to the time that was asked for here.

The alternative, answering any query from recorded tables, would be a second mock org, and no strict one.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from providers.salesforce.files.package import manifest_type, source_field
from providers.salesforce.files.packing import parts
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.questions.facts import MOST_USERS, facts
from providers.salesforce.questions.history import MARGIN, MOST_ROWS, history
from providers.salesforce.reading import Reading
from providers.salesforce.recordings.file import Head
from providers.salesforce.recordings.marks import pieces
from providers.salesforce.recordings.recorder import Recording
from providers.salesforce.recordings.scrubbing import EMAILS
from reconciler.errors import Complaint, ReconcilerError, RefusedError, UnreachableError
from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed, Sent
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.facts import NOT_ASKED, AuditEntry, Deployment, Facts, History, moment
from reconciler.model.live import NOT_RECORDED, LiveResource, LiveState, OrgInfo
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.provider import Progress
from reconciler.schema.values import Path

CODE = "ApexClass"


class WholeOrg:
    """One org that is being recorded (`recording`), or a recording of one (`head`)."""

    def __init__(
        self, inner: SalesforceProvider, *, recording: Recording | None = None, head: Head | None = None
    ) -> None:
        self._inner, self.calls = inner, inner.calls
        self._recording, self._head = recording, head
        self._everybody = Facts()
        self._everything = History()

    def org(self) -> OrgInfo:
        """Which org this is, or was recorded; then with the time of the recording."""
        org = self._inner.org()
        return replace(org, recorded=self._head.recorded_at) if self._head is not None else org

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Everything, and besides what rules and histories will ask for."""
        live = self._inner.read((), progress)
        here = {address.name for address in live.resources if address.kind == CODE}
        asked = self._head.classes if self._head is not None else tuple(sorted(set(classes) - here))
        found = self._sources(asked, progress)
        listed = self._listed_classes(progress)
        self._look_at_certificates()
        self._everybody = facts(self.calls.rest, None, progress)
        self._everything = history(self.calls.rest, self.calls.api.listing, "", progress, enablements=True)
        if self._recording is not None:
            self._recording.classes, self._recording.whole = asked, True
        wanted = {name.casefold() for name in classes}
        resources = {**live.resources, **{a: one for a, one in found.resources.items() if a.name.casefold() in wanted}}
        unreadable = {**live.unreadable, **found.unreadable}
        for name in set(classes) - here - set(asked):
            if listed is None or name.casefold() in listed:
                unreadable.setdefault(str(Address(CODE, name)), NOT_RECORDED)
        scrubbed = {a: paths for a, one in resources.items() if (paths := _scrubbed(one))} if self._head else {}
        return replace(live, org=self.org(), resources=resources, unreadable=unreadable, scrubbed=scrubbed)

    def _sources(self, names: Sequence[str], progress: Progress) -> LiveState:
        """Classes by name. Those that the org does not have are absent, as in any other retrieve."""
        reading = Reading()
        for kind in (kind for kind in all_kinds().values() if source_field(kind) and names):
            progress(f"retrieving {len(names)} more classes")
            for part in parts([(name, manifest_type(kind), 2) for name in names], self.calls.limits.retrieved_files):
                reading.take(self.calls.api.retrieve(part), [kind])
        return reading.state(self.org())

    def _listed_classes(self, progress: Progress) -> Collection[str] | None:
        """The names of all classes, in small letters; `None` where the login may not list them."""
        progress("listing Apex classes")
        try:
            return {one.full_name.casefold() for one in self.calls.api.listing([CODE])}
        except (UnreachableError, RefusedError):
            raise
        except ReconcilerError:
            return None

    def _look_at_certificates(self) -> None:
        """Ask for certificates whether or not a record holds one now, since a file may. A refusal is reported where
        they are needed."""
        try:
            self.calls.listed_certificates()
        except (UnreachableError, RefusedError):
            raise
        except ReconcilerError:
            return

    def facts(self, users: Collection[str], progress: Progress, *, secrets: Collection[str] = ()) -> Facts:
        """What rules ask, about these users, from what was read."""
        known = self._everybody
        wanted = {name.casefold() for name in users}
        people = {name: user for name, user in known.users.items() if name in wanted}
        unknown = dict(known.unknown)
        if len(known.users) >= MOST_USERS and wanted - people.keys():
            unknown["users"] = f"only the first {MOST_USERS:,} users were recorded"
        if self._head is not None and EMAILS in self._head.scrub:
            why = "usernames were scrubbed from the recording"
            people, unknown = {}, {**unknown, "users": why, "api_only": why}
        ages: Mapping[str, str] = {}
        if secrets and self._head is not None and not self._head.secret_ages:
            unknown["secrets"] = "the recording was made without --secret-ages"
        elif secrets:
            found = facts(self.calls.rest, (), progress, secrets)
            ages = found.secrets
            unknown = {topic: why for topic, why in unknown.items() if topic != "secrets"}
            unknown |= {topic: why for topic, why in found.unknown.items() if topic == "secrets"}
            if self._recording is not None:
                self._recording.secret_ages = True
        else:
            unknown["secrets"] = NOT_ASKED
        return Facts(people, known.permission_sets, known.profiles, ages, unknown)

    def history(self, since: str, progress: Progress, *, enablements: bool, exact: bool = False) -> History:
        """What happened since a date, of all that was read."""
        known, begin = self._everything, moment(since)
        unknown = {topic: why for topic, why in known.unknown.items() if enablements or topic != "enablements"}
        if begin is None:
            return replace(known, unknown=unknown, enablements=known.enablements if enablements else {})
        begin = (begin if exact else begin - MARGIN).replace(microsecond=0)

        def later(text: str) -> bool:
            when = moment(text)
            return when is None or when >= begin

        entries: tuple[AuditEntry, ...] = tuple(one for one in known.entries if later(one.date))
        deployments: tuple[Deployment, ...] = tuple(
            one for one in known.deployments if not one.completed or later(one.completed)
        )
        if len(known.entries) >= MOST_ROWS and len(entries) < len(known.entries):
            # Cut off, but further back than anyone asks.
            unknown.pop("audit", None)
        return History(entries, deployments, known.enablements if enablements else {}, unknown)

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        self._refuse_change()
        return self._inner.read_records(components, progress)

    def deploy(self, components: Sequence[Component], progress: Progress, **options: Any) -> Deployed:
        """Deploy to the org that is being recorded. Raises RefusedError for a replay: there is no org."""
        self._refuse_change()
        return self._inner.deploy(components, progress, **options)

    def payload(self, components: Sequence[Component]) -> str:
        """The digest of what `deploy` would send."""
        return self._inner.payload(components)

    def ended(self, sent: Sent, progress: Progress, *, wait: float = 0.0) -> Sequence[Deployed]:
        """What became of a deployment that another run sent."""
        return self._inner.ended(sent, progress, wait=wait)

    def cancel(self, sent: Sent, progress: Progress) -> Deployed:
        """Stop a deployment."""
        return self._inner.cancel(sent, progress)

    def split(self, groups: Sequence[Sequence[Component]]) -> list[list[Component]]:
        """Pack groups of related components into deployments."""
        return self._inner.split(groups)

    def others(self, progress: Progress) -> Sequence[Deployment]:
        """Deployments of others that are still under way."""
        return self._inner.others(progress)

    def may_deploy(self) -> str | None:
        """What the login lacks to deploy."""
        return self._inner.may_deploy()

    def doctor_answers(self, progress: Progress) -> DoctorAnswers:
        """Everything that the org tells about whether we can work with it."""
        return self._inner.doctor_answers(progress)

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        """What the org's token endpoint answers."""
        return self._inner.ask_token(form)

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        """What the org's authorize endpoint answers."""
        return self._inner.authorize(params)

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        """What the org tells a client about an access token."""
        return self._inner.introspect(tokens, client)

    def revoke(self, tokens: Tokens) -> bool:
        """Give tokens back."""
        return self._inner.revoke(tokens)

    def _refuse_change(self) -> None:
        if self._head is not None:
            raise RefusedError(Complaint("this is a replay: no org is asked, and none can be changed"))


def _scrubbed(one: LiveResource) -> Mapping[Path, tuple[str, ...]]:
    """The fields of a record that the recording does not tell as a whole -> what is left of their texts.

    What is left counts: a word that looks like a secret must not hide what someone wrote around it.
    """
    found: dict[Path, tuple[str, ...]] = {}
    _look(one.body, (), found.__setitem__)
    return found


def _look(body: Mapping[str, Any], path: Path, note: Callable[[Path, tuple[str, ...]], None]) -> None:
    for name, value in body.items():
        match value:
            case dict():
                _look(value, (*path, name), note)
            case str() if left := pieces(value):
                note((*path, name), left)
            case list() if left := pieces("\n".join(_texts(value))):
                # Of a list of structures no one can say which text belongs to which.
                note((*path, name), left if all(isinstance(item, str) for item in value) else ("", ""))


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
    return []
