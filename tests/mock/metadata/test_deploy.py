"""Deployments: asynchronous, all or nothing, one at a time, and exact about what happened."""

from __future__ import annotations

import base64
import os
import zipfile
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.mock import Org, open_org
from tests.mock.wire import (
    NS,
    Piece,
    Wire,
    apex,
    app,
    global_oauth,
    manifest,
    oauth,
    package,
    policy,
    setting,
    whole,
    zipped,
)

X = f"{{{NS}}}"


def everything(wire: Wire) -> dict[str, bytes]:
    kinds = (
        "ConnectedApp",
        "ExternalClientApplication",
        "ExtlClntAppOauthSettings",
        "ExtlClntAppConfigurablePolicies",
        "Settings",
    )
    return wire.retrieve({kind: ["*"] for kind in kinds}).files


def test_a_failed_deployment_leaves_nothing(wire: Wire, org: Org) -> None:
    """Half an app is worse than none."""
    before, audited = everything(wire), len(org.audit())

    done = wire.deploy(*whole("order"), app("other", nonsense=True))

    assert ("Failed", False) == (done.status, done.result["success"])
    assert before == everything(wire)
    assert audited == len(org.audit())


def test_without_rollback_what_stands_by_itself_lands(wire: Wire) -> None:
    """In a sandbox a partial deployment keeps the good components and drops those that needed a bad one."""
    bad = app("bad", nonsense=True)
    done = wire.deploy(bad, oauth("bad"), app("good"), oauth("good"), options={"rollbackOnError": False})

    assert "SucceededPartial" == done.status
    assert {"bad", "bad_oauth"} == {each["fullName"] for each in done.failures}
    files = everything(wire)
    assert "externalClientApps/good.eca" in files
    assert not any("bad" in name for name in files)


def test_created_changed_unchanged_and_deleted_are_told_apart(wire: Wire) -> None:
    """Clients build their tables from these three flags."""
    assert "created" == wire.deployed(app("order")).state("order")
    stamp = wire.retrieve({"ExternalClientApplication": ["order"]}).properties["externalClientApps/order.eca"]

    assert "unchanged" == wire.deployed(app("order")).state("order")
    assert stamp == wire.retrieve({"ExternalClientApplication": ["order"]}).properties["externalClientApps/order.eca"]
    assert "changed" == wire.deployed(app("order", description="new")).state("order")
    assert "deleted" == wire.destroy("ExternalClientApplication", "order").state("order")


def test_check_only_judges_everything_and_changes_nothing(wire: Wire, org: Org) -> None:
    """What `plan --validate` relies on."""
    done = wire.deployed(*whole("order"), options={"checkOnly": True})

    assert "created" == done.state("order")
    assert not any("order" in name for name in everything(wire))
    assert 0 == org.write_calls
    assert "Failed" == wire.deploy(app("order", nonsense=True), options={"checkOnly": True}).status


def test_a_validation_can_be_deployed_quickly(wire: Wire) -> None:
    """Once, with tests, and not what failed or was no validation."""
    options = {"checkOnly": True, "testLevel": "RunLocalTests"}
    job = wire.start(package(app("order")), **options)
    assert "Succeeded" == wire.poll(job).status

    quick = wire.soap("deployRecentValidation", f"<validationId>{job}</validationId>").findtext(f"{X}result") or ""

    assert "Succeeded" == wire.poll(quick).status
    assert "externalClientApps/order.eca" in everything(wire)
    other = wire.start(package(app("other")))
    wire.poll(other)
    assert "INVALID_ID_FIELD" in wire.fault("deployRecentValidation", f"<validationId>{other}</validationId>")
    url = f"{wire.base}/services/data/v66.0/metadata/deployRequest"
    assert 201 == wire.session.post(url, json={"validatedDeployRequestId": job}, headers=wire.bearer).status_code


def test_a_deployment_goes_through_its_states(wire: Wire, org: Org) -> None:
    """A client that takes the first answer for the last one would report success too early."""
    org.switch("deploy_polls", 2)
    job = wire.start(package(app("order")))

    assert ["Pending", "InProgress", "Succeeded", "Succeeded"] == [wire.poll(job).status for _ in range(4)]


