"""A deployment whose answer is lost: found again among what the org lists, and never sent a second time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.questions.unanswered import Fit, fit, new
from providers.salesforce.wire.metadata_api import Way
from reconciler.errors import NotAllowedError, UnreachableError
from reconciler.model.deployment import Deployed, Landing, Sent
from tests.salesforce.build import Answer, Stub, app, component, fault, no_time, operation, soap, stubbed
from tests.salesforce.wire.test_metadata_api import DEPLOY, LIST, QUERY, as_json, organisation

LOST = requests.ConnectionError("reset by peer")
NOBODY = requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "[Errno 111] refused")))  # type: ignore[arg-type]
DAY = "2026-05-04T10:00:0{}.000+0000"


def row(number: int, *, check_only: bool = False) -> dict[str, object]:
    """A deployment in the org's list."""
    return {"Id": f"0Af00000000000{number}AAA", "CheckOnly": check_only, "CreatedDate": DAY.format(number)}


def result(
    *names: str, status: str = "Succeeded", total: int | None = None, failures: bool = False
) -> dict[str, object]:
    """What became of a deployment of external client apps."""
    messages = [
        {"componentType": "ExternalClientApplication", "fullName": name, "problem": "no" if failures else None}
        for name in names
    ]
    manifest = {"componentType": "", "fullName": "package.xml", "fileName": "package.xml"}
    details = {"componentFailures": messages} if failures else {"componentSuccesses": [*messages, manifest]}
    ended = status not in ("Pending", "InProgress")
    return {
        "done": ended,
        "success": status == "Succeeded",
        "status": status,
        "numberComponentsTotal": len(names) if total is None else total,
        "details": details if names else {},
    }


SUCCEEDED = (
    "<done>true</done><success>true</success><status>Succeeded</status><numberComponentsTotal>1</numberComponentsTotal>"
    "<details><componentSuccesses><componentType>ExternalClientApplication</componentType><fullName>a</fullName>"
    "</componentSuccesses></details>"
)


class Org:
    """Lists its deployments; `taken` are added when the deploy call comes, whose answer is `answer`."""

    def __init__(
        self,
        answer: Answer | Exception | Sequence[Answer | Exception] = LOST,
        *,
        before: Sequence[dict[str, object]] = (),
        taken: Sequence[dict[str, object]] = (),
        results: dict[str, object] | None = None,
        late: int = 0,
    ) -> None:
        self.answers = iter([answer] * 9 if isinstance(answer, tuple | Exception) else answer)
        self.before, self.taken, self.results, self.late = list(before), list(taken), results or {}, late
        self.sent = 0
        self.asked: list[str] = []

    def __call__(self, request: requests.PreparedRequest) -> Answer | Exception:
        name = operation(request)
        self.asked.append(name)
        if name == QUERY:
            return organisation()
        if name == LIST:
            self.late -= bool(self.sent)
            rows = [*self.before, *(self.taken if self.sent and self.late < 0 else [])]
            return as_json({"totalSize": len(rows), "done": True, "records": rows})
        if name in (DEPLOY, "deploy"):
            self.sent += 1
            return next(self.answers)
        found = self.results[name.rpartition("/")[2]]
        found = found.pop(0) if isinstance(found, list) and len(found) > 1 else found
        return as_json({"deployResult": found[0] if isinstance(found, list) else found})


def deploy(
    org: Callable[[requests.PreparedRequest], Answer | Exception], *names: str, way: Way = Way.AUTO
) -> tuple[Deployed, list[Sent | None], Stub]:
    provider, stub = stubbed(org, way=way)
    sent: list[Sent | None] = []
    done = provider.deploy(
        [app(name) for name in names or ("a",)],
        lambda stage: None,
        check_only=False,
        secrets=str,
        options={},
        started=sent.append,
    )
    return done, sent, stub


def id_of(number: int) -> str:
    return str(row(number)["Id"])


