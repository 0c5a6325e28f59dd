"""Deploys to an org: sends once, finds a deployment again whose answer was lost, waits, cancels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from providers.salesforce.calls import Calls
from providers.salesforce.files.archive import write_zip
from providers.salesforce.files.package import build, digest, record_name, source_field
from providers.salesforce.questions.unanswered import Fit
from providers.salesforce.results import deployed, is_ended, is_locked
from providers.salesforce.wire import soap
from providers.salesforce.wire.metadata_api import AnswerLostError, DeployRefusedError, Job
from providers.salesforce.wire.refusals import UnknownJobError
from reconciler.errors import Complaint, InputError, ReconcilerError, UnreachableError
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed, Sent
from reconciler.provider import Progress, Secrets

_LOOK = 10.0
"""Seconds, to find a deployment that is to be cancelled: someone is waiting."""
_OPTIONS = frozenset({"testLevel", "tests"})


class Deployments:
    """The deployments of one org: ours, and those that an earlier run sent."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def payload(self, components: Sequence[Component]) -> str:
        """The digest of what `deploy` would send, secrets counted as their references."""
        return digest(build(self._identified(components), self._calls.version))

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
        package = write_zip(build(self._identified(components), self._calls.version, secrets))
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
        for sending in range(self._calls.patience.sendings):
            try:
                sent = self._looked(names, progress, last_look, check_only=check_only)
            except BaseException:
                if sending:
                    # Nothing was done the time before, and nothing will be.
                    started(None)
                raise
            done = self._sent(package, asked, sent, len(names), progress, started)
            if sending + 1 == self._calls.patience.sendings or not is_locked(done):
                break
            pause = self._calls.patience.jittered(self._calls.patience.locked * 2**sending)
            progress(f"somebody else is changing the same records, nothing was done; once more in {pause:.0f} s")
            self._calls.patience.pause(pause)
        return replace(done, why=done.why or _advice(done))

    def _identified(self, components: Sequence[Component]) -> list[Component]:
        return [
            one if one.body is None else replace(one, body=self._calls.certificates.identified(one.kind, one.body))
            for one in components
        ]

    def _looked(
        self, names: Sequence[tuple[str, str]], progress: Progress, last_look: Callable[[], None], *, check_only: bool
    ) -> Sent:
        sent = self._calls.api.about_to_send(names, check_only=check_only, tell=progress)
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
            job = self._calls.api.start_deploy(package, options)
        except DeployRefusedError as refused:
            started(None)
            return Deployed("", success=False, status=refused.status, error=str(refused), why=refused.why)
        except AnswerLostError as lost:
            done = self._found(sent, lost.why, progress)
            started(replace(sent, id=done.id))
            return done
        started(replace(sent, id=job.id))
        return deployed(job.id, self._calls.api.result_of(job, progress, components=components))

    def _found(self, sent: Sent, why: UnreachableError, progress: Progress) -> Deployed:
        """The deployment whose answer was lost. Raises UnreachableError if the org does not tell for sure."""
        progress("the answer to the deployment was lost")
        try:
            found = self._calls.api.search(sent, progress, self._calls.patience.search)
        except UnreachableError:
            raise
        except ReconcilerError as hidden:
            raise _lost(why, f"the org does not show its deployments ({hidden})") from None
        done = [deployed(job, result) for job, result in found.items()]
        if not done:
            raise _lost(why, f"the org listed no such deployment within {self._calls.patience.search:.0f} seconds")
        if len({one.landing for one in done}) > 1:
            raise _lost(why, f"it may be any of {', '.join(one.id for one in done)}")
        return done[0]

    def ended(self, sent: Sent, progress: Progress, *, wait: float = 0.0) -> Sequence[Deployed]:
        """What became of a deployment that another run sent; empty if the org does not know it."""
        if not sent.id:
            found = self._calls.api.search(sent, progress, wait)
            return [deployed(job, result) for job, result in found.items()]
        try:
            result = self._calls.api.result_of(Job(sent.id), progress, components=len(sent.components))
        except UnknownJobError:
            return []
        return [deployed(sent.id, result)]

    def cancel(self, sent: Sent, progress: Progress) -> Deployed:
        """Stop a deployment, and wait a little for its last word. Raises UnreachableError if there is none."""
        job = Job(sent.id or self._running(sent, progress))
        progress(f"cancelling deployment {job.id}")
        try:
            self._calls.api.cancel(job)
        except UnreachableError:
            raise
        except ReconcilerError:
            progress(f"deployment {job.id} cannot be cancelled any more")
        patience, components = self._calls.patience.cancel, len(sent.components)
        return deployed(job.id, self._calls.api.result_of(job, progress, components=components, most=patience))

    def _running(self, sent: Sent, progress: Progress) -> str:
        """The id of a deployment that was sent and never got one. Only one that is likely ours may be stopped."""
        progress("looking for the deployment that was sent last")
        found: dict[str, tuple[Fit, dict[str, Any]]] = {}
        try:
            for _ in self._calls.patience.looks(_LOOK):
                found = self._calls.api.candidates(sent, set())
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


def _advice(done: Deployed) -> tuple[Complaint, ...]:
    """Return what to do about a deployment that failed because of locks or a cancellation."""
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
