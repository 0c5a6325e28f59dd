"""References to what is neither declared nor in the org."""

from reconciler.desired.load import dangling
from reconciler.model.address import Address
from tests.desired.build import CLASS, META, Folder

FILES = """\
kind: OauthTokenExchangeHandler
name: Idp
tokenHandlerApex: IdpHandler
enablements: [{externalClientApp: portal}, {connectedApp: legacy}]
---
kind: ExtlClntAppOauthSettings
externalClientApplication: portl
commaSeparatedCustomScopes: [orders, ns__other]
---
kind: HandlerEnablement
handler: Idb
externalClientApp: ns__portal
---
kind: OauthCustomScope
name: orders
assignedTo:
- connectedApp: legacy
---
kind: ConnectedApp
name: other
plugin: Plug
permissionSetName: [Not_Ours]
---
kind: ExternalClientApplication
name: portal
"""


def nothing(address: Address) -> bool:
    return False


def test_what_is_neither_declared_nor_live_is_named_with_place_and_near_word(folder: Folder) -> None:
    """The org would say "no such app" after minutes, for the whole deployment."""
    found = dangling(folder.write(FILES).load(), nothing)
    told = "which is neither declared nor in the org"

    assert [
        ("3:1", f"tokenHandlerApex points at ApexClass/IdpHandler, {told}", "declare it, or mend the name"),
        ("4:45", f"connectedApp points at ConnectedApp/legacy, {told}", "declare it, or mend the name"),
        ("7:1", f"externalClientApplication points at ExternalClientApplication/portl, {told}", "did you mean portal?"),
        ("11:1", f"handler points at OauthTokenExchangeHandler/Idb, {told}", "did you mean Idp?"),
        ("17:3", f"assignedTo.0.connectedApp points at ConnectedApp/legacy, {told}", "declare it, or mend the name"),
        ("21:1", f"plugin points at ApexClass/Plug, {told}", "declare it, or mend the name"),
    ] == [(str(c.place).removeprefix("desired/a.yaml:"), c.message, c.mend) for c in found]


def test_what_is_in_the_org_and_would_be_deleted_is_called_so(folder: Folder) -> None:
    """The app's file was removed, its enablement forgotten: the app is there for all to see."""
    text = "kind: HandlerEnablement\nhandler: Idp\nexternalClientApp: portal\n"
    going = Address("ExternalClientApplication", "portal")
    (found,) = dangling(folder.write(text).load(), lambda address: True, {going})

    assert (
        "externalClientApp points at ExternalClientApplication/portal, which no file declares any more, so that it would be"
        " deleted",
        "put the file of portal back, or take away what points at it, too",
    ) == (found.message, found.mend)


def test_what_is_live_or_declared_is_well(folder: Folder) -> None:
    """Apps that nobody manages may still be referred to."""
    live = {"ConnectedApp/legacy", "ExternalClientApplication/portl", "OauthTokenExchangeHandler/Idb", "ApexClass/Plug"}
    folder.write({"a.yaml": FILES, "IdpHandler.cls": CLASS, "IdpHandler.cls-meta.xml": META})

    assert [] == dangling(folder.load(), lambda address: str(address) in live)


def test_a_reference_in_other_letters_is_to_the_same_record(folder: Folder) -> None:
    """The org compares names without regard to case, so an error about it would be untrue."""
    text = (
        "kind: OauthTokenExchangeHandler\nname: Idp\ntokenHandlerApex: idpHANDLER\n---\n"
        "kind: HandlerEnablement\nhandler: IDP\nexternalClientApp: PORTAL\n---\n"
        "kind: ExtlClntAppOauthSettings\nexternalClientApplication: Portal\n---\n"
        "kind: ExternalClientApplication\nname: portal\n"
    )
    found = folder.write({"a.yaml": text, "IdpHandler.cls": CLASS, "IdpHandler.cls-meta.xml": META}).load()

    assert [] == dangling(found, nothing)
    assert {
        "ExternalClientApplication/portal", "ExtlClntAppOauthSettings/portal", "OauthTokenExchangeHandler/Idp",
        "OauthTokenExchangeHandler/Idp/enablements/portal", "ApexClass/IdpHandler",
    } == set(map(str, found.resources))  # fmt: skip