@pytest.mark.parametrize(
    "trouble",
    [
        LOST,
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        (502, {}, b"<html>Bad gateway</html>"),
        (503, {}, b""),
        (200, {}, b"<html>A proxy that thinks all is well</html>"),
        (201, {}, b'{"id": "0Af'),
        (201, {}, b'{"id": "0Af1\xe9"}'),
        (201, {}, b'{"id": "0Af1/../../x"}'),
        (500, {}, b"<html>"),
    ],
)
def test_the_one_that_does_what_ours_does_is_ours(trouble: Answer | Exception):
    """A pipeline that says "unknown" is a person who has to look in Setup at night."""
    org = Org(
        trouble, before=[row(1)], taken=[row(2)], results={id_of(2): [result("a", status="InProgress"), result("a")]}
    )
    done, sent, _ = deploy(org)

    assert (id_of(2), Landing.LANDED, 1) == (done.id, done.landing, org.sent)
    assert ["", id_of(2)] == [one.id for one in sent]


def test_one_that_the_org_lists_late_is_waited_for():
    """The list may be behind; a minute of patience is cheaper than a second deployment."""
    org = Org(taken=[row(2)], results={id_of(2): result("a")}, late=5)

    assert (id_of(2), 1) == (deploy(org)[0].id, org.sent)


def test_what_failed_is_found_too_and_keeps_the_org_s_words():
    """The answer was lost, the reason must not be."""
    org = Org(taken=[row(2)], results={id_of(2): result("a", status="Failed", failures=True)})
    done, _, _ = deploy(org)

    assert (Landing.NOT_LANDED, "no") == (done.landing, done.failures[0].problem)


@pytest.mark.parametrize(
    ("others", "results"),
    [
        ([row(2, check_only=True)], {}),
        ([row(2)], {id_of(2): result("b")}),
        ([row(2)], {id_of(2): result("a", "b")}),
        ([row(2)], {id_of(2): result(status="InProgress", total=40)}),
    ],
    ids=["a validation", "another app", "more", "many more"],
)
def test_what_somebody_else_deploys_is_not_taken_for_ours(
    others: Sequence[dict[str, object]], results: dict[str, object]
):
    """Their success would become ours, and nobody would ever send what was lost."""
    org = Org(before=[row(1)], taken=others, results=results)

    with pytest.raises(UnreachableError, match="listed no such deployment within 60 seconds: it may still come"):
        deploy(org)
    assert 1 == org.sent


def test_an_earlier_one_of_the_same_content_is_not_taken_for_ours():
    """Yesterday's run of the same pipeline deployed the same records."""
    org = Org(before=[row(1), row(2)], results={id_of(1): result("a"), id_of(2): result("a")})

    with pytest.raises(UnreachableError, match="listed no such"):
        deploy(org)


def test_ours_is_told_from_the_strangers_around_it():
    """Busy orgs have several at a time."""
    results = {id_of(2): result("b"), id_of(3): [result(status="Pending"), result("a")], id_of(4): result("c")}
    org = Org(taken=[row(2), row(3), row(4)], results=results)

    assert id_of(3) == deploy(org)[0].id


def test_two_that_both_fit_and_disagree_leave_it_open():
    """Two pipelines, the same files: whether ours landed only the live state can tell."""
    results = {id_of(2): result("a"), id_of(3): result("a", status="Failed", failures=True)}
    org = Org(taken=[row(2), row(3)], results=results)

    with pytest.raises(UnreachableError, match="may be any of"):
        deploy(org)


def test_one_that_was_cancelled_before_it_began_is_likely_ours():
    """It names no component, and there is no other."""
    org = Org(taken=[row(2)], results={id_of(2): result(status="Canceled", total=0)})

    assert Landing.NOT_LANDED is deploy(org)[0].landing


def test_without_a_list_it_stays_unknown():
    """The org hides its deployments from this login: then nothing is guessed."""
    org = Org(taken=[row(2)], results={id_of(2): result("a")})
    hidden = as_json([{"errorCode": "INVALID_TYPE", "message": "sObject type 'DeployRequest' is not supported."}], 400)

    with pytest.raises(UnreachableError, match="does not show its deployments"):
        deploy(lambda request: hidden if operation(request) == LIST else org(request))
    assert 1 == org.sent