def test_deployments_run_one_at_a_time_in_their_order(wire: Wire, org: Org) -> None:
    """The second waits, whoever is polled."""
    org.switch("deploy_polls", 1)
    first, second = wire.start(package(app("order"))), wire.start(package(oauth("order")))

    assert ["Pending", "Pending"] == [wire.poll(second).status, wire.result_status(second)]
    assert "Succeeded" == wire.result_status(first)
    assert ["InProgress", "Succeeded"] == [wire.poll(second).status for _ in range(2)]


def test_a_deployment_that_nobody_polls_still_happens(wire: Wire) -> None:
    """A client that lost the answer looks at the live state."""
    wire.start(package(app("order")))

    assert "externalClientApps/order.eca" in everything(wire)


def test_a_deployment_can_be_canceled_before_it_ran(wire: Wire, org: Org) -> None:
    """By SOAP and by REST; not any more when it is over."""
    org.switch("deploy_polls", 2)
    job, other = wire.start(package(app("order"))), wire.start(package(app("other")))

    result = wire.soap("cancelDeploy", f"<String>{job}</String>").find(f"{X}result")
    assert result is not None
    assert job == result.findtext(f"{X}id")
    url = f"{wire.base}/services/data/v66.0/metadata/deployRequest/{other}"
    assert (
        202 == wire.session.patch(url, json={"deployResult": {"status": "Canceling"}}, headers=wire.bearer).status_code
    )

    assert ["Canceled", "Canceled"] == [wire.poll(job).status, wire.poll(other).status]
    assert not any("order" in name for name in everything(wire))
    assert "already completed" in wire.fault("cancelDeploy", f"<id>{job}</id>")


def test_a_running_deployment_is_canceled_with_the_next_poll(wire: Wire, org: Org) -> None:
    """Canceling is a state of its own."""
    org.switch("deploy_polls", 3)
    job = wire.start(package(app("order")))
    assert ["Pending", "InProgress"] == [wire.poll(job).status for _ in range(2)]

    wire.soap("cancelDeploy", f"<String>{job}</String>")

    assert "Canceling" == wire.result_status(job)
    assert "Canceled" == wire.poll(job).status


def test_a_member_that_the_zip_does_not_hold_fails_the_deployment(wire: Wire) -> None:
    """The exact text that clients match."""
    text = "An object 'order' of type ExternalClientApplication was named in package.xml, but was not found in zipped directory"
    data = zipped({"package.xml": manifest({"ExternalClientApplication": ["order"]})})

    assert [text] == wire.poll(wire.start(data)).problems
    assert "Succeeded" == wire.poll(wire.start(data, allowMissingFiles=True)).status


def test_a_file_that_package_xml_does_not_name_fails(wire: Wire) -> None:
    """Otherwise it would be believed to be deployed."""
    data = zipped({"package.xml": manifest({}), app("order").path: app("order").body})

    assert ["Not in package.xml"] == wire.poll(wire.start(data)).problems


def test_a_wildcard_takes_what_the_zip_holds(wire: Wire) -> None:
    """As some clients write their manifests."""
    data = zipped({"package.xml": manifest({"ExternalClientApplication": ["*"]}), app("order").path: app("order").body})

    assert "created" == wire.poll(wire.start(data)).state("order")


@pytest.mark.parametrize("prefix", ["", "zip/", "metadata/"])
def test_package_xml_may_stand_one_folder_down(wire: Wire, prefix: str) -> None:
    """Each client puts it elsewhere, whatever singlePackage says; file names are those of the zip."""
    done = wire.deployed(app("order"), prefix=prefix)

    assert f"{prefix}externalClientApps/order.eca" == done.successes["order"]["fileName"]


@pytest.mark.parametrize("version", ["67.0", "99.0"])
def test_a_package_of_a_version_to_come_is_refused(wire: Wire, version: str) -> None:
    """Its fields could not be judged."""
    assert f"Invalid version specified: {version}" == wire.refused(app("order"), version=version)


def test_unknown_types_are_named(wire: Wire) -> None:
    """A misspelled type would otherwise deploy nothing and succeed."""
    data = zipped({"package.xml": manifest({"ExternalClientApp": ["order"]})})

    assert ["Unknown type name 'ExternalClientApp' specified in package.xml"] == wire.poll(wire.start(data)).problems


