"""No rule fails, whatever an org holds: one odd value would hide the findings on everything else."""

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.kinds import all_kinds, satellites
from reconciler.model.address import Address
from reconciler.rules import judge
from reconciler.schema.kind import Field, Struct
from reconciler.schema.values import Body, RawXml
from tests.rules.apps import Bodies, connected, external, in_org, org_flows

TEXTS = (
    *(
        "",
        "x",
        "true",
        "7",
        "specific_lifetime:0:DAYS",
        "https://a\nhttps://a\nhttps://[::1",
        "a, b, ,A",
        "\u202e",
        "é" * 5000,
    ),
    *("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", RawXml("<odd/>")),
)


OURS = ("OA", "RF")
UNSEEN = ("ConnectedAppSettings", "ExternalClientAppSettings")
"""Kinds of which no field is looked at by a rule."""


def odd(field: Field) -> Iterator[Any]:
    """What decoding may make of an element: of its own type, or of none."""
    if field.struct is not None:
        one: list[Any] = [{}, RawXml("<odd/>"), *({name: value} for name, value in _inside(field.struct))]
        yield from ([item, {}] for item in one) if field.repeated else one
    elif field.repeated or field.is_set:
        yield from (*TEXTS, [], [text for text in TEXTS if text])
    else:
        yield from (*TEXTS, *field.values, True, False, -1, 0, 10**12, None)


def _inside(struct: type[Struct]) -> Iterator[tuple[str, Any]]:
    for name, field in struct.fields().items():
        yield from ((name, value) for value in odd(field))


def company() -> Bodies:
    """One app of each sort with everything switched on, so that every rule has something to look at."""
    flows: Body = {
        "callbackUrl": "https://shop.acme.example",
        "isConsumerSecretOptional": True,
        "isTokenExchangeEnabled": True,
        "isClientCredentialsFlowEnabled": True,
        "isCodeCredFlowEnabled": True,
        "isDeviceFlowEnabled": True,
        "idTokenConfig": {"idTokenIncludeStandardClaims": True},
    }
    oauth: Body = {"commaSeparatedOauthScopes": "Api, OpenID, RefreshToken", "assetTokenValidity": 10}
    apps = external(app={"distributionState": "Packaged"}, flows=flows, oauth=oauth, policies={}, switches={})
    erp = connected(callbackUrl="https://erp.acme.example", scopes=["Api", "RefreshToken"], isIntrospectAllTokens=True)
    rest: dict[Address, Body] = {
        Address("ExtlClntAppOauthSecuritySettings", "shop"): {},
        Address("OauthTokenExchangeHandler", "Idp"): {"tokenHandlerApex": "IdpHandler"},
        Address("OauthTokenExchangeHandler", "Idp", "enablements/shop"): {"externalClientApp": "shop"},
        Address("ApexClass", "IdpHandler"): {"content": "class IdpHandler {}"},
        Address("OauthCustomScope", "orders"): {},
    }
    return apps | erp | org_flows() | rest


@pytest.mark.parametrize("kind", all_kinds())
def test_no_rule_fails_whatever_an_org_holds(kind: str):
    """An audit that ends in a traceback finds nothing at all."""
    whole = company()
    found = 0
    for address in [address for address in whole if address.kind == kind]:
        for name, value in _inside(address.struct):
            if name == "externalClientApplication" and kind in {k.__name__ for k in satellites().values()}:
                continue  # The address is made from it.
            findings, _ = judge(in_org(whole, {address: {**whole[address], name: value}}))
            assert [] == [one.id for one in findings if one.id[:2] in OURS and len(one.message) > 1000], name
            found += len(findings)
    assert found or kind in UNSEEN, f"company() holds no {kind} that a rule looks at: add one, or name it in UNSEEN"
