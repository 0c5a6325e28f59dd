"""What an org's answer says about a promise. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.finding import Finding
from reconciler.model.live import OrgInfo
from reconciler.model.oauth import Answer, AuthorizeAnswer, TokenAnswer
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body
from reconciler.verify.probe import Flow, Granted, Probe, Refused
from reconciler.verify.scopes import too_many

GRANTED, REFUSED, OTHER_USER, OTHER_SCOPES, OTHER_TOKEN, KEPT, WAITING = (
    "verify.granted",
    "verify.refused",
    "verify.user",
    "verify.scopes",
    "verify.token",
    "verify.refresh",
    "verify.waiting",
)
"""The ids of broken promises."""
PROPAGATING = "invalid_client_id"
"""What an org says of an app that it does not know, and of one that is not known everywhere yet: up to 30 minutes
(https://github.com/pozil/salesforce-react-integration/issues/15)."""
MEND = "compare the org with the files: reconciler drift --against desired"


class Standing(StrEnum):
    """What became of one probe."""

    AS_PROMISED = "as promised"
    BROKEN = "broken"
    WAITING = "waiting"
    """The org may not know yet what was deployed: judged as broken, and marked."""
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One probe, and what the org's answer says about the promise."""

    probe: Probe
    standing: Standing
    message: str = ""
    """What happened, in words; why it was not run."""
    mend: str = ""
    id: str = ""
    """Of the broken promise."""
    severity: Severity = Severity.INFO
    error: str = ""
    """The error that the org gave, if it refused."""
    quote: str = ""
    """The org's own words about it."""
    sent: bool = False
    """Whether the call was made."""
    user_unseen: bool = False
    """Whether a certain user was promised, and no one could look up who came out."""
    place: Place | None = None
    """Where the promise is declared."""

    @property
    def counts(self) -> bool:
        """Whether the verdict counts for the exit code."""
        return self.standing in (Standing.BROKEN, Standing.WAITING)

    def finding(self) -> Finding:
        """A broken promise, as something that a person must look at."""
        quoted = f" Salesforce: {self.quote}" if self.quote else ""
        return Finding(
            self.id,
            self.severity,
            self.probe.address,
            f"{self.probe.flow}, {self.probe.what}: {self.message}.{quoted}",
            self.probe.path,
            place=self.place,
            mend=self.mend,
            meaning=_MEANINGS.get(self.id, ""),
            subject=self.probe.id,
            also=(self.probe.app,) if self.probe.app != self.probe.address else (),
        )


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What the org did, call by call, and whether that is what the files promise."""

    org: OrgInfo
    verdicts: tuple[Verdict, ...] = ()
    apps: tuple[Address, ...] = ()
    """All that were asked for, with or without a promise."""
    notes: tuple[str, ...] = ()
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    """What the org has, for drawing it. Not shown otherwise."""
    created: str = ""
    """ISO 8601, UTC."""
    seconds: float = 0.0
    strict: bool = False
    """Whether what is promised and was not seen counts."""

    def of(self, app: Address) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.probe.app == app)

    def count(self, *standings: Standing) -> int:
        return sum(verdict.standing in standings for verdict in self.verdicts)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(verdict.finding() for verdict in self.verdicts if verdict.counts)

    @property
    def missing(self) -> tuple[Verdict, ...]:
        """What is promised and could not be checked: calls that were not made, users who could not be looked up."""
        return tuple(
            v
            for v in self.verdicts
            if v.user_unseen or (v.standing is Standing.NOT_RUN and v.probe.is_promise_of_success)
        )

    @property
    def kept(self) -> bool:
        """Whether all that was run is as promised (and, if strict, all that is promised was run)."""
        return not any(v.counts for v in self.verdicts) and not (self.strict and self.missing)


_MEANINGS: Mapping[str, str] = {
    GRANTED: "Somebody gets in whom the files keep out.",
    REFUSED: "Clients of the app that do all as they should get no token.",
    OTHER_USER: "Whoever uses the token acts as somebody else than was reviewed.",
    OTHER_SCOPES: "Tokens of the app may do more than was reviewed.",
    OTHER_TOKEN: "Clients get tokens of another form: a JWT can be read, lives to its end, and the SOAP API refuses it.",
    KEPT: "A refresh token that was used or stolen goes on working.",
    WAITING: "Clients of the app get no token for as long as the org does not know the app.",
}


def is_propagating(probe: Probe, answer: Answer) -> bool:
    """Whether the same call may get another answer soon, because the org does not know the app yet."""
    if answer.error != PROPAGATING:
        return False
    return isinstance(probe.expects, Granted) or PROPAGATING not in probe.expects.codes


def not_run(probe: Probe, why: str, mend: str = "") -> Verdict:
    """The verdict on a call that was not made."""
    return Verdict(probe, Standing.NOT_RUN, why, mend)


def judge(probe: Probe, answer: Answer, *, waited: float = 0.0) -> Verdict:
    """Judge an answer by the probe's promise. `waited` is for how many seconds it was asked again."""
    if is_propagating(probe, answer):
        return _answered(
            Verdict(
                probe,
                Standing.WAITING,
                f"refused, although {probe.because}" + (f"; still, after {waited:.0f} s" if waited >= 1 else ""),
                "an app that was deployed lately is known everywhere after up to 30 minutes: verify again, or --wait; "
                "or the app is switched off or gone",
                WAITING,
                severity=probe.severity,
            ),
            answer,
        )
    verdict = (
        _success(probe, probe.expects, answer)
        if isinstance(probe.expects, Granted)
        else _refusal(probe, probe.expects, answer)
    )
    return _answered(verdict, answer)


def _answered(verdict: Verdict, answer: Answer) -> Verdict:
    mend = verdict.probe.mend if verdict.standing is Standing.BROKEN and verdict.probe.mend else verdict.mend
    return replace(verdict, mend=mend, error=answer.error, quote=_said(answer), sent=True)


def _said(answer: Answer) -> str:
    return ": ".join(part for part in (answer.error, answer.description) if part)


def _success(probe: Probe, expects: Granted, answer: Answer) -> Verdict:
    if answer.status >= 500:
        # Not the org's no, but the want of a word.
        return Verdict(
            probe, Standing.NOT_RUN, f"answered with HTTP {answer.status}, which proves nothing", "try again"
        )
    if not answer.granted:
        return Verdict(
            probe, Standing.BROKEN, f"refused, although {probe.because}", MEND, REFUSED, severity=probe.severity
        )
    if isinstance(answer, AuthorizeAnswer):
        return Verdict(probe, Standing.AS_PROMISED, "asks to log in")
    wrong = _wrong_token(probe, expects, answer)
    if wrong is not None:
        return wrong
    who = f"as {answer.username}" if answer.username else ""
    unseen = bool(expects.user) and not answer.username
    if unseen:
        who = "as whom could not be looked up"
    return Verdict(probe, Standing.AS_PROMISED, ", ".join(filter(None, ("granted", who))), user_unseen=unseen)


def _wrong_token(probe: Probe, expects: Granted, answer: TokenAnswer) -> Verdict | None:
    """The verdict on a token that was granted and should not be as it is; `None` if nothing is wrong with it."""
    if expects.user and answer.username and answer.username.casefold() != expects.user.casefold():
        message = f"the token is for {answer.username}, not for {expects.user}"
        return Verdict(probe, Standing.BROKEN, message, MEND, OTHER_USER, Severity.CRITICAL)
    if expects.scopes is not None:
        extra = too_many(answer.scopes, expects.scopes, expects.custom_scopes, expects.known_scopes)
        if extra:
            severity = Severity.CRITICAL if "full" in extra else Severity.HIGH
            message = f"the token has the scopes {', '.join(extra)} too, which no file declares"
            if len(extra) == 1:
                message = f"the token has the scope {extra[0]} too, which no file declares"
            return Verdict(probe, Standing.BROKEN, message, MEND, OTHER_SCOPES, severity)
    if expects.jwt is not None and answer.is_jwt is not expects.jwt:
        said = "the access token is a JWT" if answer.is_jwt else "the access token is no JWT"
        message = f"{said}, although isNamedUserJwtEnabled is {str(expects.jwt).lower()}"
        return Verdict(probe, Standing.BROKEN, message, MEND, OTHER_TOKEN, Severity.HIGH)
    if expects.new_refresh_token and not answer.has_refresh_token:
        message = "no new refresh token came along, although isRefreshTokenRotationEnabled is true"
        return Verdict(probe, Standing.BROKEN, message, MEND, KEPT, Severity.HIGH)
    return None


def _refusal(probe: Probe, expects: Refused, answer: Answer) -> Verdict:
    if answer.granted:
        if expects.unless_without and isinstance(answer, TokenAnswer) and expects.unless_without not in answer.scopes:
            return Verdict(probe, Standing.AS_PROMISED, f"granted without {expects.unless_without}")
        id = KEPT if probe.flow is Flow.REFRESH and not probe.refreshes else GRANTED
        said = "asks to log in" if isinstance(answer, AuthorizeAnswer) else "granted"
        if isinstance(answer, TokenAnswer) and answer.username:
            said = f"granted, as {answer.username}"
        return Verdict(probe, Standing.BROKEN, f"{said}, although {probe.because}", MEND, id, probe.severity)
    if answer.error in expects.betrayed_by:
        message = f"the org went further than it should have, although {probe.because}"
        return Verdict(probe, Standing.BROKEN, message, MEND, GRANTED, probe.severity)
    unclear = bool(expects.unclear) and expects.unclear in answer.description.casefold()
    if answer.error in expects.codes and not unclear:
        return Verdict(probe, Standing.AS_PROMISED, "refused")
    return Verdict(
        probe,
        Standing.NOT_RUN,
        f"refused with {answer.description if unclear else answer.error}, which proves nothing about this",
        "see that what is given in reconciler.yaml is right, and that the org is well",
    )


__all__ = [
    "Standing",
    "Verdict",
    "VerifyReport",
    "is_propagating",
    "judge",
    "not_run",
]
