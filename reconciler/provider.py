"""What the engine needs from an org. `providers/` implements it; the planner never sees it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from reconciler.facts import Facts, History
from reconciler.kind import SecretRef
from reconciler.model import Component, Deployed, LiveState, OrgInfo

Progress = Callable[[str], None]
"""Told the name of each stage as it begins, e.g. `retrieving 12 kinds`, `deploying (3 of 40 components)`; and an empty
text while somebody is being asked."""

Secrets = Callable[[SecretRef], str]
"""Finds the value behind a reference, at the last moment before the wire."""


class Provider(Protocol):
    """Two verbs, read and deploy, and who it is that we talk to."""

    def org(self) -> OrgInfo:
        """Which org this is, from the org itself. Raises NotAllowedError, UnreachableError."""
        ...

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Everything of all kinds that the login may see; of Apex classes those named in `classes`, and those of the
        handlers that were found. Satellites are addressed by their app; handlers come apart from their enablements.
        """
        ...

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        """What the org has now of these components, enablements included, and of nothing else."""
        ...

    def payload(self, components: Sequence[Component]) -> str:
        """The digest of what `deploy` would send for these components, secrets counted as their references."""
        ...

    def deploy(
        self,
        components: Sequence[Component],
        progress: Progress,
        *,
        check_only: bool,
        secrets: Secrets,
        options: Mapping[str, object],
        started: Callable[[str], None],
    ) -> Deployed:
        """Deploy the components in one transaction and wait for the org's last word.

        `started` is called with the deployment's id before the first poll. Raises UnreachableError when the answer to
        the deploy call was lost: then it is not known whether the org took it.
        """
        ...

    def facts(self, users: Collection[str], progress: Progress, *, secrets: Collection[str] = ()) -> Facts:
        """What rules ask besides metadata: the users of these names, permission sets, profiles; and for the apps named
        in `secrets`, when their consumer secrets were made (two calls an app, which bring the secrets along: they are
        dropped at once, but whoever may not see them should not be asked).

        A topic that the login may not read is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
        """
        ...

    def history(self, since: str, progress: Progress, *, enablements: bool) -> History:
        """Who did what since a date (ISO 8601), and what is under way; with `enablements`, who changed each of them last.

        A topic that the login may not read is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
        """
        ...

    def split(self, groups: Sequence[Sequence[Component]]) -> list[list[Component]]:
        """Pack groups of related components into deployments within the org's limits, groups kept whole, in order."""
        ...