def test_deleting_what_is_not_there_is_a_warning(wire: Wire) -> None:
    """The text that the Salesforce CLI looks for; the deployment succeeds."""
    done = wire.destroy("ExternalClientApplication", "nobody")

    message = done.successes["destructiveChanges.xml"]
    assert ("Warning", "No ExternalClientApplication named: nobody found") == (
        message["problemType"],
        message["problem"],
    )
    assert "Succeeded" == done.status


def test_destructive_changes_know_no_wildcard(wire: Wire) -> None:
    """A star must not empty an org."""
    assert ["Wildcards are not supported in destructive changes"] == wire.destroy("ConnectedApp", "*").problems


@pytest.mark.parametrize(("when", "left"), [("", True), ("Pre", True), ("Post", False)])
def test_deletions_come_before_or_after(wire: Wire, when: str, left: bool) -> None:
    """A package that deletes and brings the same app replaces it, or ends without it."""
    wire.deployed(app("order"))
    extra = {f"destructiveChanges{when}.xml": manifest({"ExternalClientApplication": ["order"]})}

    wire.deployed(app("order"), extra=extra)

    assert left is ("externalClientApps/order.eca" in everything(wire))


def test_settings_are_a_type_of_their_own(wire: Wire) -> None:
    """Three kinds, one manifest name."""
    wire.deployed(setting("OauthOidcSettings", "OauthOidc", blockOAuthUnPwFlow=True))

    read = wire.retrieve({"Settings": ["OauthOidc"]})
    assert "true" == read.text("settings/OauthOidc.settings", "blockOAuthUnPwFlow")
    assert "false" == read.text("settings/OauthOidc.settings", "oAuthCdCrdtFlowEnable")
    assert ["OauthOidc settings cannot be deleted"] == wire.destroy("Settings", "OauthOidc").problems


def test_a_class_needs_both_of_its_files(wire: Wire) -> None:
    """The body alone says nothing about its version."""
    piece = apex("Exchange")
    data = zipped({"package.xml": manifest({"ApexClass": ["Exchange"]}), piece.path: piece.body})

    assert ["classes/Exchange.cls-meta.xml was not found in zipped directory"] == wire.poll(wire.start(data)).problems
    wire.deployed(piece)
    files = wire.retrieve({"ApexClass": ["Exchange"]}).files
    assert str(piece.body).encode() == files["classes/Exchange.cls"]


def test_a_message_has_every_field_of_the_wsdl_in_its_order(wire: Wire) -> None:
    """Strict clients fail on a field that is out of place."""
    message = wire.deployed(app("order")).successes["order"]
    names = "changed columnNumber componentType created createdDate deleted fileName fullName id lineNumber problem problemType success"

    assert names.split() == list(message)


def test_numbers_of_a_result_count_components_only(wire: Wire) -> None:
    """package.xml is among the messages and is no component."""
    done = wire.deploy(*whole("order"), app("bad", nonsense=True))

    assert (4, 3, 1) == tuple(
        done.result[name] for name in ("numberComponentsTotal", "numberComponentsDeployed", "numberComponentErrors")
    )


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.txt": "x"}, "No package.xml found"),
        ({"package.xml": "<Package"}, "Error parsing file package.xml"),
        ({"package.xml": manifest({}), "../evil.cls": "x"}, "a path that leaves it"),
        ({"package.xml": manifest({}), "/etc/evil.cls": "x"}, "a path that leaves it"),
        ({"package.xml": manifest({}), "a\\..\\evil.cls": "x"}, "Not in package.xml|path that leaves it|Succeeded"),
    ],
)
def test_a_broken_package_fails_by_itself(wire: Wire, files: dict[str, str], problem: str) -> None:
    """Nobody's zip may reach outside, and nobody's zip may break the org."""
    done = wire.poll(wire.start(zipped(files)))

    assert any(word in str(done.problems) + done.status for word in problem.split("|"))


def test_what_is_no_zip_fails(wire: Wire) -> None:
    """A cut-off upload."""
    assert "cannot be read" in wire.poll(wire.start(b"PK\x03\x04 nothing")).problems[0]
    assert "cannot be read" in wire.poll(wire.start(package(app("order"))[:-40])).problems[0]


