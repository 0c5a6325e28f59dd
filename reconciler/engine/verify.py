"""Verify: read org → what the files promise → call by call, with an answer judged each → give all tokens back."""

import secrets as randomness
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from reconciler.client_assertions import ends, nobodys_key, signed, tampered
from reconciler.engine.session import Session, identified, read_live, time_of
from reconciler.errors import Complaint, InputError, suggestion
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.declared import Snapshot
from reconciler.model.oauth import Answer, TokenAnswer, Tokens
from reconciler.verify.inputs import Given
from reconciler.verify.probe import (
    AnothersToken,
    Assertion,
    Flow,
    Granted,
    Probe,
    RefreshToken,
    Refused,
    Secret,
    Tampered,
    Text,
    WrongSecret,
)
from reconciler.verify.promises import apps, completed, promises
from reconciler.verify.verdicts import Standing, Verdict, VerifyReport, is_propagating, judge, not_run

WAIT = 600.0
"""Seconds, over the whole run, until an org has to know an app."""
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 5.0, 1.5, 30.0
_HIDDEN = ("ConnectedApp", "ExtlClnt", "ExternalClientApplication", "OauthTokenExchangeHandler", "OauthCustomScope")


def verify(
    session: Session,
    given: Mapping[str, Given],
    names: Sequence[str] = (),
    *,
    org: str = "",
    wait: float = WAIT,
    strict: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> VerifyReport:
    """Run what the files promise of the apps `names` (of all, if none is named), and what they promise to refuse.

    `given` is the part `verify` of the org `org` in the project file: app's name or address -> what is given for it.
    Raises InputError for an app that no file declares and for a secret that is not where it should be, and what reading
    the org raises. Every token that the org gives is revoked, whatever happens.
    """
    begun = clock()
    known = apps(session.desired)
    wanted = _chosen(names, known)
    found = completed(session.desired, _by_app(given, known))
    identified(session)
    live = read_live(session.provider, session.desired, Baseline(), session.progress)
    run = _Run(session, found, org, wait, clock, sleep)
    verdicts: list[Verdict] = []
    later: list[Probe] = []
    for app in wanted:
        with run.of(app):
            mine: list[Verdict] = []
            for probe in promises(session.desired, live, found, [app]):
                if probe.flow is Flow.INTROSPECTION:
                    # It takes a token of another app, so the others come first.
                    later.append(probe)
                else:
                    mine.append(run.verdict(probe))
            verdicts += run.confirmed(mine)
    for probe in later:
        with run.of(probe.app):
            verdicts.append(run.verdict(probe))
    placed = tuple(_placed(verdict, session.desired) for verdict in verdicts)
    bodies = {address: have.body for address, have in live.resources.items()}
    report = VerifyReport(live.org, placed, tuple(wanted), bodies=bodies, created=time_of(session), strict=strict)
    hidden = (
        f"{what} could not be read: what only the org knows of it was not tried ({why})"
        for what, why in live.hidden.items()
        if what.startswith(_HIDDEN)
    )
    return replace(report, notes=(*_unproven(report), *run.notes, *hidden), seconds=clock() - begun)


def _chosen(names: Sequence[str], known: Sequence[Address]) -> list[Address]:
    if not known:
        raise InputError(Complaint("the files declare no app", mend="verify runs what desired files promise of apps"))
    if not names:
        return list(known)
    wrong = [name for name in names if not _named(name, known)]
    if wrong:
        raise InputError(
            *(Complaint(f"{name} is no app that the files declare", mend=_mend(name, known)) for name in wrong)
        )
    return list(dict.fromkeys(address for name in names for address in _named(name, known)))


def _by_app(given: Mapping[str, Given], known: Sequence[Address]) -> dict[Address, Given]:
    wrong = [
        Complaint(f"verify: {name} is no app that the files declare", one.place, _mend(name, known))
        for name, one in given.items()
        if not _named(name, known)
    ]
    if wrong:
        raise InputError(*wrong)
    return {address: one for name, one in given.items() for address in _named(name, known)}


def _named(name: str, known: Sequence[Address]) -> list[Address]:
    return [address for address in known if name in (address.name, str(address))]


def _mend(name: str, known: Sequence[Address]) -> str:
    texts = [text for address in known for text in (address.name, str(address))]
    return suggestion(name, texts) or f"one of: {', '.join(address.name for address in known)}"


def _placed(verdict: Verdict, desired: Snapshot) -> Verdict:
    want = desired.resources.get(verdict.probe.address) or desired.resources.get(verdict.probe.app)
    if want is None:
        return verdict
    return replace(verdict, place=want.origin.at(verdict.probe.path if want.address == verdict.probe.address else ()))


def _unproven(report: VerifyReport) -> Iterator[str]:
    """Yield a note for each app of which nothing could be run, so that this does not pass for a good result."""
    for app in report.apps:
        verdicts = report.of(app)
        if not verdicts:
            yield f"{app}: the files promise no flow that can be run"
        elif not any(verdict.sent for verdict in verdicts):
            yield f"{app}: nothing could be run, so nothing is known of what it does"


def _tells_by_its_token(probe: Probe) -> bool:
    """Whether a refusal proves something only if the subject token itself is still good."""
    parts = (Secret("subject_token"), Tampered("subject_token"))
    return isinstance(probe.expects, Refused) and any(part in parts for part in probe.form.values())


@dataclass
class _Run:
    """Makes the calls of one verify, and keeps what later calls need: tokens to refresh, and those to give back."""

    session: Session
    given: Mapping[Address, Given]
    org: str
    wait: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._until: float | None = None
        self._waited = 0.0
        self._working: dict[Address, dict[str, str]] = {}
        """App -> parameters that brought a token, and would again."""
        self._forget()

    def _forget(self) -> None:
        self._proven: set[str] = set()
        self._verdicts: dict[str, Verdict] = {}
        self._first: dict[str, Tokens] = {}
        self._current: dict[str, Tokens] = {}
        self._held: list[Tokens] = []
        self._values: dict[object, str] = {}
        self._made_before: dict[str, dict[str, str]] = {}
        """Probe that brought a token -> its parameters."""

    @contextmanager
    def of(self, app: Address) -> Iterator[None]:
        """Run the calls for one app inside this context, which revokes all its tokens at the end."""
        try:
            yield
        finally:
            if self._held:
                self.session.progress(f"{app.name}: revoking tokens")
            revoked = [self.session.provider.revoke(tokens) for tokens in reversed(self._held)]
            if not all(revoked):
                self.notes.append(f"{app}: not every token could be revoked; look at Setup, OAuth Usage")
            self._forget()

    def verdict(self, probe: Probe) -> Verdict:
        """Run one probe, or say why it cannot be run."""
        verdict = self._judged(probe)
        self._verdicts[probe.id] = verdict
        return verdict

    def _judged(self, probe: Probe) -> Verdict:
        if probe.blocked:
            return not_run(probe, probe.blocked)
        if probe.control and probe.control not in self._proven:
            before = self._verdicts.get(probe.control)
            if before is not None and not before.sent:
                # What the other call waits for, this one waits for too.
                return not_run(probe, before.message, before.mend)
            what = f"{before.probe.flow}, {before.probe.what}" if before is not None else probe.control
            return not_run(probe, f"it would prove nothing: there is nothing to compare with, see `{what}`")
        missing = self._missing(probe)
        if missing is not None:
            return missing
        self.session.progress(f"{probe.app.name}: {probe.flow}")
        made = self._made(probe)
        if isinstance(made, Verdict):
            return made
        stale = self._stale(probe)
        if stale and isinstance(probe.expects, Granted):
            probe = replace(probe, mend=f"the token of {stale} has expired: give a fresh one")
        elif stale:
            over = "has expired" if stale != "expired" else "has not expired yet"
            return not_run(probe, f"the token of {stale} {over}, so a refusal would prove nothing", "give another one")
        if probe.flow is Flow.INTROSPECTION:
            tokens = self._anothers(probe.app)
            if tokens is None:
                return not_run(probe, "no other app gave a token to ask about")
            answer: Answer = self.session.provider.introspect(tokens, made)
        else:
            answer = self._asked(probe, made)
            self._keep(probe, answer, made)
        verdict = judge(probe, answer, waited=self._waited)
        # A call that succeeds proves that the next refusal is about what differs, for whichever user the token is.
        if answer.granted if isinstance(probe.expects, Granted) else verdict.standing is Standing.AS_PROMISED:
            self._proven.add(probe.id)
        return verdict

    def _missing(self, probe: Probe) -> Verdict | None:
        for need in probe.needs():
            if isinstance(need, Text):
                if not self.given[probe.app].text(need.key):
                    return self._not_given(probe, need.key)
            elif self._reference(probe.app, need) is None:
                return self._not_given(probe, need.key)
        if any(isinstance(part, RefreshToken) and not self._refresh_token(part) for part in probe.form.values()):
            if isinstance(probe.expects, Granted):
                return not_run(probe, "the org gave no refresh token")
            if probe.id == "refresh.zero":
                return Verdict(probe, Standing.AS_PROMISED, "the org gives no refresh token")
            return not_run(probe, "the org gave no refresh token")
        return None

    def _stale(self, probe: Probe) -> str:
        """The key of a token of the probe whose time is not as the probe needs it; empty if there is none.

        That is a token that has expired, or the one under `expired` if it has not. Tokens that do not say when they
        expire are left out.
        """
        now = self.session.now().timestamp()
        for part in probe.form.values():
            if isinstance(part, Secret | Tampered) and part.key != "client_secret":
                end = ends(self._value(probe.app, part))
                if end is not None and (end <= now) is not (part.key == "expired"):
                    return part.key
        return ""

    def confirmed(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return the verdicts on one app, without trusting refusals that only a bad subject token may explain.

        A subject token that is now refused even with all else right may be good for one call only, or have expired on
        the way; its refusals count as not run.
        """
        spent: dict[str, bool] = {}
        found: list[Verdict] = []
        for one in verdicts:
            control = one.probe.control
            if one.standing is Standing.AS_PROMISED and control in self._made_before and _tells_by_its_token(one.probe):
                if control not in spent:
                    answer = self.session.provider.ask_token(self._made_before[control])
                    self._hold(answer)
                    spent[control] = not answer.granted
                if spent[control]:
                    why = "refused, but by the end of the run the subject token was refused with all put right, too"
                    one = replace(
                        one,
                        standing=Standing.NOT_RUN,
                        message=f"{why}: it proves nothing",
                        mend="give a token that lasts for the run, and that is taken more than once",
                    )
            found.append(one)
        return found

    def _hold(self, answer: Answer) -> None:
        """Remember the tokens of an answer, so that they are revoked at the end."""
        if isinstance(answer, TokenAnswer) and answer.tokens is not None:
            self._held.append(answer.tokens)

    def _not_given(self, probe: Probe, key: str) -> Verdict:
        where = ".".join(part for part in ("orgs", self.org, "verify", probe.app.name, key) if part)
        return not_run(probe, f"give {where}", f"write it in reconciler.yaml: {key}")

    def _reference(self, app: Address, need: Secret | Tampered) -> object:
        found = self.given[app].secrets.get(need.key)
        if found is None and isinstance(need, Secret) and need.borrow:
            return next((one.secrets[need.key] for one in self.given.values() if need.key in one.secrets), None)
        return found

    def _value(self, app: Address, need: Secret | Tampered) -> str:
        """Return the secret that a probe needs, read only once for each app, since a command may take a while."""
        reference = self._reference(app, need)
        if reference not in self._values:
            self._values[reference] = self.session.secret(reference)  # type: ignore[arg-type]
        return self._values[reference]

    def _refresh_token(self, part: RefreshToken) -> str:
        tokens = (self._first if part.first else self._current).get(part.of)
        return tokens.refresh if tokens is not None else ""

    def _made(self, probe: Probe) -> dict[str, str] | Verdict:
        """The parameters of a call with all values filled in; a verdict if one cannot be made."""
        form: dict[str, str] = {}
        for name, part in probe.form.items():
            if isinstance(part, str):
                form[name] = part
            elif isinstance(part, Secret):
                form[name] = self._value(probe.app, part)
            elif isinstance(part, Text):
                form[name] = self.given[probe.app].text(part.key)
            elif isinstance(part, WrongSecret):
                form[name] = randomness.token_hex(32).upper()
            elif isinstance(part, RefreshToken):
                form[name] = self._refresh_token(part)
            elif isinstance(part, AnothersToken):
                continue
            elif isinstance(part, Assertion):
                form[name] = self._assertion(probe, part)
            else:
                form[name] = tampered(self._value(probe.app, part))
                if not form[name]:
                    return not_run(
                        probe, f"what {part.key} gives is no JWT", "give a token with a forged signature: forged"
                    )
        return form

    def _assertion(self, probe: Probe, part: Assertion) -> str:
        key = self._value(probe.app, Secret("private_key")) if part.right_key else nobodys_key()
        user = self.given[probe.app].text(part.user.key)
        return signed(part.issuer, user, part.audience, self.session.now().timestamp(), key, section="verify")

    def _asked(self, probe: Probe, form: Mapping[str, str]) -> Answer:
        """Make a call and return the answer; repeat it while the org does not know the app yet, as long as time is left."""
        provider = self.session.provider
        ask: Callable[[Mapping[str, str]], Answer] = (
            provider.authorize if probe.asks_to_authorize else provider.ask_token
        )
        answer = ask(form)
        pause, begun = FIRST_PAUSE, self.clock()
        while is_propagating(probe, answer):
            now = self.clock()
            self._until = now + self.wait if self._until is None else self._until
            left = self._until - now
            if left <= 0:
                break
            self.session.progress(f"{probe.app.name}: the org does not know it yet; waiting, at most {left:.0f} s more")
            self.sleep(min(pause, left))
            pause = min(pause * GROWTH, LONGEST_PAUSE)
            answer = ask(form)
        self._waited = self.clock() - begun
        return answer

    def _anothers(self, app: Address) -> Tokens | None:
        """Get a fresh token of another app, which is revoked like all others; `None` if there is none."""
        for other, form in self._working.items():
            answer = self.session.provider.ask_token(form) if other != app else None
            if answer is not None and answer.tokens is not None:
                self._hold(answer)
                return answer.tokens
        return None

    def _keep(self, probe: Probe, answer: Answer, made: dict[str, str]) -> None:
        self._hold(answer)
        if not isinstance(answer, TokenAnswer) or answer.tokens is None:
            return
        self._made_before[probe.id] = made
        if probe.flow in (Flow.TOKEN_EXCHANGE, Flow.CLIENT_CREDENTIALS):
            self._working.setdefault(probe.app, made)
        self._first[probe.id] = self._current[probe.id] = answer.tokens
        if probe.refreshes and answer.tokens.refresh:
            self._current[probe.refreshes] = answer.tokens
