"""Metadata XML in, body out, and back: what is lost here is lost in somebody's org."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.kinds import all_kinds, kind
from reconciler.schema.values import RawXml, SecretRef
from reconciler.xml.codec import decode, encode
from reconciler.xml.markup import NAMESPACE, MetadataXmlError
from tests.salesforce.build import canonical
from tests.salesforce.generated_files import KINDS, TEXTS, metadata_file

CORPUS = os.environ.get("RECONCILER_CORPUS", "")
CORPUS_FILES = sorted(Path(CORPUS).glob("*/*.xml")) if CORPUS else []
needs_corpus = pytest.mark.skipif(not CORPUS_FILES, reason="RECONCILER_CORPUS names no folder of real metadata files")

APP = kind("ExternalClientApplication")
CONNECTED = kind("ConnectedApp")
OAUTH = kind("ExtlClntAppOauthSettings")


def xml(kind_name: str, inside: str) -> bytes:
    return f'<?xml version="1.0"?><{kind_name} xmlns="{NAMESPACE}">{inside}</{kind_name}>'.encode()


@needs_corpus
@pytest.mark.parametrize("path", CORPUS_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_real_file_survives_decoding_and_encoding(path: Path):
    """A field that is lost on the way would be switched off by the next deployment."""
    data = path.read_bytes()
    schema = kind(path.parent.name)

    assert canonical(data) == canonical(encode(schema, decode(schema, data)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data(), schema=KINDS)
def test_any_odd_file_survives_decoding_and_encoding(data: st.DataObject, schema):
    """The same for oddities that nobody has met yet: order, comments, nil, unknown fields, wrong types."""
    file = data.draw(metadata_file(schema))

    assert canonical(file) == canonical(encode(schema, decode(schema, file)))


@settings(deadline=None)
@given(label=TEXTS, description=TEXTS, scopes=st.lists(TEXTS, min_size=1, max_size=3))
@example(label="\r", description="]]>", scopes=["\r\n"])
def test_any_text_comes_back_as_it_was_written(label: str, description: str, scopes: list[str]):
    """A label in any language, a description with markup in it, a lone carriage return."""
    body = {"contactEmail": "", "description": description, "label": label, "permissionSetName": scopes}

    assert body == decode(CONNECTED, encode(CONNECTED, body))


@settings(deadline=None)
@given(data=st.data(), schema=KINDS)
def test_the_fast_way_and_the_parser_agree(data: st.DataObject, schema):
    """A file as Salesforce writes it is read without a parser; a comment at its end forces the parser."""
    body = {
        name: data.draw(st.one_of(TEXTS, st.sampled_from(["true", "007", "63.0", "]]>", "\x85"])))
        for name, field in schema.fields().items()
        if field.struct is None and name != "content" and not field.repeated and data.draw(st.booleans())
    }
    file = encode(schema, body)

    assert decode(schema, file + b"<!-- -->") == decode(schema, file)


def test_values_have_the_types_of_the_schema_only_where_nothing_is_lost():
    """`007` read as 7 would be written as 7: a change that nobody asked for."""
    odd = "<isProtected>TRUE</isProtected><label> x </label>"
    assert {"isProtected": "TRUE", "label": " x "} == decode(APP, xml("ExternalClientApplication", odd))
    policy = xml("ConnectedApp", "<sessionPolicy><sessionTimeout>007</sessionTimeout></sessionPolicy>")
    assert {"sessionPolicy": {"sessionTimeout": "007"}} == decode(CONNECTED, policy)
    apex = xml("ApexClass", "<apiVersion>63.0</apiVersion><status>Active</status>")
    assert {"apiVersion": 63.0, "status": "Active"} == decode(kind("ApexClass"), apex)


def test_lists_that_salesforce_keeps_in_one_element_stay_one_text():
    """Whoever sends back what did not change must be able to send exactly what came."""
    file = xml("ExtlClntAppOauthSettings", "<commaSeparatedOauthScopes>Api,Web , OpenID</commaSeparatedOauthScopes>")

    assert {"commaSeparatedOauthScopes": "Api,Web , OpenID"} == decode(OAUTH, file)


def test_desired_lists_are_joined_as_salesforce_joins_them():
    """A list written with the wrong separator is one scope that does not exist."""
    written = encode(OAUTH, {"commaSeparatedOauthScopes": ["Api", "Web"]})
    assert b"<commaSeparatedOauthScopes>Api, Web</commaSeparatedOauthScopes>" in written
    written = encode(CONNECTED, {"oauthConfig": {"callbackUrl": ["https://a.example", "https://b.example"]}})
    assert b"<callbackUrl>https://a.example\nhttps://b.example</callbackUrl>" in written


def test_an_empty_list_is_the_one_empty_element_that_clears_it():
    """Without it, taking the last permission set off an app would change nothing."""
    assert b"<permissionSetName/>" in encode(CONNECTED, {"permissionSetName": []})
    assert b"ipRanges" not in encode(CONNECTED, {"ipRanges": []})
    assert b"scopes" not in encode(CONNECTED, {"oauthConfig": {"scopes": []}})


def test_unknown_elements_are_carried_in_alphabetical_place():
    """The next API version's field must survive an update by today's client."""
    inside = "<label>x</label><isBrandNew>true</isBrandNew><deep><er>1</er></deep>"
    body = decode(APP, xml("ExternalClientApplication", inside))

    assert {"label": "x", "isBrandNew": "true", "deep": RawXml(f'<deep xmlns="{NAMESPACE}"><er>1</er></deep>')} == body
    assert isinstance(body["deep"], RawXml)
    written = encode(APP, body).decode()
    assert written.index("<deep") < written.index("<isBrandNew>") < written.index("<label>")


def test_fields_are_written_in_the_order_of_the_schema():
    """Salesforce's parser refuses some files whose elements are out of order."""
    written = encode(APP, {"label": "x", "contactEmail": "a@b.example", "distributionState": "Local"}).decode()

    assert written.index("contactEmail") < written.index("distributionState") < written.index("label")