def test_the_same_file_twice_in_a_zip_fails(wire: Wire) -> None:
    """Which of the two counts is anybody's guess, and has been an attack."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("package.xml", manifest({}))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("package.xml", manifest({"ConnectedApp": ["x"]}))

    assert "holds package.xml twice" in wire.poll(wire.start(buffer.getvalue())).problems[0]


def test_too_many_files_exceed_the_limit(wire: Wire) -> None:
    """10,000 files are the platform's bound."""
    data = zipped({"package.xml": manifest({}), **{f"classes/A{n}.cls": "" for n in range(10_000)}})

    done = wire.poll(wire.start(data))

    assert ("Failed", "LIMIT_EXCEEDED") == (done.status, done.result["errorStatusCode"])


def test_too_large_zips_exceed_the_limit(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed and uncompressed, whatever the directory of the zip claims."""
    monkeypatch.setattr("providers.mock.metadata.package.MAX_CONTENT", 1000)
    done = wire.poll(wire.start(zipped({"package.xml": manifest({}), "classes/A.cls": "x" * 2000})))
    assert "LIMIT_EXCEEDED" == done.result["errorStatusCode"]

    monkeypatch.setattr("providers.mock.metadata.package.MAX_ZIP", 100)
    done = wire.poll(wire.start(package(app("order"))))

    assert "LIMIT_EXCEEDED" == done.result["errorStatusCode"]


def test_a_large_zip_passes_through_soap(wire: Wire) -> None:
    """A text of more than 10 MB would be refused by the XML parser itself."""
    data = package(app("order"), extra={"noise.bin": os.urandom(8_000_000)})
    options = "<DeployOptions><allowMissingFiles>true</allowMissingFiles></DeployOptions>"

    job = wire.soap("deploy", f"<ZipFile>{base64.b64encode(data).decode()}</ZipFile>{options}").findtext(
        f"{X}result/{X}id"
    )

    assert "created" == wire.poll(job or "").state("order")


def test_the_deploying_user_is_who_changed_it(wire: Wire, org: Org) -> None:
    """Drift reports name people."""
    integration = Wire(org, "integration@acme.example")
    wire.deployed(app("order"))

    integration.deployed(app("order", description="new"))

    found = wire.retrieve({"ExternalClientApplication": ["order"]}).properties["externalClientApps/order.eca"]
    assert ("Ada Admin", "Integration User") == (found["createdByName"], found["lastModifiedByName"])
    assert ("integration@acme.example", "Changed ExternalClientApplication order") == (
        org.audit()[0].created_by,
        org.audit()[0].display,
    )


def test_times_tell_the_order(wire: Wire) -> None:
    """Two deployments within a millisecond still have an order."""
    stamps = []
    for number in range(5):
        wire.deployed(app("order", description=f"d{number}"))
        found = wire.retrieve({"ExternalClientApplication": ["order"]}).properties["externalClientApps/order.eca"]
        stamps.append(found["lastModifiedDate"])

    assert sorted(set(stamps)) == stamps


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "other", "third"]),
        st.sampled_from(["whole", "app", "policy", "bad", "delete"]),
        st.text("ab", max_size=3),
    ),
    max_size=6,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_deploying_what_was_retrieved_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    """Whatever happened before, a read-back is a fixed point: the second plan of a client is empty."""
    org = open_org(tmp_path_factory.mktemp("org") / "org.db")
    wire = Wire(org)
    for name, what, text in steps:
        if what == "delete":
            wire.destroy("ExternalClientApplication", name)
        else:
            pieces = {
                "whole": whole(name),
                "app": [app(name, description=text)],
                "policy": [policy(name)],
                "bad": [app(name, x=1)],
            }
            wire.deploy(*pieces[what])
    kinds = ("ExternalClientApplication", "ExtlClntAppOauthSettings", "ExtlClntAppGlobalOauthSettings",
             "ExtlClntAppOauthConfigurablePolicies", "ExtlClntAppConfigurablePolicies", "Settings")  # fmt: skip
    files = wire.retrieve({kind: ["*"] for kind in kinds}).files

    done = wire.poll(wire.start(zipped(files)))

    assert "Succeeded" == done.status, done.problems
    assert {"unchanged"} == {done.state(name) for name in done.successes if name != "package.xml"}
    org.close()


def test_pieces_of_a_package_that_fails_are_all_reported(wire: Wire) -> None:
    """One run, all mistakes."""
    done = wire.deploy(
        app("a", nonsense=1), app("b", isProtected="x"), Piece("ExternalClientApplication", "c", "<"), global_oauth("d")
    )

    assert {"a", "b", "c", "d_glbloauth"} == {each["fullName"] for each in done.failures}
