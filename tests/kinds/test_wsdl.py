"""Every kind against Salesforce's WSDL v63, both ways: what it has we have, and what we have beyond it has a source.

Facts that the WSDL does not hold (folders, suffixes, first versions) are compared with a table of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from reconciler.kinds import all_kinds
from reconciler.kinds.connected_app import ConnectedApp
from reconciler.kinds.oauth_token_exchange_handler import OauthTokenExchangeHandler
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import Since, SinceValue, SourceText

from .wsdl import Element, v63

FieldsOf = Callable[[type[Struct]], Mapping[str, Field]]

NAME = "fullName"
"""Of the record, not of the file: every metadata type inherits it."""

NEWER_TYPES = {"ExtlClntAppOauthSecuritySettings"}

# Source: `metadataRegistry.json` of the npm package @salesforce/source-deploy-retrieve 12.37.2; first versions from the
# Metadata API Developer Guide.
FILES = {
    "ApexClass": ("classes", "cls", None),
    "ConnectedApp": ("connectedApps", "connectedApp", 29),
    "ConnectedAppSettings": ("settings", "settings", 47),
    "ExternalClientAppSettings": ("settings", "settings", 58),
    "ExternalClientApplication": ("externalClientApps", "eca", 59),
    "ExtlClntAppConfigurablePolicies": ("extlClntAppPolicies", "ecaPlcy", 60),
    "ExtlClntAppGlobalOauthSettings": ("extlClntAppGlobalOauthSets", "ecaGlblOauth", 59),
    "ExtlClntAppOauthConfigurablePolicies": ("extlClntAppOauthPolicies", "ecaOauthPlcy", 59),
    "ExtlClntAppOauthSecuritySettings": ("extlClntAppOauthSecuritySettings", "ecaOauthSecurity", 64),
    "ExtlClntAppOauthSettings": ("extlClntAppOauthSettings", "ecaOauth", 59),
    "OauthCustomScope": ("oauthcustomscopes", "oauthcustomscope", 46),
    "OauthOidcSettings": ("settings", "settings", 56),
    "OauthTokenExchangeHandler": ("oauthtokenexchangehandlers", "oauthtokenexchangehandler", 60),
}
SINGLETONS = {
    "ConnectedAppSettings": "ConnectedApp",
    "ExternalClientAppSettings": "ExternalClientApp",
    "OauthOidcSettings": "OauthOidc",
}


def differences(struct: type[Struct], fields_of: FieldsOf = lambda struct: struct.fields()) -> Iterator[str]:
    """Everything in which a kind or structure, and the structures below it, differ from the WSDL."""
    wsdl = v63().types.get(struct.__name__)
    if wsdl is None:
        yield f"{struct.__name__}: not in the WSDL"
        return
    elements = {e.name: e for e in wsdl if not (e.name == NAME and issubclass(struct, Kind))}
    fields = fields_of(struct)
    for name in elements.keys() - fields.keys():
        yield f"{struct.__name__}.{name}: missing in ours"
    for name, field in fields.items():
        at = f"{struct.__name__}.{name}"
        if name in elements:
            yield from (f"{at}: {what}" for what in _field_differences(field, elements[name]))
            if field.struct is not None:
                yield from differences(field.struct, fields_of)
        elif not _sourced(field):
            yield f"{at}: not in the WSDL, and its Since names no source"
    # The source text is not an element of the file, so it has no place in the order.
    ordered = [name for name in fields if name in elements and not fields[name].has(SourceText)]
    wanted = [name for name in elements if name in ordered]
    if ordered != wanted:
        yield f"{struct.__name__}: order is {ordered}, not {wanted}"


def _sourced(field: Field) -> bool:
    since = field.mark(Since)
    return since is not None and since.source != "" and since.version > 63


def _field_differences(field: Field, element: Element) -> Iterator[str]:
    wire = "base64Binary" if field.has(SourceText) else field.wire
    values = v63().enums.get(element.type, ())
    newer = field.mark(SinceValue)
    claimed = newer.values if newer is not None and newer.source else ()
    if wire != ("string" if values else element.type):
        yield f"type is {wire}, not {element.type}"
    if field.repeated != element.repeated:
        yield f"repeated is {field.repeated}"
    if field.required != element.required:
        yield f"required is {field.required}"
    if set(field.values) - set(claimed) != set(values):
        yield f"values differ: {sorted((set(field.values) - set(claimed)) ^ set(values))}"
    if set(claimed) & set(values):
        yield f"called newer, but in the WSDL: {sorted(set(claimed) & set(values))}"
    since = field.mark(Since)
    if since is not None and (since.source or since.version > 63):
        yield "called newer than the WSDL, which has it"


def structures(struct: type[Struct]) -> Iterator[type[Struct]]:
    yield struct
    for field in struct.fields().values():
        if field.struct is not None:
            yield from structures(field.struct)


@pytest.mark.parametrize("name", sorted(all_kinds().keys() - NEWER_TYPES))
def test_a_kind_is_what_the_wsdl_says(name):
    """Whoever deploys a field that Salesforce spells, orders or types otherwise."""
    assert [] == list(differences(all_kinds()[name]))


@pytest.mark.parametrize("name", sorted(NEWER_TYPES))
def test_a_type_newer_than_the_wsdl_names_its_source(name):
    """Whoever asks in a year where we have that type from."""
    kind = all_kinds()[name]

    assert name not in v63().types
    assert kind.source
    assert kind.since > 63
    assert [] == [
        f"{struct.__name__}.{field.name}"
        for struct in structures(kind)
        for field in struct.fields().values()
        if not _sourced(field)
    ]


@pytest.mark.parametrize("name", sorted(all_kinds().keys() - NEWER_TYPES))
def test_a_type_of_the_wsdl_needs_no_other_source(name):
    """Whoever looks for the facts in the wrong place."""
    assert not all_kinds()[name].source


def test_every_kind_has_the_files_that_salesforce_expects():
    """Whoever gets "was not found in zipped directory", because the folders have irregular names."""
    ours = {name: (kind.folder, kind.suffix) for name, kind in all_kinds().items()}

    assert {name: facts[:2] for name, facts in FILES.items()} == ours, (
        "a new kind: write a line for it into FILES above, by the registry that is named there"
    )


@pytest.mark.parametrize("name", [name for name, facts in FILES.items() if facts[2] is not None])
def test_every_kind_has_its_first_version(name):
    """Whoever pins an API version that is older than the type."""
    assert FILES[name][2] == all_kinds()[name].since


def test_settings_have_their_one_name():
    """Whoever deploys settings/OauthOidcSettings.settings, which no org knows."""
    assert SINGLETONS == {name: kind.singleton for name, kind in all_kinds().items() if kind.singleton}


def broken(struct: type[Struct], name: str, **changed: object) -> FieldsOf:
    """The schemas with one field of one structure changed; without the field if nothing is given."""

    def fields_of(asked: type[Struct]) -> Mapping[str, Field]:
        fields = dict(asked.fields())
        if asked is struct and changed:
            fields[name] = replace(fields[name], **changed)
        elif asked is struct:
            del fields[name]
        return fields

    return fields_of


OAUTH = ConnectedApp.fields()["oauthConfig"].struct
POLICY = all_kinds()["ExtlClntAppOauthConfigurablePolicies"]


@pytest.mark.parametrize(
    ("kind", "fields_of", "expected"),
    [
        (OauthTokenExchangeHandler, broken(OauthTokenExchangeHandler, "isEnabled"), "missing in ours"),
        (OauthTokenExchangeHandler, broken(OauthTokenExchangeHandler, "isEnabled", wire="string"), "type is string"),
        (
            OauthTokenExchangeHandler,
            broken(OauthTokenExchangeHandler, "isEnabled", required=False),
            "required is False",
        ),
        (
            OauthTokenExchangeHandler,
            broken(OauthTokenExchangeHandler, "enablements", repeated=False),
            "repeated is False",
        ),
        (ConnectedApp, broken(OAUTH, "isPkceRequired"), "ConnectedAppOauthConfig.isPkceRequired: missing in ours"),
        (ConnectedApp, broken(OAUTH, "scopes", values=("Api",)), "values differ"),
        (ConnectedApp, broken(OAUTH, "scopes", by_mark={}), "values differ"),
        (ConnectedApp, broken(OAUTH, "isDPopEnabled", by_mark={}), "its Since names no source"),
        (ConnectedApp, broken(OAUTH, "isDPopEnabled", by_mark={Since: Since(64)}), "its Since names no source"),
        (ConnectedApp, broken(OAUTH, "isPkceRequired", by_mark={Since: Since(64, "x")}), "which has it"),
        (POLICY, broken(POLICY, "policyAction", by_mark={SinceValue: SinceValue(("Block",), "x")}), "called newer"),
    ],
)
def test_the_comparison_notices_what_is_broken(kind, fields_of, expected):
    """Whoever trusts a comparison that could not fail."""
    assert any(expected in difference for difference in differences(kind, fields_of))


def test_the_comparison_notices_another_order():
    """Whoever's deployment fails with "Element invalid at this location"."""
    assert any("order is" in d for d in differences(ConnectedApp, lambda s: dict(reversed(list(s.fields().items())))))


def test_the_comparison_notices_a_type_that_does_not_exist():
    """Whoever misspells the name of a kind."""

    class ConnectedApplication(Kind):
        folder = "connectedApps"
        suffix = "connectedApp"
        since = 46

    assert ["ConnectedApplication: not in the WSDL"] == list(differences(ConnectedApplication))
