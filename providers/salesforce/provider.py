"""The provider for a Salesforce org, and for a mock org that speaks as one: two verbs, read and deploy."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from providers.salesforce.files.archive import write_zip
from providers.salesforce.files.certificates import Certificates
from providers.salesforce.files.package import build, digest, file_count, manifest_type, record_name, source_field
from providers.salesforce.files.packing import Limits, parts, split
from providers.salesforce.login import Credentials
from providers.salesforce.questions.doctor import NEEDED, checkup, lacking, permissions
from providers.salesforce.questions.facts import facts
from providers.salesforce.questions.history import history
from providers.salesforce.questions.token_endpoint import Flows
from providers.salesforce.questions.unanswered import Fit
from providers.salesforce.reading import Reading, members
from providers.salesforce.results import deployed, is_ended, is_locked
from providers.salesforce.wire import soap
from providers.salesforce.wire.metadata_api import (
    QUERIES_PER_LISTING,
    AnswerLostError,
    DeployRefusedError,
    Job,
    MetadataApi,
    TooManyFilesError,
    Way,
)
from providers.salesforce.wire.polling import Patience
from providers.salesforce.wire.refusals import UnknownJobError, noting
from providers.salesforce.wire.rest import Rest
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import Complaint, InputError, ReconcilerError, UnreachableError
from reconciler.kinds import all_kinds, satellites
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.checkup import Checkup
from reconciler.model.deployment import Deployed, Sent
from reconciler.model.facts import Deployment, Facts, History
from reconciler.model.live import LiveState, OrgInfo
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.provider import Progress, Secrets
from reconciler.schema.kind import Kind

NEWEST_API_VERSION = 66.0
"""The newest version that our kinds know."""
_ORG = "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType FROM Organization"
_LOOK = 10.0
"""Seconds, to find a deployment that is to be cancelled: somebody is waiting."""
_OPTIONS = frozenset({"testLevel", "tests"})


class SalesforceProvider:
    """One org. Nothing is sent before the first verb."""

    def __init__(
        self,
        session: OrgSession,
        credentials: Credentials,
        *,
        api_version: str = "",
        way: Way = Way.AUTO,
        patience: Patience | None = None,
        limits: Limits | None = None,
        tell: Progress | None = None,
        alias: str = "",
    ) -> None:
        patience = patience or Patience()
        if tell is not None:
            patience = replace(patience, tell=tell)
        self._session, self._credentials, self._patience = session, credentials, patience
        self._rest = Rest(session, credentials, patience, lambda: self._version)
        self._api = MetadataApi(session, credentials, self._rest, patience, way)
        self._pinned, self._alias = api_version, alias
        self._limits = limits or Limits()
        self._certificates = Certificates(self._listed_certificates)
        self._flows = Flows(session, self._rest, patience)

    def org(self) -> OrgInfo:
        """Which org this is, from the org itself; asked once. Raises NotAllowedError, UnreachableError."""
        return self._org

    @cached_property
    def _org(self) -> OrgInfo:
        version = self._version
        found = self._rest.query(_ORG)
        if len(found) != 1:
            raise UnreachableError(Complaint(f"{self._api.host} does not say which org it is"))
        row = found[0]
        return OrgInfo(
            id=str(row.get("Id") or ""),
            name=str(row.get("Name") or ""),
            instance=str(row.get("InstanceName") or ""),
            is_sandbox=row.get("IsSandbox") is True,
            organization_type=str(row.get("OrganizationType") or ""),
            api_version=version,
            alias=self._alias,
        )

    @cached_property
    def _version(self) -> str:
        """The pinned API version, or the newest that both the org and our kinds know."""
        return self._pinned or self._newest()

    def _newest(self) -> str:
        offered = [v for v in self._rest.versions() if v.replace(".", "", 1).isdigit()]
        known = [version for version in offered if float(version) <= NEWEST_API_VERSION]
        if not known:
            raise ReconcilerError(
                Complaint(
                    f"{self._api.host} offers no API version that we know (up to {NEWEST_API_VERSION})",
                    mend="pin api_version in the project file",
                )
            )
        return max(known, key=float)

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Everything of all kinds, in one retrieve as long as the org has fewer than 10,000 files.

        Raises NotAllowedError, UnreachableError. A kind that cannot be read is named in `unreadable`.
        """
        org, reading = self.org(), Reading()
        kinds = [kind for kind in all_kinds().values() if kind.since <= float(org.api_version)]
        for name, kind in all_kinds().items():
            if kind not in kinds:
                reading.cannot(name, f"API version {org.api_version} does not have it; it begins with {kind.since:.1f}")
        progress(f"retrieving {len(kinds)} kinds")
        try:
            reading.take(self._api.retrieve(members(kinds, classes)), kinds)
        except TooManyFilesError:
            self._read_in_parts(reading, kinds, classes, progress)
        more = reading.handler_classes() - set(classes)
        if more:
            progress("retrieving the classes of the handlers")
            sources = [kind for kind in kinds if source_field(kind)]
            reading.take(self._api.retrieve(members(sources, sorted(more))), sources)
        return self._with_names(reading.state(org))

    def _with_names(self, state: LiveState) -> LiveState:
        named = {
            address: replace(one, body=body)
            for address, one in state.resources.items()
            if not address.part and (body := self._certificates.named(address.schema, one.body)) is not one.body
        }
        return replace(state, resources={**state.resources, **named}) if named else state

    def _listed_certificates(self) -> Mapping[str, str]:
        return {one.full_name: one.id for one in self._api.listing(["Certificate"])}

    def _identified(self, components: Sequence[Component]) -> list[Component]:
        return [
            one if one.body is None else replace(one, body=self._certificates.identified(one.kind, one.body))
            for one in components
        ]

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        """What the org has now of these components, fetched by name. Raises NotAllowedError, UnreachableError."""
        org, reading = self.org(), Reading()
        wanted = {(record_name(c), manifest_type(c.kind), file_count(c.kind)) for c in components}
        kinds = list(dict.fromkeys(component.kind for component in components))
        for app in (c.address.name for c in components if c.address.kind == "ExternalClientApplication"):
            oauth = next((c.record for c in components if c.address == Address("ExtlClntAppOauthSettings", app)), "")
            for kind in (kind for kind in satellites().values() if kind.policy):
                # Policies come into being with their app, asked for or not.
                wanted.add((kind.record.format(app=app, oauth=oauth or f"{app}_oauth"), manifest_type(kind), 1))
                kinds += [kind] if kind not in kinds else []
        progress("reading back what was deployed")
        for part in parts(sorted(wanted), self._limits.retrieved_files):
            reading.take(self._api.retrieve(part), kinds)
        return self._with_names(reading.state(org))

    def _read_in_parts(
        self, reading: Reading, kinds: Sequence[type[Kind]], classes: Sequence[str], progress: Progress
    ) -> None:
        """List everything, then fetch it by name, in as many retrieves as the limit asks for."""
        known = [kind for kind in kinds if kind.singleton or source_field(kind)]
        listed = [kind for kind in kinds if kind not in known]
        progress(f"listing {len(listed)} kinds")
        wanted = [(name, type_, 1) for type_, name in self._names(reading, listed)]
        for kind in known:
            wanted += [
                (name, type_, file_count(kind)) for type_, names in members([kind], classes).items() for name in names
            ]
        retrieves = list(parts(sorted(wanted), self._limits.retrieved_files))
        for number, part in enumerate(retrieves, 1):
            progress(f"retrieving part {number} of {len(retrieves)}")
            reading.take(self._api.retrieve(part), [kind for kind in kinds if manifest_type(kind) in part])

    def _names(self, reading: Reading, kinds: Sequence[type[Kind]]) -> Iterator[tuple[str, str]]:
        """Type and name of every record, except what a package installed: `*` leaves that out too."""
        failed: ReconcilerError | None = None
        heard = 0
        for at in range(0, len(kinds), QUERIES_PER_LISTING):
            # One kind that cannot be listed fails the whole call, so then each is asked for alone.
            group = [kind.__name__ for kind in kinds[at : at + QUERIES_PER_LISTING]]
            for types in (group, *([name] for name in group if len(group) > 1)):
                try:
                    found = self._api.listing(types)
                except UnreachableError:
                    raise
                except ReconcilerError as wrong:
                    failed = wrong
                    if len(types) == 1:
                        reading.cannot(types[0], wrong.complaints[0].quote or str(wrong))
                    continue
                heard += len(types)
                yield from ((one.type, one.full_name) for one in found if not one.installed)
                if types == group:
                    break
        if failed is not None and not heard:
            raise failed

    def payload(self, components: Sequence[Component]) -> str:
        """The digest of what `deploy` would send, secrets counted as their references."""
        return digest(build(self._identified(components), self._version))

    def deploy(
        self,
        components: Sequence[Component],
        progress: Progress,
        *,
        check_only: bool,
        secrets: Secrets,
        options: Mapping[str, object],
        started: Callable[[Sent | None], None],
        last_look: Callable[[], None] = lambda: None,
    ) -> Deployed:
        """Deploy the components in one transaction and wait for the org's last word.

        What takes time is done before `last_look`, so that the deployment follows it at once. `options` may hold
        `testLevel` and `tests`; they are sent where the deployment holds Apex, because elsewhere they would only cost time.
        Raises UnreachableError when the answer to the deploy call was lost and the org does not list the deployment either.
        """
        unknown = sorted(options.keys() - _OPTIONS)
        if unknown:
            raise InputError(f"{unknown[0]} is not an option of a deployment; there are {', '.join(sorted(_OPTIONS))}")
        package = write_zip(build(self._identified(components), self._version, secrets))
        asked: dict[str, soap.Parameter] = {
            "allowMissingFiles": False,
            "autoUpdatePackage": False,
            "checkOnly": check_only,
            "ignoreWarnings": False,
            "performRetrieve": False,
            "purgeOnDelete": False,
            "rollbackOnError": True,
            "singlePackage": True,
        }
        if any(source_field(component.kind) for component in components):
            asked |= _tests(options)
        number = f"{len(components)} component{'' if len(components) == 1 else 's'}"
        progress(f"{'checking' if check_only else 'deploying'} {number}")
        names = [(component.address.kind, record_name(component)) for component in components]
        for sending in range(self._patience.sendings):
            try:
                sent = self._looked(names, progress, last_look, check_only=check_only)
            except BaseException:
                if sending:
                    # Nothing was done the time before, and nothing will be.
                    started(None)
                raise
            done = self._sent(package, asked, sent, len(names), progress, started)
            if sending + 1 == self._patience.sendings or not is_locked(done):
                break
            pause = self._patience.jittered(self._patience.locked * 2**sending)
            progress(f"somebody else is changing the same records, nothing was done; once more in {pause:.0f} s")
            self._patience.pause(pause)
        return replace(done, why=done.why or _advice(done))

    def _looked(
        self, names: Sequence[tuple[str, str]], progress: Progress, last_look: Callable[[], None], *, check_only: bool
    ) -> Sent:
        sent = self._api.about_to_send(names, check_only=check_only, tell=progress)
        last_look()
        return sent

    def _sent(
        self,
        package: bytes,
        options: Mapping[str, soap.Parameter],
        sent: Sent,
        components: int,
        progress: Progress,
        started: Callable[[Sent | None], None],
    ) -> Deployed:
        started(sent)
        try:
            job = self._api.start_deploy(package, options)
        except DeployRefusedError as refused:
            started(None)
            return Deployed("", success=False, status=refused.status, error=str(refused), why=refused.why)
        except AnswerLostError as lost:
            done = self._found(sent, lost.why, progress)
            started(replace(sent, id=done.id))
            return done
        started(replace(sent, id=job.id))
        return deployed(job.id, self._api.result_of(job, progress, components=components))

    def _found(self, sent: Sent, why: UnreachableError, progress: Progress) -> Deployed:
        """The deployment whose answer was lost. Raises UnreachableError if the org does not tell for sure."""
        progress("the answer to the deployment was lost")
        try:
            found = self._api.search(sent, progress, self._patience.search)
        except UnreachableError:
            raise
        except ReconcilerError as hidden:
            raise _lost(why, f"the org does not show its deployments ({hidden})") from None
        done = [deployed(job, result) for job, result in found.items()]
        if not done:
            raise _lost(why, f"the org listed no such deployment within {self._patience.search:.0f} seconds")
        if len({one.landing for one in done}) > 1:
            raise _lost(why, f"it may be any of {', '.join(one.id for one in done)}")
        return done[0]

    def ended(self, sent: Sent, progress: Progress, *, wait: float = 0.0) -> Sequence[Deployed]:
        """What became of a deployment that another run sent; empty if the org does not know it."""
        if not sent.id:
            found = self._api.search(sent, progress, wait)
            return [deployed(job, result) for job, result in found.items()]
        try:
            result = self._api.result_of(Job(sent.id), progress, components=len(sent.components))
        except UnknownJobError:
            return []
        return [deployed(sent.id, result)]

    def cancel(self, sent: Sent, progress: Progress) -> Deployed:
        """Stop a deployment, and wait a little for its last word. Raises UnreachableError if there is none."""
        job = Job(sent.id or self._running(sent, progress))
        progress(f"cancelling deployment {job.id}")
        try:
            self._api.cancel(job)
        except UnreachableError:
            raise
        except ReconcilerError:
            progress(f"deployment {job.id} cannot be cancelled any more")
        patience, components = self._patience.cancel, len(sent.components)
        return deployed(job.id, self._api.result_of(job, progress, components=components, most=patience))

    def _running(self, sent: Sent, progress: Progress) -> str:
        """The id of a deployment that was sent and never got one. Only one that is likely ours may be stopped."""
        progress("looking for the deployment that was sent last")
        found: dict[str, tuple[Fit, dict[str, Any]]] = {}
        try:
            for _ in self._patience.looks(_LOOK):
                found = self._api.candidates(sent, set())
                likely = [job for job, (how, _) in found.items() if how >= Fit.LIKELY]
                if len(likely) == 1:
                    return likely[0]
        except UnreachableError:
            raise
        except ReconcilerError as hidden:
            raise UnreachableError(*hidden.complaints) from None
        if len(found) == 1 and all(is_ended(status) for _, status in found.values()):
            # It ended before it had a look at its components, and nothing is stopped by asking for its end.
            return next(iter(found))
        raise UnreachableError(Complaint("the org does not list the deployment that was sent last"))

    def facts(self, users: Collection[str], progress: Progress, *, secrets: Collection[str] = ()) -> Facts:
        """What rules ask: the users of these names, permission sets, profiles, and the apps' secrets' ages if asked for."""
        return facts(self._rest, users, progress, secrets)

    def history(self, since: str, progress: Progress, *, enablements: bool, exact: bool = False) -> History:
        """Who did what since a date. What the login may not read is named in `unknown`."""
        return history(self._rest, self._api.listing, since, progress, enablements=enablements, exact=exact)

    def others(self, progress: Progress) -> Sequence[Deployment]:
        """Wait for the deployments of others that may change the org; those that still are under way after that."""
        return self._api.others(progress)

    def may_deploy(self) -> str | None:
        """What our user lacks to deploy, in words; `None` if nothing, or if the org does not tell. One query."""
        found: dict[str, bool] = {}
        with noting({}, "permissions"):
            found = permissions(self._rest, NEEDED)
        return lacking(found)

    def checkup(self, progress: Progress) -> Checkup:
        """Everything that the org tells about whether we can work with it. Changes nothing."""
        offered = self._rest.versions()
        if self._pinned and self._pinned not in offered:
            raise ReconcilerError(
                Complaint(
                    f"api_version is pinned to {self._pinned}, which {self._api.host} does not offer",
                    mend=f"remove it, or write one of {', '.join(offered)}",
                )
            )
        return checkup(
            self._session,
            self._credentials,
            self._rest,
            lambda: self.read([], progress),
            self._api.listing,
            self.org(),
            offered,
            progress,
        )

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        """What the org's token endpoint answers to a client that sends this. Raises UnreachableError."""
        return self._flows.ask_token(form)

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        """What the org's authorize endpoint answers to somebody who has not logged in. Raises UnreachableError."""
        return self._flows.authorize(params)

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        """What the org tells a client about an access token; nothing counts as the error `inactive`."""
        return self._flows.introspect(tokens, client)

    def revoke(self, tokens: Tokens) -> bool:
        """Give tokens back that `ask_token` brought; false if the org may keep one of them."""
        return self._flows.revoke(tokens)

    def split(self, groups: Sequence[Sequence[Component]]) -> list[list[Component]]:
        """Pack groups of related components into deployments within the org's limits, groups kept whole, in order."""
        return split(groups, self._limits)


def _advice(done: Deployed) -> tuple[Complaint, ...]:
    """What we say of a deployment that came to nothing through nobody's fault."""
    if is_locked(done):
        return (Complaint("somebody else kept changing the same records", mend="apply again when nobody else deploys"),)
    if done.status == "Canceled":
        message = "it was cancelled: Setup, Deployment Status says by whom"
        return (Complaint(message, mend="apply again", quote=done.error),)
    return ()


def _lost(why: UnreachableError, reason: str) -> UnreachableError:
    first, *others = why.complaints
    message = f"{first.message}; {reason}: it may still come"
    mend = "apply again: it looks for the deployment before it does anything else"
    return UnreachableError(replace(first, message=message, mend=mend), *others)


def _tests(options: Mapping[str, object]) -> dict[str, soap.Parameter]:
    level, tests = options.get("testLevel"), options.get("tests")
    found: dict[str, soap.Parameter] = {"testLevel": str(level)} if level else {}
    if isinstance(tests, Sequence) and not isinstance(tests, str) and tests:
        found["runTests"] = [str(name) for name in tests]
        found.setdefault("testLevel", "RunSpecifiedTests")
    return found
