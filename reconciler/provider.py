"""What the engine needs of an org: its records, what it knows of users and changes, and its token endpoint.

`providers/` implements it. `tests/provider/` is the conformance suite: what stands in these docstrings, asked of any provider.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed, Sent
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.facts import Deployment, Facts, History
from reconciler.model.live import LiveState, OrgInfo
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.schema.values import SecretRef

Progress = Callable[[str], None]
"""Called with the name of each stage as it begins, e.g. `retrieving 12 kinds`, `deploying (3 of 40 components)`; and an empty
text while someone is being asked."""

Secrets = Callable[[SecretRef], str]
"""Finds the value behind a reference, at the last moment before the wire."""


class Records(Protocol):
    """The records of an org: read, compared, deployed, each deployment in one transaction."""

    def org(self) -> OrgInfo:
        """Which org this is, from the org itself. Raises NotAllowedError, UnreachableError."""
        ...

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Read everything of all kinds that the login may see; of Apex classes those named in `classes`, and those of the
        handlers that were found. Satellites are addressed by their app; handlers come apart from their enablements.
        """
        ...

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        """Read what the org has now of these components, enablements included, and of nothing else."""
        ...

    def payload(self, components: Sequence[Component]) -> str:
        """Return the digest of what `deploy` would send for these components, with references in place of secrets."""
        ...

    def deploy(
        self,
        components: Sequence[Component],
        progress: Progress,
        *,
        check_only: bool,
        secrets: Secrets,
        options: Mapping[str, object],
        started: Callable[[Sent | None], None],
        last_look: Callable[[], None] = ...,
    ) -> Deployed:
        """Deploy the components in one transaction and wait for the org's last word. The call is sent again only where
        the org said that it did nothing (locked records), never where the org may have taken it.

        Before it is sent, deployments of others that are under way are waited for: raises RefusedError if they do not
        end. Then `last_look` is called, each time: what it raises stops it, and nothing else comes between it and sending.

        `started` is called with how the deployment can be found again: just before it is sent, once its id is known, `None` if
        the org did not take it, and the same again if it is sent again. Before the first of these, nothing has been
        sent. Raises UnreachableError when
        the answer to the deploy call was lost and the org does not list the deployment: then it is not known whether
        the org took it.
        """
        ...

    def ended(self, sent: Sent, progress: Progress, *, wait: float = 0.0) -> Sequence[Deployed]:
        """Wait for the org's last word on a deployment that another run sent; empty if the org does not know it.

        More than one where several fit what is known. Without an id it is looked for, for at most `wait` seconds. Raises
        NotAllowedError where the org does not show its deployments, UnreachableError.
        """
        ...

    def cancel(self, sent: Sent, progress: Progress) -> Deployed:
        """Ask the org to stop a deployment, and wait a little for its last word: it may be too late.

        Raises UnreachableError if the org has none.
        """
        ...

    def split(self, groups: Sequence[Sequence[Component]]) -> list[list[Component]]:
        """Pack groups of related components into deployments within the org's limits, groups kept whole, in order."""
        ...


class Witness(Protocol):
    """What an org knows of itself besides its records: its users, who did what, and what our user may do."""

    def facts(self, users: Collection[str], progress: Progress, *, secrets: Collection[str] = ()) -> Facts:
        """Ask the org what rules need besides metadata: the users of these names, permission sets, profiles, ages of secrets.

        Ages only for the apps named in `secrets`, by two calls an app that bring the secrets along: they are dropped at
        once, but a login that may not see them should not ask.
        A topic that the login may not read is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
        """
        ...

    def history(self, since: str, progress: Progress, *, enablements: bool, exact: bool = False) -> History:
        """Ask the org who did what since a date (ISO 8601), and a little before it unless `exact`, and what is under way;
        with `enablements`, who changed each of them last.

        A topic that the login may not read is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
        """
        ...

    def others(self, progress: Progress) -> Sequence[Deployment]:
        """Wait a while for the deployments of others that may change the org; return those that are still under way.

        Raises the errors of any question: a user who may not see deployments gets an empty list.
        """
        ...

    def may_deploy(self) -> str | None:
        """Return what the login lacks to deploy, in words and with what to do; `None` if nothing, or if that is not known.

        A cheap question, asked before an apply. Raises NotAllowedError for the login, UnreachableError.
        """
        ...

    def doctor_answers(self, progress: Progress) -> DoctorAnswers:
        """Ask the org all that `doctor` judges to say whether we can work with it. Changes nothing.

        What the login may not read is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
        """
        ...


class TokenEndpoint(Protocol):
    """Where the clients of an org ask for tokens. `verify` asks as one of them."""

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        """Ask the org's token endpoint as a client that sends these parameters. A refusal is an answer, and no error.

        Sent once if it holds a refresh token. Raises UnreachableError.
        """
        ...

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        """What the org's authorize endpoint answers without a login. Raises UnreachableError."""
        ...

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        """Ask the org as a client about an access token. If the org says nothing of it, the error is `inactive`.

        Raises UnreachableError.
        """
        ...

    def revoke(self, tokens: Tokens) -> bool:
        """Revoke tokens that `ask_token` brought. False if one of them may still be valid; raises nothing."""
        ...


class Provider(Records, Witness, TokenEndpoint, Protocol):
    """All that the engine needs of one org, by one login: `Records`, `Witness` and `TokenEndpoint`."""
