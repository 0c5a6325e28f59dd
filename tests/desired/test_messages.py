"""The mistakes that people make, and what they read then. Read this table as a user would."""

import pytest

from tests.desired.build import Folder

ECA = "kind: ExternalClientApplication\nname: a\n"
CA = "kind: ConnectedApp\nname: a\n"

TABLE = [
    ("name: a\n", "1:1", "kind is missing", "add kind: with one of ApexClass, ConnectedApp, "),
    ("kind: ConectedApp\n", "1:1", "'ConectedApp' is not a kind", "did you mean ConnectedApp?"),
    ("kind: HandlerEnablment\n", "1:1", "'HandlerEnablment' is not a kind", "did you mean HandlerEnablement?"),
    ("kind: CustomObject\n", "1:1", "'CustomObject' is not a kind", "one of: ApexClass, "),
    ("kind: [a]\n", "1:1", "kind must be a text", "one of: ApexClass, "),
    ("kind: ${var.x}\n", "1:1", "'${var.x}' is not a kind", "one of: ApexClass, "),
    ("just text\n", "1:1", "a document must hold `kind:`, `name:` and fields", "start it with kind: …"),
    ("kind: ConnectedApp\n", "1:1", "name is missing", "add name: and the API name"),
    (
        "kind: ConnectedApp\nname: Order portal\n",
        "2:1",
        "'Order portal' is not an API name: it holds a blank; only letters, digits and underscores may stand there",
        "write the API name, not the label",
    ),
    (
        "kind: ConnectedApp\nname: a/b\n",
        "2:1",
        "'a/b' is not an API name: it holds a slash; only letters, digits and underscores may stand there",
        "write the API name, not the label",
    ),
    ("kind: ConnectedApp\nname: 1a\n", "2:1", "'1a' is not an API name: it must start with a letter", "write the API name"),
    (
        "kind: ConnectedApp\nname: a__b__c\n",
        "2:1",
        "'a__b__c' is not an API name: two underscores in a row stand only after a namespace",
        "write the API name",
    ),
    ("kind: ConnectedApp\nname: 42\n", "2:1", "'42' is not an API name: it must start with a letter", "write the API name"),
    ("kind: ConnectedApp\nname: [a]\n", "2:1", "name must be a text", "write the API name, in quotes if it looks like a number"),
    ("kind: ConnectedApp\nname: Shop_\n", "2:1", "'Shop_' is not an API name: it must not end with an underscore", "write the API name"),
    ("kind: ConnectedApp\nname: _Shop\n", "2:1", "'_Shop' is not an API name: it must start with a letter", "write the API name"),
    ("kind: ConnectedApp\nname: My__Own__Shop\n", "2:1", "'My__Own__Shop' is not an API name: two underscores in a row stand only after a namespace", "write the API name"),
    (CA + "lable: x\n", "3:1", "lable is not a field of ConnectedApp", "did you mean label?"),
    (
        "kind: ExternalClientApplication\nname: a\noauthConfig:\n  callbackUrl: x\n",
        "3:1",
        "oauthConfig is not a field of ExternalClientApplication; it belongs to ConnectedApp",
        "an external client app has it in globalOauthSettings, oauthSettings and oauthPolicies",
    ),
    (
        "kind: ExternalClientApplication\nname: a\noauthPolicy: {ipRelaxation: ENFORCE}\n",
        "3:1",
        "oauthPolicy is not a field of ExternalClientApplication; it belongs to ConnectedApp",
        "an external client app has it in oauthPolicies",
    ),
    (CA + "oauthConfig:\n  callbackURL: []\n", "4:3", "callbackURL is not a field of ConnectedAppOauthConfig", "did you mean callbackUrl?"),
    (
        CA + "callbackUrl: []\n",
        "3:1",
        "callbackUrl is not a field of ConnectedApp; it belongs inside of oauthConfig",
        "write it below oauthConfig:, indented",
    ),
    # A near word would be wrong here: the field is spelt right and stands in the wrong place.
    (
        CA + "oauthConfig:\n  isTokenExchangeFlowEnabled: true\n",
        "4:3",
        "isTokenExchangeFlowEnabled is not a field of ConnectedAppOauthConfig; it belongs inside of oauthPolicy",
        "write it below oauthPolicy:, indented",
    ),
    (
        CA + "oauthPolicy: {isAdminApproved: true}\n",
        "3:15",
        "isAdminApproved is not a field of ConnectedAppOauthPolicy; it belongs inside of oauthConfig",
        "write it below oauthConfig:, indented",
    ),
    (
        CA + "oauthPolicy: {permissionSetName: [a]}\n",
        "3:15",
        "permissionSetName is not a field of ConnectedAppOauthPolicy; it belongs to ConnectedApp",
        "write it beside oauthPolicy:, not below it",
    ),
    (
        "kind: HandlerEnablement\nhandler: a\nconnectedApp: b\ntokenHandlerApex: c\n",
        "4:1",
        "tokenHandlerApex is not a field of HandlerEnablement; it belongs to OauthTokenExchangeHandler",
        "write it in the handler's own document, at the top",
    ),
    (ECA + "oauthPolices:\n  label: x\n", "3:1", "oauthPolices is not a field of ExternalClientApplication", "did you mean oauthPolicies?"),
    (ECA + "policies:\n", "3:1", "policies is empty", "remove it, or write policies: {}"),
    (ECA + "policies: true\n", "3:1", "policies must hold the fields of ExtlClntAppConfigurablePolicies", "write them below it, indented"),
    (ECA + "policies: {lifecycle: {}}\n", "3:12", "lifecycle is not a field of ExtlClntAppConfigurablePolicies", "lifecycle stands at the top of a document"),
    (ECA + "policies: {externalClientApplication: b}\n", "3:12", "externalClientApplication is not the app that this stands in", "remove the line"),
    # S004 of the requirements puts these two under `policies`, where the org refuses them.
    (
        ECA + "policies:\n  isClientCredentialsFlowEnabled: true\n",
        "4:3",
        "isClientCredentialsFlowEnabled is not a field of ExtlClntAppConfigurablePolicies; it belongs to ExtlClntAppOauthConfigurablePolicies",
        "write it under oauthPolicies, which is ExtlClntAppOauthConfigurablePolicies (globalOauthSettings has a field of that name too)",
    ),
    (
        "kind: ExtlClntAppConfigurablePolicies\nexternalClientApplication: a\nclientCredentialsFlowUser: a@b\n",
        "3:1",
        "clientCredentialsFlowUser is not a field of ExtlClntAppConfigurablePolicies; it belongs to ExtlClntAppOauthConfigurablePolicies",
        "write it in a document of kind ExtlClntAppOauthConfigurablePolicies",
    ),
    (
        ECA + "isTokenExchangeEnabled: true\n",
        "3:1",
        "isTokenExchangeEnabled is not a field of ExternalClientApplication; it belongs to ExtlClntAppGlobalOauthSettings",
        "write it under globalOauthSettings, which is ExtlClntAppGlobalOauthSettings",
    ),
    (
        ECA + "oauthSettings: {contactEmail: a@b}\n",
        "3:17",
        "contactEmail is not a field of ExtlClntAppOauthSettings; it belongs to ExternalClientApplication",
        "write it at the top of the document",
    ),
    (
        "kind: ExtlClntAppOauthSettings\nlabel: x\n",
        "1:1",
        "externalClientApplication is missing",
        "add externalClientApplication: and the app that this ExtlClntAppOauthSettings belongs to",
    ),
    (
        "kind: OauthTokenExchangeHandler\nname: a\nisDefault: true\n",
        "3:1",
        "isDefault is not a field of OauthTokenExchangeHandler; it belongs inside of enablements",
        "write it below enablements:, indented",
    ),
    ("kind: HandlerEnablement\nconnectedApp: a\n", "1:1", "handler is missing", "add handler: and the handler that the app may use"),
    ("kind: HandlerEnablement\nhandler: a\n", "1:1", "this enablement names no app", "write exactly one of externalClientApp and connectedApp"),
    ("kind: HandlerEnablement\nhandler: a\nconnectedApp: b\nuser: c\n", "4:1", "user is not a field of HandlerEnablement", ""),
    ("kind: HandlerEnablement\nname: x\nhandler: a\nconnectedApp: b\n", "2:1", "HandlerEnablement takes no name: handler and app name it", "remove the line"),
    (CA + "oauthConfig: {isPkceRequired: yes}\n", "3:15", "isPkceRequired must be true or false, not the text 'yes'", "write true"),
    (CA + "contactPhone: null\nlabel: null\n", "4:1", "label is required and cannot be null", "give a value, or leave the key out"),
    (CA + "oauthConfig: {scopes: [api]}\n", "3:24", "'api' is not a value of scopes", "did you mean Api?"),
    (CA + "oauthConfig: {scopes: Api}\n", "3:15", "scopes must be a list, not the text 'Api'", "write it as a list"),
    (
        CA + "oauthPolicy: {ipRelaxation: RELAX}\n",
        "3:15",
        "'RELAX' is not a value of ipRelaxation",
        "one of: ENFORCE, ENFORCE_RELAXREFRESH, BYPASS_2FACTOR, BYPASS",
    ),
    (CA + "sessionPolicy: {sessionTimeout: 30 minutes}\n", "3:17", "sessionTimeout must be a whole number, not the text '30 minutes'", ""),
    (
        CA + "oauthConfig: {consumerSecret: abc}\n",
        "3:15",
        "consumerSecret is a secret and cannot stand in a file",
        "write a reference: consumerSecret: {secret: {env: VARIABLE}}",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "mend"), TABLE)
def test_a_mistake_is_named_with_its_place_and_its_mend(
    folder: Folder, text: str, place: str, message: str, mend: str
) -> None:
    """Whoever wrote the file can mend it without asking us."""
    (complaint,) = folder.write(text).complaints()

    assert (f"desired/a.yaml:{place}", message) == (str(complaint.place), complaint.message)
    assert complaint.mend.startswith(mend)
    assert complaint.place is not None
    assert complaint.place.snippet