def test_nothing_is_sent_once_the_session_has_died():
    """What is sent without a look at the list could not be found again."""
    dead = as_json([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
    org = Org(started(2), results={id_of(2): result("a")})

    with pytest.raises(NotAllowedError):
        deploy(lambda request: dead if operation(request) == LIST else org(request))
    assert 0 == org.sent


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_an_org_that_broke_down_is_not_believed_to_have_done_nothing(way: Way):
    """It says UNKNOWN_EXCEPTION and not how far it got: "refused" would have the next run deploy it once more."""
    words = {"errorCode": "UNKNOWN_EXCEPTION", "message": "ErrorId: 1"}
    trouble = as_json([words], 500) if way is Way.REST else fault("UNKNOWN_EXCEPTION", "ErrorId: 1")
    status = soap("checkDeployStatus", f"<result><id>{id_of(2)}</id>{SUCCEEDED}</result>")
    org = Org(trouble, taken=[row(2)], results={id_of(2): result("a")})
    done, _, _ = deploy(lambda r: status if operation(r) == "checkDeployStatus" else org(r), way=way)

    assert (id_of(2), Landing.LANDED, 1) == (done.id, done.landing, org.sent)


@pytest.mark.parametrize("status", ["Canceled", "Failed"])
def test_a_deployment_that_somebody_cancelled_says_what_to_do(status: str):
    """Nobody of us did, and the org gives no reason."""
    done, _, _ = deploy(Org(started(2), results={id_of(2): result(status=status)}))

    assert (["apply again"] if status == "Canceled" else []) == [one.mend for one in done.why]


# -- what may be sent again, because it did nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
@pytest.mark.parametrize("trouble", [NOBODY, requests.ConnectTimeout("slow"), (429, {"Retry-After": "3"}, b"")])
def test_what_certainly_did_not_arrive_is_sent_again(trouble: Answer | Exception, way: Way):
    """No connection, no deployment: a router that restarts should not cost a release."""
    taken = (
        as_json({"id": id_of(2)}, 201) if way is Way.REST else soap("deploy", f"<result><id>{id_of(2)}</id></result>")
    )
    org = Org([trouble, trouble, taken], results={id_of(2): result("a")})
    status = soap("checkDeployStatus", "<result><done>true</done><success>true</success></result>")
    done, _, _ = deploy(lambda r: status if operation(r) == "checkDeployStatus" else org(r), way=way)

    assert (Landing.LANDED, 3) == (done.landing, org.sent)


def test_an_org_that_nobody_reaches_has_not_been_sent_anything():
    """ "Unknown" would make people look for what never was."""
    done, _, _ = deploy(Org(NOBODY))

    assert ("not sent", Landing.NOT_LANDED) == (done.status, done.landing)
    assert "refused" in done.error
    assert ["check instance_url, the network and the proxy settings"] == [one.mend for one in done.why]


LOCKED = {"componentType": "ExternalClientApplication", "fullName": "a", "problem": "UNABLE_TO_LOCK_ROW: busy"}
OTHER = {"componentType": "ExternalClientApplication", "fullName": "b", "problem": "no such label"}


def failing(*failures: dict[str, object]) -> dict[str, object]:
    return result(status="Failed", total=1) | {"details": {"componentFailures": list(failures)}}


def started(*numbers: int) -> list[Answer | Exception]:
    return [as_json({"id": id_of(number)}, 201) for number in numbers]


def test_a_deployment_that_met_locked_records_is_sent_again():
    """It did nothing, and in a minute nobody else will be at it."""
    org = Org(started(2, 3), results={id_of(2): failing(LOCKED), id_of(3): result("a")})
    done, sent, _ = deploy(org)

    assert (id_of(3), Landing.LANDED, 2) == (done.id, done.landing, org.sent)
    assert ["", id_of(2), "", id_of(3)] == [one.id for one in sent]


def test_locked_records_are_not_waited_for_for_ever():
    """Three times: then a person has to look who holds them."""
    org = Org(started(2, 3, 4), results={id_of(n): failing(LOCKED) for n in (2, 3, 4)})

    done, _, _ = deploy(org)
    assert (Landing.NOT_LANDED, 3) == (done.landing, org.sent)
    assert ["apply again when nobody else deploys"] == [one.mend for one in done.why]


def test_a_deployment_that_also_failed_otherwise_is_not_sent_again():
    """It will fail again."""
    org = Org(started(2), results={id_of(2): failing(LOCKED, OTHER)})

    assert (Landing.NOT_LANDED, 1) == (deploy(org)[0].landing, org.sent)


@pytest.mark.parametrize("code", ["ALREADY_IN_PROCESS", "ENTITY_IS_LOCKED", "UNABLE_TO_LOCK_ROW"])
def test_a_refusal_because_of_a_lock_is_tried_again(code: str):
    """The org says that it has not taken it."""
    answers = [fault(code, "busy"), soap("deploy", f"<result><id>{id_of(2)}</id></result>")]
    org = Org(answers)
    status = soap("checkDeployStatus", "<result><done>true</done><success>true</success></result>")
    done, _, _ = deploy(lambda r: status if operation(r) == "checkDeployStatus" else org(r), way=Way.SOAP)

    assert (Landing.LANDED, 2) == (done.landing, org.sent)


def test_what_the_org_did_not_take_is_not_on_its_way():
    """Whoever interrupts the pause would look for it, and stop a colleague's deployment of the same records."""
    org = Org([fault("ENTITY_IS_LOCKED", "busy"), soap("deploy", f"<result><id>{id_of(2)}</id></result>")])
    status = soap("checkDeployStatus", "<result><done>true</done><success>true</success></result>")
    _, sent, _ = deploy(lambda r: status if operation(r) == "checkDeployStatus" else org(r), way=Way.SOAP)

    assert ["", None, "", id_of(2)] == [one and one.id for one in sent]


def test_a_used_up_limit_is_a_clear_no():
    """Nothing was taken, and every further call would be refused, too."""
    over = as_json([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], 403)
    org = Org(over)
    done, _, _ = deploy(org)

    assert ("Refused", Landing.NOT_LANDED, 1) == (done.status, done.landing, org.sent)


# -- what another run sent ------------------------------------------------------------------------------------------------


def provider_of(org: Org) -> SalesforceProvider:
    return stubbed(org, patience=no_time())[0]


SENT = Sent("", (("ExternalClientApplication", "a"),), known=(id_of(1),), since="2026-05-04T10:00:01Z", listed=True)


def test_a_later_run_finds_what_was_sent():
    """The process that sent it is gone."""
    org = Org(
        before=[row(1), row(2), row(3)],
        results={id_of(2): [result(status="Pending"), result("a")], id_of(3): result("b")},
    )

    assert [id_of(2)] == [one.id for one in provider_of(org).ended(SENT, lambda stage: None)]


def test_a_later_run_with_the_id_waits_for_its_end():
    org = Org(results={id_of(2): [result(status="Pending"), result("a")]})
    (found,) = provider_of(org).ended(replace(SENT, id=id_of(2)), lambda stage: None)

    assert Landing.LANDED is found.landing


def test_what_the_org_does_not_know_is_nothing():
    """Deployments are forgotten after some weeks."""
    gone = as_json([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    unknown = fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    provider, _ = stubbed(lambda request: unknown if operation(request) == "checkDeployStatus" else gone)

    assert [] == provider.ended(replace(SENT, id=id_of(2)), lambda stage: None)


def test_what_was_sent_without_a_list_is_not_looked_for():
    """Without knowing what was there before, any old deployment of the same records would pass for ours."""
    org = Org(before=[row(1), row(2)], results={id_of(2): result("a")})

    with pytest.raises(NotAllowedError):
        provider_of(org).ended(replace(SENT, listed=False), lambda stage: None)


def test_a_stranger_that_failed_meanwhile_does_not_pass_for_ours():
    """Ours is not listed yet: what the stranger came to would be taken for what became of it."""
    running = result("a", status="InProgress")
    org = Org(before=[row(2)], results={id_of(2): result(status="Failed", total=0), id_of(3): running})
    looks = iter([[row(2)], [row(2), row(3)]])

    def answer(request: requests.PreparedRequest) -> Answer | Exception:
        if operation(request) == LIST:
            org.before = next(looks, org.before)
        if request.method == "PATCH":
            org.results[id_of(3)] = result(status="Canceled", total=1)
            return as_json({"id": id_of(3)})
        return org(request)

    provider, _ = stubbed(answer)

    assert (id_of(3), "Canceled") == ((done := provider.cancel(SENT, lambda stage: None)).id, done.status)


@pytest.mark.parametrize("total", [0, 1], ids=["nothing known of it", "as many components"])
def test_only_what_is_likely_ours_is_cancelled(total: int):
    """Stopping a colleague's release would be worse than leaving ours."""
    org = Org(before=[row(2)], results={id_of(2): result(status="InProgress", total=total)})

    with pytest.raises(UnreachableError, match="does not list"):
        provider_of(org).cancel(SENT, lambda stage: None)
    assert not [name for name in org.asked if "cancel" in name.casefold()]


# -- fingerprints ---------------------------------------------------------------------------------------------------------

TWO = Sent(components=(("ExternalClientApplication", "a"), ("ExternalClientApplication", "b")))


@pytest.mark.parametrize(
    ("found", "how"),
    [
        (result("a", "b"), Fit.YES),
        (result("a", "b", total=3), Fit.YES),
        (result("a", "b", total=9), Fit.NO),
        (result("a"), Fit.NO),
        (result("a", "c"), Fit.NO),
        (result("a", status="InProgress", total=2), Fit.LIKELY),
        (result("c", status="InProgress", total=2), Fit.NO),
        (result("a", status="Failed", total=2, failures=True), Fit.LIKELY),
        (result(status="InProgress", total=2), Fit.MAYBE),
        (result(status="Pending", total=0), Fit.MAYBE),
        (result(status="Canceled", total=0), Fit.MAYBE),
        ({}, Fit.MAYBE),
    ],
)
def test_a_fingerprint_is_kind_and_name_of_every_component(found: dict[str, object], how: Fit):
    assert how is fit(found, TWO)


def test_ours_is_among_the_first_that_came_after_it_was_sent():
    """An org that had none before lists the newest first, and a busy one has dozens of them a little later."""
    rows = [{"Id": f"0Af0000000000{n:02}AAA", "CreatedDate": f"2026-05-04T10:00:{n:02}"} for n in range(40, 0, -1)]

    assert "0Af000000000001AAA" == new(rows, Sent(listed=True))[0]


def test_a_removal_of_what_was_gone_already_fits():
    """The org names the list of removals then, and not the record."""
    gone = {"componentType": "ExternalClientApplication", "fullName": "destructiveChangesPost.xml", "problem": "No …"}
    found = result("a", total=2)
    found["details"]["componentSuccesses"].append(gone)  # type: ignore[index]

    assert Fit.YES is fit(found, TWO)


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_the_mock_org_lists_what_it_took(connected: Callable[..., SalesforceProvider], way: Way):
    """Settings, classes and removals by the names that an org gives them: through the real protocol."""
    provider = connected(way=way)
    rest, api = provider.calls.rest, provider.calls.api
    post, call, lost = rest.start_deploy, api._call, []

    def losing_post(*sent: object) -> str:
        lost.append(post(*sent))  # type: ignore[arg-type]
        raise LOST

    def losing_call(operation: str, *sent: object) -> object:
        found = call(operation, *sent)  # type: ignore[arg-type]
        if operation == "deploy":
            lost.append("")
            raise LOST
        return found

    rest.start_deploy, api._call = losing_post, losing_call  # type: ignore[method-assign,assignment]
    settings = component("OauthOidcSettings/OauthOidc", {"blockOAuthUnPwFlow": True})
    options = {"check_only": False, "secrets": str, "options": {}, "started": lambda sent: None}
    first = provider.deploy([app("a"), settings], lambda stage: None, **options)  # type: ignore[arg-type]
    removed = component("ExternalClientApplication/a")
    second = provider.deploy([removed], lambda stage: None, **options)  # type: ignore[arg-type]

    assert (True, True, 2) == (first.success, second.success, len(lost)), (first, second)
