"""docs/semantics.md (Enablements; Apex): who may use a handler, and what its class does."""

import pytest

from tests.e2e.build import CODE, DANA, HANDLER, INTEGRATION, app, enablement, handler, handler_class, item
from tests.e2e.project import Project


def place(name: str) -> str:
    return f"{HANDLER}/enablements/{name}"


@pytest.fixture
def exchange(project: Project) -> Project:
    """A project with a handler's class and three apps."""
    project.source("PartnerIdpHandler", handler_class())
    return project


APPS = (app("a"), app("b"), app("c"))


def enabled(project: Project) -> list[str]:
    """The apps that may use the handler, as the org says."""
    found = project.held(HANDLER).get("enablements", [])
    return sorted((one.get("externalClientApp") or one["connectedApp"])[0] for one in found)


def enable(project: Project, name: str) -> None:
    """Somebody enables an app in Setup."""
    project.org.create(place(name), {"apexExecutionUser": INTEGRATION, "isDefault": "false"}, as_user=DANA)


def test_the_list_inside_of_a_handler_is_authoritative(exchange: Project):
    """*Others are removed*: a list that somebody reviewed says who may exchange tokens, and who may not."""
    exchange.declare(*APPS, handler(enablements=[item("a")]))
    exchange.apply()
    enable(exchange, "b")

    assert [f"delete {place('b')}"] == list(exchange.planned())
    assert 4 == exchange.run("apply", "--auto-approve").code
    exchange.apply("--allow", "delete")
    assert ["a"] == enabled(exchange)
    assert {} == exchange.planned()


def test_an_empty_list_removes_all(exchange: Project):
    """`enablements: []` is not the same as no list."""
    exchange.declare(*APPS, handler(enablements=[item("a")]))
    exchange.apply()
    enable(exchange, "b")
    exchange.declare(*APPS, handler(enablements=[]))

    exchange.apply("--allow", "delete")

    assert [] == enabled(exchange)


def test_documents_are_additive(exchange: Project):
    """*Each owns itself, strangers stay*: two teams may enable their apps for one handler."""
    exchange.declare(*APPS, handler(), enablement("a"))
    exchange.apply()
    enable(exchange, "b")
    exchange.declare(*APPS, handler(), enablement("a", isDefault=True), enablement("c"))

    assert {f"update {place('a')}", f"create {place('c')}"} == set(exchange.planned())
    exchange.apply()
    assert ["a", "b", "c"] == enabled(exchange)


def test_a_handler_without_a_list_keeps_strangers(exchange: Project):
    """A change of the handler itself must not throw anybody out."""
    exchange.declare(*APPS, handler())
    exchange.apply()
    enable(exchange, "b")
    exchange.declare(*APPS, handler(description="Better"))

    exchange.apply()

    assert (["b"], "Better") == (enabled(exchange), exchange.held(HANDLER, "description"))


def test_a_document_may_enable_an_app_for_a_handler_that_nobody_declares(exchange: Project):
    """The handler is another team's; its record is sent back as it was, with one enablement more."""
    exchange.declare(*APPS, handler(), enablement("b"))
    exchange.apply()
    before = {**exchange.held(HANDLER), "enablements": None}
    assert 0 == exchange.run("baseline", "forget", HANDLER).code
    exchange.declare(*APPS, enablement("a"))

    exchange.apply()

    assert (["a", "b"], before) == (enabled(exchange), {**exchange.held(HANDLER), "enablements": None})


def test_removing_a_document_removes_its_enablement_only(exchange: Project):
    """And a stranger's stays, although it was there all the time."""
    exchange.declare(*APPS, handler(), enablement("a"), enablement("b"))
    exchange.apply()
    enable(exchange, "c")
    exchange.declare(*APPS, handler(), enablement("a"))

    exchange.apply("--allow", "delete")

    assert ["a", "c"] == enabled(exchange)


def test_both_forms_for_one_handler_are_an_error(exchange: Project):
    """One says "nobody else", the other "me too": a person has to decide."""
    exchange.declare(*APPS, handler(enablements=[item("a")]), enablement("b"))

    found = exchange.run("plan")

    assert (3, True) == (found.code, "lists its enablements itself" in found.err)
    assert "also at desired/identity.yaml" in found.err


def test_a_connected_app_is_enabled_by_its_own_field(exchange: Project):
    """`connectedApp` instead of `externalClientApp`; the same three rules."""
    one = {k: v for k, v in enablement("").items() if k != "externalClientApp"} | {"connectedApp": "Legacy_ERP"}
    exchange.declare(*APPS, handler(), one, enablement("a"))
    exchange.apply()

    assert ["Legacy_ERP", "a"] == enabled(exchange)
    assert {} == exchange.planned()


def test_an_enablement_that_somebody_adds_is_drift_with_high_severity(exchange: Project):
    """A stranger's app that may exchange tokens is what the drift check is for."""
    exchange.declare(*APPS, handler(), enablement("a"))
    exchange.apply()
    enable(exchange, "b")

    found = exchange.run("drift", "--output", "json").json["findings"]

    assert [(place("b"), "drift.unmanaged", "high", "weakens", "dana@acme.example")] == [
        (f["address"], f["id"], f["severity"], f["direction"], f["attribution"]["by"]) for f in found
    ]


