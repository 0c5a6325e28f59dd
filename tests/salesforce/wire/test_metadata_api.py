"""The Metadata API against an org that is a script: waiting, retrying, refusals, hostile answers."""

import base64
import json
from collections.abc import Callable, Iterable

import pytest
import requests
from lxml import etree

from providers.salesforce.files.archive import write_zip
from providers.salesforce.wire.metadata_api import Way
from providers.salesforce.wire.polling import PassingError
from providers.salesforce.wire.refusals import LimitError, SessionDiedError
from reconciler.errors import NotAllowedError, ReconcilerError, UnreachableError
from reconciler.model.deployment import ComponentFailure, Deployed, Landing, Sent
from reconciler.schema.values import SecretRef
from reconciler.xml.markup import NAMESPACE
from tests.salesforce.build import HOST, Answer, app, component, fault, no_time, operation, soap, stubbed

ORG = {"Id": "00D000000000001EAA", "Name": "Acme", "InstanceName": "CS1", "IsSandbox": True, "OrganizationType": "X"}
QUERY = "/services/data/v63.0/query/"
LIST = "/services/data/v63.0/tooling/query/"
DEPLOY = "/services/data/v63.0/metadata/deployRequest"


def as_json(value: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def organisation() -> Answer:
    return as_json({"totalSize": 1, "done": True, "records": [ORG]})


def zip_answer(files: dict[str, bytes], extra: str = "") -> Answer:
    packed = base64.b64encode(write_zip(files)).decode()
    inside = f"<done>true</done>{extra}<status>Succeeded</status><success>true</success><zipFile>{packed}</zipFile>"
    return soap("checkRetrieveStatus", f"<result>{inside}</result>")


def retrieve_started() -> Answer:
    return soap("retrieve", "<result><done>false</done><id>09S000000000001</id><state>Queued</state></result>")


Reply = Answer | Exception


def script(**answers: Reply | Iterable[Reply]) -> Callable[[requests.PreparedRequest], Reply]:
    """Answers by operation: one for all, or one after the other. An organisation is there if nothing else is said."""
    queues = {name: iter(found) if isinstance(found, list) else found for name, found in answers.items()}

    def answer(request: requests.PreparedRequest) -> Reply:
        name = operation(request)
        if name == QUERY and "query" not in queues:
            return organisation()
        if name == LIST and "list" not in queues:
            return as_json({"totalSize": 0, "done": True, "records": []})
        key = {QUERY: "query", LIST: "list", DEPLOY: "post"}.get(name, "get" if name.startswith(DEPLOY) else name)
        found = queues[key]
        return next(found) if not isinstance(found, tuple | Exception) else found

    return answer


def read(answer: Callable[[requests.PreparedRequest], Reply], **options: object):
    provider, stub = stubbed(answer, **options)  # type: ignore[arg-type]
    return provider.read([], lambda stage: None), stub


def deploy(answer: Callable[[requests.PreparedRequest], Reply], *, way: Way = Way.AUTO, **options: object):
    provider, stub = stubbed(answer, way=way)
    started: list[Sent] = []
    done = provider.deploy(
        [app()],
        lambda stage: None,
        check_only=False,
        secrets=lambda ref: "x",
        options=options,
        started=started.append,
    )
    return done, stub, [sent.id for sent in started if sent is not None and sent.id]


# -- waiting and retrying ------------------------------------------------------------------------------------------------


def test_the_first_question_is_asked_at_once_and_the_pauses_grow():
    """A small org should not cost seconds, a large one not thousands of calls of a daily limit."""
    waits: list[float] = []
    pending = soap("checkRetrieveStatus", "<result><done>false</done><status>InProgress</status></result>")
    statuses = [*[pending] * 80, zip_answer({})]
    read(script(retrieve=retrieve_started(), checkRetrieveStatus=statuses), patience=no_time(waits))

    assert [0.2, pytest.approx(0.3), pytest.approx(0.45)] == waits[:3]
    assert 1.0 == max(wait for wait in waits[:50])
    assert 5.0 == waits[-1]


def test_waiting_has_an_end():
    """A job that never ends must not hold a pipeline for ever."""
    pending = soap("checkRetrieveStatus", "<result><done>false</done><status>InProgress</status></result>")

    with pytest.raises(UnreachableError, match="within 60 minutes"):
        read(script(retrieve=retrieve_started(), checkRetrieveStatus=pending))


@pytest.mark.parametrize(
    "trouble",
    [
        requests.ConnectionError("reset by peer"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        (502, {}, b"<html>Bad gateway</html>"),
        (503, {}, b""),
    ],
)
def test_a_call_that_only_reads_is_tried_again(trouble: Reply):
    """One lost packet should not fail a nightly drift check."""
    waits: list[float] = []
    answers = script(retrieve=[trouble, trouble, retrieve_started()], checkRetrieveStatus=[trouble, zip_answer({})])
    live, _ = read(answers, patience=no_time(waits))

    assert "00D000000000001EAA" == live.org.id
    assert [0.5, 1.0, 0.5] == waits


def test_after_a_few_tries_the_error_names_host_and_mend():
    """The reader of a red pipeline has to know whether it is his fault."""
    with pytest.raises(UnreachableError) as wrong:
        read(lambda request: requests.ConnectionError("NewConnectionError('[Errno -2] Name or service not known')"))
    said = wrong.value.complaints[0]
    assert f"{HOST} cannot be reached" in said.message
    assert said.mend
    assert "(name or service not known)" in said.message


def test_a_certificate_that_is_not_trusted_is_not_tried_again():
    """It will not become trusted by asking."""
    provider, stub = stubbed(lambda request: requests.exceptions.SSLError("self-signed"))

    with pytest.raises(UnreachableError, match="certificate is not trusted"):
        provider.org()
    assert 1 == len(stub.asked)


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
@pytest.mark.parametrize(
    "trouble", [requests.ConnectionError("reset"), requests.ReadTimeout("slow"), (502, {}, b""), (200, {}, b"<html>")]
)
def test_a_deployment_is_never_sent_twice(way: Way, trouble: Reply):
    """When its answer is lost the org may have taken it: sending again could deploy it twice."""
    provider, stub = stubbed(script(post=trouble, deploy=trouble), way=way)
    with pytest.raises(UnreachableError, match="the org listed no such deployment within 60 seconds"):
        provider.deploy([app()], lambda s: None, check_only=False, secrets=str, options={}, started=lambda job: None)
    assert 1 == sum(operation(request) in (DEPLOY, "deploy") for request in stub.asked)


def test_the_status_of_a_deployment_is_asked_again_when_the_line_breaks():
    """The deployment goes on in the org; only our view of it was interrupted."""
    posted = as_json({"id": "0Af1"}, 201)
    status = as_json({"id": "0Af1", "deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    done, _, started = deploy(script(post=posted, get=[requests.ConnectionError("reset"), (503, {}, b""), status]))

    assert Deployed("0Af1", True, "Succeeded") == done
    assert ["0Af1"] == started


def status(name: str, *, done: bool = False, **more: object) -> Answer:
    """What REST says of a deployment."""
    return as_json({"deployResult": {"done": done, "success": name == "Succeeded", "status": name, **more}})


def test_a_queue_that_stands_still_has_an_end_and_a_mend():
    """The org is busy with somebody else's deployment: people have to hear that, and what they can do."""
    provider, _ = stubbed(script(post=as_json({"id": "0Af1"}, 201), get=status("Pending")))
    told: list[str] = []

    with pytest.raises(UnreachableError, match="deployment 0Af1 did not come to an end within 60 minutes") as wrong:
        provider.deploy([app()], told.append, check_only=False, secrets=str, options={}, started=lambda job: None)
    assert "cancel it in Setup" in wrong.value.complaints[0].mend
    assert "deployment 0Af1: Pending" in told


def test_a_deployment_that_the_org_starts_again_is_waited_for():
    """A service upgrade sets it back to its beginning (Metadata API Developer Guide, meta_deployment_service_upgrade.htm)."""
    answers = [
        status("InProgress", numberComponentsTotal=20, numberComponentsDeployed=13),
        status("Pending"),
        status("Finalizing"),
    ]
    done, _, _ = deploy(script(post=as_json({"id": "0Af1"}, 201), get=[*answers, status("Succeeded", done=True)]))

    assert Landing.LANDED is done.landing


@pytest.mark.parametrize(
    ("word", "landing"),
    [("Canceled", Landing.NOT_LANDED), ("Failed", Landing.NOT_LANDED), ("FinalizingFailed", Landing.UNKNOWN),
     ("FinalizingDeployFailed", Landing.UNKNOWN)],
)  # fmt: skip
def test_the_org_s_last_word_decides_what_became_of_it(word: str, landing: Landing):
    """What failed while it was finalized may have stayed: nobody documents it, so nobody may be sure."""
    found = status(word, done=True, canceledByName="Dana")
    done, _, _ = deploy(script(post=as_json({"id": "0Af1"}, 201), get=found))

    assert (landing, word == "Canceled") == (done.landing, done.error == "canceled by Dana")


# -- what the org says no to ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("INVALID_SESSION_ID", SessionDiedError),
        ("INSUFFICIENT_ACCESS", NotAllowedError),
        ("API_DISABLED_FOR_ORG", NotAllowedError),
        ("REQUEST_LIMIT_EXCEEDED", LimitError),
        ("UNKNOWN_EXCEPTION", PassingError),
        ("INVALID_OPERATION", ReconcilerError),
    ],
)
def test_a_fault_keeps_salesforces_own_words(code: str, error: type[ReconcilerError]):
    """People search the web for exactly these words."""
    with pytest.raises(error) as wrong:
        read(script(retrieve=fault(code, "the words of Salesforce")))
    assert error is type(wrong.value)
    assert f"{code}: the words of Salesforce" == wrong.value.complaints[0].quote


def test_an_expired_session_is_a_matter_of_login_over_rest_too():
    """The first call of a run is a query: that is where expired tokens show."""
    expired = as_json([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)

    with pytest.raises(NotAllowedError, match="does not accept the login"):
        read(script(query=expired))


def test_a_jwt_that_soap_does_not_take_is_explained():
    """The token works for everything else, so nobody would look there."""
    said = "SOAP API does not support JWT-based access tokens"

    with pytest.raises(NotAllowedError, match="does not take this token for its SOAP API"):
        read(script(retrieve=fault("INVALID_SESSION_ID", said)))


def test_rest_is_preferred_and_left_for_soap_once_it_is_closed():
    """Some orgs close one way in. Asking the closed one each time would cost a call a step."""
    closed = as_json([{"errorCode": "FUNCTIONALITY_NOT_ENABLED", "message": "closed"}], 403)
    queued = soap("deploy", "<result><done>false</done><id>0Af1</id><state>Queued</state></result>")
    status = soap(
        "checkDeployStatus", "<result><done>true</done><status>Succeeded</status><success>true</success></result>"
    )
    provider, stub = stubbed(script(post=closed, deploy=queued, checkDeployStatus=status))
    options = {"check_only": False, "secrets": lambda ref: "x", "options": {}, "started": lambda job: None}
    for _ in range(2):
        done = provider.deploy([app()], lambda stage: None, **options)

    assert Deployed("0Af1", True, "Succeeded") == done
    asked = [operation(request) for request in stub.asked if operation(request) != LIST]
    assert [DEPLOY, "deploy", "checkDeployStatus", "deploy", "checkDeployStatus"] == asked


def test_an_api_version_that_the_org_does_not_have_is_an_error_with_a_mend():
    """A pinned version of the future, or of an org that is one release behind."""
    missing = as_json([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)

    with pytest.raises(ReconcilerError, match="refused the call") as wrong:
        read(script(query=missing))
    assert "API version 63.0" in wrong.value.complaints[0].mend


def test_a_permission_that_is_missing_is_not_taken_for_a_closed_door():
    """Falling back to SOAP would only hide the true reason."""
    refused = as_json([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], 403)

    with pytest.raises(NotAllowedError):
        deploy(script(post=refused))


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_a_deployment_that_the_org_does_not_take_has_not_landed(way: Way):
    """A refusal is an answer: nobody has to wonder whether something happened."""
    words = "LIMIT_EXCEEDED: The zip file is larger than 39 MB"
    posted = as_json([{"errorCode": "LIMIT_EXCEEDED", "message": "The zip file is larger than 39 MB"}], 400)
    faulty = fault("LIMIT_EXCEEDED", "The zip file is larger than 39 MB")
    done, _, started = deploy(script(post=posted, deploy=faulty), way=way)

    assert ("", False, "Refused", words) == (done.id, done.success, done.status, done.error)
    assert [words] == [one.quote for one in done.why]
    assert [] == started


# -- what we send --------------------------------------------------------------------------------------------------------


def test_everything_that_is_sent_is_escaped():
    """A class called `A & B` in a project must not become broken or other XML."""
    provider, stub = stubbed(script(retrieve=retrieve_started(), checkRetrieveStatus=zip_answer({})))
    provider.read(["A & B", "</members><members>*"], lambda stage: None)

    sent = next(request for request in stub.asked if operation(request) == "retrieve")
    root = etree.fromstring(sent.body)
    members = [element.text for element in root.iter(f"{{{NAMESPACE}}}members")]
    assert {"A & B", "</members><members>*"} <= set(members)


def test_a_deployment_rolls_back_on_error_and_ignores_no_warning():
    """All of it lands or nothing; a warning is somebody's lost setting."""
    status = as_json({"deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    _, stub, _ = deploy(script(post=as_json({"id": "0Af1"}, 201), get=status))

    sent = stub.asked[1].body
    assert isinstance(sent, bytes)
    options = json.loads(sent[sent.index(b"{") : sent.index(b"}}") + 2])["deployOptions"]
    assert (True, False, True) == (options["rollbackOnError"], options["ignoreWarnings"], options["singlePackage"])
    assert "testLevel" not in options


def test_tests_are_asked_for_only_where_there_is_apex():
    """RunLocalTests for a changed callback URL would cost an hour in some orgs."""
    status = as_json({"deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    provider, stub = stubbed(script(post=as_json({"id": "0Af1"}, 201), get=status))
    options = {"testLevel": "RunLocalTests", "tests": ["A_Test"]}
    for components in ([app()], [component("ApexClass/Old")]):
        provider.deploy(
            components, lambda s: None, check_only=True, secrets=str, options=options, started=lambda job: None
        )

    sent = [request.body for request in stub.asked if request.method == "POST"]
    assert [False, True] == [b'"testLevel": "RunLocalTests"' in (body or b"") for body in sent]
    assert b'"runTests": ["A_Test"]' in sent[1]


def test_an_option_that_there_is_not_is_an_error():
    """A misspelt test level would silently run no tests."""
    with pytest.raises(ReconcilerError, match="test_level is not an option"):
        deploy(script(), test_level="RunLocalTests")


def test_the_same_deployment_is_the_same_request():
    """Otherwise no recorded conversation could be replayed."""
    status = as_json({"deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    one, two = (deploy(script(post=as_json({"id": "0Af1"}, 201), get=status))[1].asked[1] for _ in range(2))

    assert one.body == two.body
    assert one.headers["Content-Type"] == two.headers["Content-Type"]


def test_a_secret_is_resolved_only_for_the_zip():
    """Its value is looked for once, when it is about to be sent."""
    asked: list[SecretRef] = []

    def secret(ref: SecretRef) -> str:
        asked.append(ref)
        return "hunter2hunter2"

    ref = SecretRef("env", "X")
    status = as_json({"deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    provider, _ = stubbed(script(post=as_json({"id": "0Af1"}, 201), get=status))
    parts = [component("ExtlClntAppGlobalOauthSettings/a", {"consumerSecret": ref}, "a_g")]
    provider.payload(parts)
    provider.split([parts])
    assert [] == asked
    provider.deploy(parts, lambda s: None, check_only=False, secrets=secret, options={}, started=lambda job: None)
    assert [ref] == asked


# -- what the org says about components ----------------------------------------------------------------------------------

FAILURES = [
    {
        "componentType": "ExternalClientApplication",
        "fullName": "portal",
        "fileName": "externalClientApps/portal.eca",
        "problem": "Element contactEmial invalid at this location",
        "problemType": "Error",
        "lineNumber": 3,
        "columnNumber": "19",
    },
    {"componentType": "Settings", "fullName": "OauthOidc", "problem": "no", "lineNumber": None, "columnNumber": None},
    {"componentType": "", "fullName": "portal_oauth", "fileName": "extlClntAppOauthSettings/portal_oauth.ecaOauth"},
    {"componentType": "", "fullName": "package.xml", "fileName": "package.xml", "problem": "An object 'X' was named"},
]
DETAILS = {
    "componentFailures": FAILURES,
    "componentSuccesses": [
        {"componentType": "ApexClass", "fullName": "H", "problemType": "Warning", "problem": "deprecated"},
        {"componentType": "ApexClass", "fullName": "I", "problemType": None, "problem": None},
    ],
    "runTestResult": {
        "failures": [{"name": "H_Test", "methodName": "exchanges", "message": "System.AssertException"}],
        "codeCoverageWarnings": [{"name": "H", "message": "Test coverage is 10%"}],
    },
}
EXPECTED = (
    ComponentFailure(
        "ExternalClientApplication",
        "portal",
        "Element contactEmial invalid at this location",
        3,
        19,
        "externalClientApps/portal.eca",
    ),
    ComponentFailure("OauthOidcSettings", "OauthOidc", "no"),
    ComponentFailure(
        "ExtlClntAppOauthSettings", "portal_oauth", "", file_name="extlClntAppOauthSettings/portal_oauth.ecaOauth"
    ),
    ComponentFailure("", "package.xml", "An object 'X' was named", file_name="package.xml"),
    ComponentFailure("ApexClass", "H_Test", "exchanges: System.AssertException"),
    ComponentFailure("ApexClass", "H", "Test coverage is 10%"),
)


def as_xml(name: str, value: object) -> str:
    """A value of REST's JSON as SOAP sends it."""
    match value:
        case None:
            return ""
        case list():
            return "".join(as_xml(name, item) for item in value)
        case dict():
            return f"<{name}>{''.join(as_xml(key, item) for key, item in value.items())}</{name}>"
        case bool():
            return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{value}</{name}>"


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_failures_keep_kind_record_words_and_place(way: Way):
    """The engine finds the line in somebody's file by these; both ways in must tell the same."""
    result = {"done": True, "success": False, "status": "Failed", "errorMessage": "all rolled back", "details": DETAILS}
    done, _, _ = deploy(
        script(
            post=as_json({"id": "0Af1"}, 201),
            get=as_json({"id": "0Af1", "deployResult": result}),
            deploy=soap("deploy", "<result><id>0Af1</id></result>"),
            checkDeployStatus=soap("checkDeployStatus", as_xml("result", result)),
        ),
        way=way,
    )

    assert EXPECTED == done.failures
    assert ("ApexClass/H: deprecated",) == done.warnings
    assert (False, "Failed", "all rolled back") == (done.success, done.status, done.error)


def test_a_large_deployment_asks_for_its_details_once():
    """Ten thousand messages with each poll would be more traffic than the deployment."""
    pending = as_json({"deployResult": {"done": False, "status": "InProgress"}})
    status = as_json({"deployResult": {"done": True, "success": True, "status": "Succeeded"}})
    provider, stub = stubbed(script(post=as_json({"id": "0Af1"}, 201), get=[pending, status, status]))
    components = [app(f"a{n}") for n in range(1001)]
    provider.deploy(components, lambda s: None, check_only=False, secrets=str, options={}, started=lambda job: None)

    asked = [(request.path_url or "").rpartition("=")[2] for request in stub.asked[2:]]
    assert ["false", "false", "true"] == asked


def entry(name: str, *without: str, **fields: str) -> str:
    """One entry of a listing."""
    values = {
        "fileName": f"externalClientApps/{name}.eca",
        "fullName": name,
        "lastModifiedById": "005x",
        "lastModifiedByName": "Dana &amp; Co",
        "lastModifiedDate": "2026-01-02T03:04:05.000Z",
        "type": "ExternalClientApplication",
        **fields,
    }
    return f"<result>{''.join(f'<{k}>{v}</{k}>' for k, v in sorted(values.items()) if k not in without)}</result>"


@pytest.mark.parametrize("more", ["", entry("c", lastModifiedByName=""), entry("c", "lastModifiedByName")])
def test_what_the_org_says_about_a_record_is_never_said_about_another(more: str):
    """A user whose name is empty must not make everybody after him somebody else."""
    provider, _ = stubbed(
        script(listMetadata=soap("listMetadata", entry("a") + more + entry("b", lastModifiedByName="Eli")))
    )
    provider.calls.rest.api_version = "63.0"
    found = provider.calls.api.listing(["ExternalClientApplication"])

    assert [("a", "Dana & Co"), ("b", "Eli")] == [
        (one.full_name, one.modified_by) for one in found if one.full_name != "c"
    ]
    assert [""] * bool(more) == [one.modified_by for one in found if one.full_name == "c"]


@pytest.mark.parametrize(
    ("fields", "installed"),
    [
        ({"manageableState": "installed", "namespacePrefix": "ns"}, True),
        ({"manageableState": "installedEditable", "namespacePrefix": "ns"}, True),
        ({"namespacePrefix": "ns"}, True),
        ({"manageableState": "released", "namespacePrefix": "ours"}, False),
        ({"manageableState": "unmanaged"}, False),
        ({}, False),
    ],
)
def test_what_a_package_installed_is_told_by_its_state(fields: dict[str, str], installed: bool):
    """An org that develops a package has prefixes too, and may change what it owns."""
    for others in ("", entry("x", lastModifiedByName="")):
        provider, _ = stubbed(script(listMetadata=soap("listMetadata", entry("a", **fields) + others)))
        provider.calls.rest.api_version = "63.0"

        assert installed is provider.calls.api.listing(["ExternalClientApplication"])[0].installed


# -- hostile and broken answers ------------------------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><html><body><h1>We are down for maintenance.</h1></body></html>"
WHOLE = zip_answer({"externalClientApps/a.eca": b"<x/>"})[2]
BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + WHOLE.partition(b"?>")[2]


@pytest.mark.parametrize("body", [PAGE, b"", b"{}", WHOLE[:200], WHOLE[:-40], BOMB, b"\xff\xfe\x00", b"<a/>"])
@pytest.mark.parametrize("step", ["retrieve", "checkRetrieveStatus"])
def test_an_answer_that_is_no_soap_is_one_clear_error(body: bytes, step: str):
    """Maintenance pages, cut connections and attacks end in a sentence with the host in it."""
    answers = {"retrieve": retrieve_started(), "checkRetrieveStatus": zip_answer({}), step: (200, {}, body)}

    with pytest.raises(UnreachableError) as wrong:
        read(script(**answers))
    assert HOST in str(wrong.value) or "zip file" in str(wrong.value)


def test_a_web_page_is_called_a_web_page():
    """The commonest mistake is a URL of the web site instead of the API."""
    with pytest.raises(UnreachableError, match="answered with a web page") as wrong:
        read(script(query=(200, {"Content-Type": "text/html"}, PAGE)))
    assert "maintenance" in wrong.value.complaints[0].quote


@pytest.mark.parametrize("answer", [b"[]", b'{"records": 5}', b"null", b'"x"', b'{"records": [{}, {}]}', b"[1"])
def test_rest_answers_of_the_wrong_shape_are_one_clear_error(answer: bytes):
    """A proxy that answers for the org must not end in a traceback."""
    with pytest.raises(UnreachableError):
        read(script(query=(200, {"Content-Type": "application/json"}, answer)))


@pytest.mark.parametrize(
    "files", [{"../../evil": b"x"}, {"externalClientApps/a.eca": b"\0" * (64 << 20)}], ids=["climbing", "bomb"]
)
def test_a_hostile_zip_is_refused(files: dict[str, bytes]):
    """Whoever sits between us and the org must not be able to do more than annoy."""
    with pytest.raises(UnreachableError, match="zip file cannot be used"):
        read(script(retrieve=retrieve_started(), checkRetrieveStatus=zip_answer(files)))


def test_an_org_that_we_are_too_old_for_says_so():
    """Better than a fault about an unknown version in the middle of a run."""
    provider, _ = stubbed(lambda request: as_json([{"version": "99.0"}]))
    provider.calls.pinned = ""

    with pytest.raises(ReconcilerError, match="no API version that we know"):
        provider.org()


def test_the_newest_version_that_both_know_is_used():
    """A field that our kinds do not know would be reported as unknown, one that the org lacks be refused."""
    offered = [{"version": version} for version in ("60.0", "63.0", "65.0", "66.0", "67.0")]
    provider, _ = stubbed(
        lambda request: as_json(offered) if (request.path_url or "") == "/services/data" else organisation()
    )
    provider.calls.pinned = ""

    assert "66.0" == provider.org().api_version
