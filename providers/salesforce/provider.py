"""The provider for a Salesforce org, and for a mock org that speaks as one: its parts, each for what it is asked."""

from collections.abc import Callable, Collection, Mapping, Sequence

from providers.salesforce.calls import Calls
from providers.salesforce.deployments import Deployments
from providers.salesforce.files.packing import split
from providers.salesforce.questions.doctor import NEEDED, doctor_answers, lacking, permissions
from providers.salesforce.questions.facts import facts
from providers.salesforce.questions.history import history
from providers.salesforce.questions.token_endpoint import Flows
from providers.salesforce.records import RecordReader
from providers.salesforce.wire.refusals import noting
from reconciler.errors import Complaint, ReconcilerError
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed, Sent
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.facts import Deployment, Facts, History
from reconciler.model.live import LiveState, OrgInfo
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.provider import Progress, Secrets


class SalesforceProvider:
    """One org. Nothing is sent before the first question."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self._records, self._deployments = RecordReader(calls), Deployments(calls)
        self._tokens = Flows(calls.session, calls.rest, calls.patience)

    # -- records ------------------------------------------------------------------------------------------------------

    def org(self) -> OrgInfo:
        """Which org this is, from the org itself; asked once. Raises NotAllowedError, UnreachableError."""
        return self.calls.org

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Everything of all kinds, in one retrieve as long as the org has fewer than 10,000 files."""
        return self._records.read(classes, progress)

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        """What the org has now of these components, fetched by name."""
        return self._records.read_records(components, progress)

    def payload(self, components: Sequence[Component]) -> str:
        """The digest of what `deploy` would send, secrets counted as their references."""
        return self._deployments.payload(components)

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
        """Deploy the components in one transaction and wait for the org's last word."""
        return self._deployments.deploy(
            components,
            progress,
            check_only=check_only,
            secrets=secrets,
            options=options,
            started=started,
            last_look=last_look,
        )

    def ended(self, sent: Sent, progress: Progress, *, wait: float = 0.0) -> Sequence[Deployed]:
        """What became of a deployment that another run sent; empty if the org does not know it."""
        return self._deployments.ended(sent, progress, wait=wait)

    def cancel(self, sent: Sent, progress: Progress) -> Deployed:
        """Stop a deployment, and wait a little for its last word. Raises UnreachableError if there is none."""
        return self._deployments.cancel(sent, progress)

    def split(self, groups: Sequence[Sequence[Component]]) -> list[list[Component]]:
        """Pack groups of related components into deployments within the org's limits, groups kept whole, in order."""
        return split(groups, self.calls.limits)

    # -- the witness --------------------------------------------------------------------------------------------------

    def facts(self, users: Collection[str], progress: Progress, *, secrets: Collection[str] = ()) -> Facts:
        """What rules ask: the users of these names, permission sets, profiles, and the apps' secrets' ages if asked for."""
        return facts(self.calls.rest, users, progress, secrets)

    def history(self, since: str, progress: Progress, *, enablements: bool, exact: bool = False) -> History:
        """Who did what since a date. What the login may not read is named in `unknown`."""
        return history(self.calls.rest, self.calls.api.listing, since, progress, enablements=enablements, exact=exact)

    def others(self, progress: Progress) -> Sequence[Deployment]:
        """Wait for the deployments of others that may change the org; those that still are under way after that."""
        return self.calls.api.others(progress)

    def may_deploy(self) -> str | None:
        """What our user lacks to deploy, in words; `None` if nothing, or if the org does not tell. One query."""
        found: dict[str, bool] = {}
        with noting({}, "permissions"):
            found = permissions(self.calls.rest, NEEDED)
        return lacking(found)

    def doctor_answers(self, progress: Progress) -> DoctorAnswers:
        """Everything that the org tells about whether we can work with it. Changes nothing."""
        offered = self.calls.rest.versions()
        if self.calls.pinned and self.calls.pinned not in offered:
            raise ReconcilerError(
                Complaint(
                    f"api_version is pinned to {self.calls.pinned}, which {self.calls.api.host} does not offer",
                    mend=f"remove it, or write one of {', '.join(offered)}",
                )
            )
        return doctor_answers(
            self.calls.session,
            self.calls.credentials,
            self.calls.rest,
            lambda: self.read([], progress),
            self.calls.api.listing,
            self.org(),
            offered,
            progress,
        )

    # -- the token endpoint -------------------------------------------------------------------------------------------

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        """What the org's token endpoint answers to a client that sends this. Raises UnreachableError."""
        return self._tokens.ask_token(form)

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        """What the org's authorize endpoint answers without a login. Raises UnreachableError."""
        return self._tokens.authorize(params)

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        """What the org tells a client about an access token; nothing counts as the error `inactive`."""
        return self._tokens.introspect(tokens, client)

    def revoke(self, tokens: Tokens) -> bool:
        """Give tokens back that `ask_token` brought; false if the org may keep one of them."""
        return self._tokens.revoke(tokens)