def test_nil_is_none_and_back():
    """An org that says nil says something else than empty."""
    inside = '<label xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    body = decode(APP, xml("ExternalClientApplication", inside))

    assert {"label": None} == body
    assert b'<label xsi:nil="true"/>' in encode(APP, body)


def test_one_element_given_twice_is_a_list():
    """Nothing is thrown away silently, however wrong it is."""
    body = decode(APP, xml("ExternalClientApplication", "<label>a</label><label>b</label>"))

    assert {"label": ["a", "b"]} == body
    assert b"<label>a</label>\n    <label>b</label>" in encode(APP, body)


def test_a_secret_is_written_only_where_its_value_was_asked_for():
    """Digests, logs and dry runs are made without values; a reference in their place tells nothing."""
    schema = kind("ExtlClntAppGlobalOauthSettings")
    body = {"consumerSecret": SecretRef("env", "PORTAL_SECRET")}

    assert b"(secret from env PORTAL_SECRET)" in encode(schema, body)
    assert b"<consumerSecret>S&amp;3</consumerSecret>" in encode(schema, body, lambda ref: "S&3")


def test_source_text_is_never_in_the_xml():
    """An Apex body has a file of its own."""
    written = encode(kind("ApexClass"), {"apiVersion": 63, "status": "Active", "content": "class X {}"})

    assert b"class X" not in written
    assert b"<apiVersion>63.0</apiVersion>" in written


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1b", "\ufffe", "\ud800"])
def test_a_character_that_xml_cannot_carry_is_an_error_with_its_name(bad: str):
    """A label copied out of a terminal must not break a deployment half-way."""
    with pytest.raises(MetadataXmlError, match="label holds the character U\\+"):
        encode(APP, {"label": f"a{bad}b"}, file="externalClientApps/portal.eca")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not well-formed"),
        (b"<ExternalClientApplication", "not well-formed"),
        (xml("ConnectedApp", ""), "root element is ConnectedApp"),
        (b"<ExternalClientApplication/>", "root element is ExternalClientApplication, not"),
        (xml("ExternalClientApplication", "text"), "text between its elements"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml("ExternalClientApplication", "&a;"), "not allowed"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'.encode("utf-16"), "not well-formed"),
        (xml("ExternalClientApplication", "<label>&undeclared;</label>"), "not well-formed"),
        (b"<html><body>Down for maintenance</body></html>", "root element is html"),
        (xml("ExternalClientApplication", "<a>" * 3000), "not well-formed"),
        (b"x" * (17 << 20), "more than a metadata file may have"),
    ],
)
def test_what_is_no_metadata_of_the_kind_is_one_clear_error(data: bytes, problem: str):
    """A file from a hostile or broken host ends in a sentence, not in a traceback or a hang."""
    with pytest.raises(MetadataXmlError, match=problem) as wrong:
        decode(APP, data, "externalClientApps/portal.eca")
    assert "externalClientApps/portal.eca" in str(wrong.value)


def test_an_entity_bomb_is_refused_before_it_is_parsed():
    """Ten lines that unfold to gigabytes."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{lines}]>'.encode() + xml(
        "ExternalClientApplication", "<label>&e19;</label>"
    )

    with pytest.raises(MetadataXmlError, match="document type declaration"):
        decode(APP, bomb)


def test_equal_texts_of_many_records_are_one_object():
    """Fifty thousand records must not hold fifty thousand times the same label."""
    one, two = (decode(APP, encode(APP, {"label": "Order portal"})) for _ in range(2))

    assert one["label"] is two["label"]


def test_every_kind_has_a_plan():
    """A new kind that the codec cannot handle shows here, not at its first user."""
    for schema in all_kinds().values():
        assert {} == decode(schema, encode(schema, {}))