def test_who_an_enablement_runs_as_is_drift_and_restored(exchange: Project):
    """The handler's Apex suddenly runs as a person with all rights."""
    exchange.declare(*APPS, handler(), enablement("a"))
    exchange.apply()
    exchange.org.set(place("a"), {"apexExecutionUser": DANA}, as_user=DANA)

    assert {f"{place('a')}.apexExecutionUser": (INTEGRATION, DANA)} == exchange.drifted()
    assert {f"update {place('a')}": {"apexExecutionUser": (DANA, INTEGRATION)}} == exchange.planned()
    exchange.apply()
    assert {} == exchange.drifted()


def test_the_class_of_a_managed_handler_is_kept_and_its_drift_reported(exchange: Project):
    """*The class of a managed handler is always read and kept in the baseline*, also where no file declares it."""
    exchange.org.add_apex_class("PartnerIdpHandler", handler_class())
    exchange.remove_source("PartnerIdpHandler")
    exchange.declare(*APPS, handler())
    exchange.apply()
    assert handler_class().strip() == exchange.baseline[CODE]["body"]["content"].strip()
    exchange.org.set(CODE, {"body": handler_class(comment="lets everybody in")}, as_user=DANA)

    (found,) = exchange.run("drift", "--output", "json").json["findings"]

    assert (CODE, ["content"], "critical", "weakens") == (
        found["address"],
        found["path"],
        found["severity"],
        found["direction"],
    )
    assert {} == exchange.planned()


def test_the_class_that_a_handler_is_switched_to_is_kept_too(exchange: Project):
    """An admin points the handler at another class: the next apply must not forget to watch it."""
    exchange.declare(*APPS, handler())
    exchange.apply()
    exchange.org.add_apex_class("OtherHandler", handler_class("OtherHandler"))
    exchange.declare(*APPS, handler(tokenHandlerApex="OtherHandler"))

    exchange.apply()

    assert "ApexClass/OtherHandler" in exchange.baseline
    assert {} == exchange.drifted()


def test_a_declared_class_is_restored(exchange: Project):
    """Code in the files is what runs."""
    exchange.declare(*APPS, handler())
    exchange.apply()
    exchange.org.set(CODE, {"body": handler_class(comment="lets everybody in")}, as_user=DANA)

    assert [f"update {CODE}"] == list(exchange.planned())
    exchange.apply()
    with exchange.org.reading() as world:
        code = world.component("ApexClass", "PartnerIdpHandler")
    assert (handler_class(), {}) == (code and (code.content or b"").decode(), exchange.drifted())


def test_line_endings_of_a_class_are_no_change(exchange: Project):
    """A checkout on Windows must not redeploy every class."""
    exchange.declare(*APPS, handler())
    exchange.apply()
    text = handler_class().replace("\n", "\r\n").rstrip()
    (exchange.root / "desired" / "PartnerIdpHandler.cls").write_bytes(text.encode())

    assert {} == exchange.planned()


def test_test_classes_may_be_declared(exchange: Project):
    """*Test classes may be declared*: production takes no Apex without them."""
    exchange.source("PartnerIdpHandlerTest", "@IsTest\nprivate class PartnerIdpHandlerTest {\n}\n")
    exchange.declare(*APPS, handler())

    exchange.apply()

    assert "ApexClass/PartnerIdpHandlerTest" in exchange.baseline
    assert {} == exchange.planned()


def test_an_app_that_goes_is_taken_out_of_a_handler_of_its_own(exchange: Project):
    """App, enablement and the rest in one deployment: order follows from references."""
    exchange.declare(app("a"), app("b"), handler(enablements=[item("a"), item("b")]))
    exchange.apply()
    exchange.declare(app("b"), handler(enablements=[item("b")]))

    exchange.apply("--allow", "delete")

    assert (["b"], None) == (enabled(exchange), exchange.held("ExternalClientApplication/a"))
    assert ({}, {}) == (exchange.planned(), exchange.drifted())


def test_the_default_moves_from_one_handler_to_another(exchange: Project):
    """An app has one default handler; two records have to change together."""
    exchange.source("OtherHandler", handler_class("OtherHandler"))
    other = handler("Other", tokenHandlerApex="OtherHandler")
    exchange.declare(*APPS, handler(), other, enablement("a", isDefault=True), enablement("a", "Other"))
    exchange.apply()
    exchange.declare(*APPS, handler(), other, enablement("a"), enablement("a", "Other", isDefault=True))

    exchange.apply()

    assert {} == exchange.planned()


def test_an_enablement_whose_handler_goes_is_an_error(exchange: Project):
    """The file of the handler is gone, the other team's document is still there: deleting would break both."""
    exchange.declare(*APPS, handler(), enablement("a"))
    exchange.apply()
    exchange.declare(*APPS, enablement("a"))
    before = exchange.content()

    found = exchange.run("apply", "--auto-approve", "--allow", "delete")

    assert (3, before) == (found.code, exchange.content()), found.said


def test_an_enablement_whose_app_goes_is_an_error(exchange: Project):
    """The app is removed in one file, and another one still lets it in."""
    exchange.declare(*APPS, handler(), enablement("a"))
    exchange.apply()
    exchange.declare(*APPS[1:], handler(), enablement("a"))
    before = exchange.content()

    found = exchange.run("apply", "--auto-approve", "--allow", "delete")

    assert (3, before) == (found.code, exchange.content()), found.said


def test_an_enablement_that_vanished_is_drift_and_comes_back(exchange: Project):
    """Somebody switched an integration off; the plan says so and switches it on again."""
    exchange.declare(*APPS, handler(), enablement("a"), enablement("b"))
    exchange.apply()
    exchange.org.delete(place("a"), as_user=DANA)

    assert {place("a"): (None, None)} == exchange.drifted()
    exchange.apply()
    assert ({}, ["a", "b"]) == (exchange.drifted(), enabled(exchange))
