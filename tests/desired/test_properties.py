"""What holds for any body and for any text."""

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.errors import InputError
from reconciler.kinds import all_kinds
from reconciler.model.address import Address, enablement
from reconciler.schema.kind import Kind
from reconciler.schema.values import Body, SecretRef
from tests.desired.build import META, Folder
from tests.strategies import bodies, enablements, names

KINDS = [kind for name, kind in all_kinds().items() if name != "ApexClass"]
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def as_json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


def as_block(document: Any) -> str:
    return str(yaml.safe_dump(document, default_style='"', allow_unicode=True, sort_keys=False))


def written(kind: type[Kind], name: str, body: Body) -> Body:
    """The document that a person would write for a body."""
    head: Body = {"kind": kind.__name__}
    if not kind.singleton and not kind.section:
        head["name"] = name
    return {**head, **{key: reference(value) for key, value in body.items()}}


def app_of(item: Body) -> str:
    return str(item.get("externalClientApp") or item["connectedApp"])


def reference(value: Any) -> Any:
    if isinstance(value, SecretRef):
        return {"secret": {value.source: value.target}}
    if isinstance(value, dict):
        return {key: reference(item) for key, item in value.items()}
    return value


@SLOW
@given(data=st.data(), kind=st.sampled_from(KINDS), name=names(), dump=st.sampled_from([as_json, as_block]))
def test_any_body_written_as_yaml_is_read_back_the_same(
    data: st.DataObject, kind: type[Kind], name: str, dump: Any
) -> None:
    """What a file says is what is deployed: nothing lost, nothing added, no text taken for a number."""
    body = data.draw(bodies(kind))
    if "developerName" in body:
        body["developerName"] = name
    address = Address(kind.__name__, kind.singleton or body.get("externalClientApplication") or name)
    with tempfile.TemporaryDirectory() as path:
        snapshot = Folder(Path(path)).write(dump(written(kind, name, body))).load()

    assert {address: body} == {a: r.body for a, r in snapshot.resources.items()}


@SLOW
@given(
    items=st.lists(
        enablements(), max_size=4, unique_by=lambda e: str(e.get("externalClientApp") or e["connectedApp"]).lower()
    )
)
def test_any_list_of_enablements_becomes_resources_of_its_own(items: list[Body]) -> None:
    """An enablement that got lost in the list would be deleted in the org."""
    document = {"kind": "OauthTokenExchangeHandler", "name": "Idp", "enablements": items}
    with tempfile.TemporaryDirectory() as path:
        snapshot = Folder(Path(path)).write(as_json(document)).load()

    expected = {enablement("Idp", app_of(item)): item for item in items}
    assert expected == {a: r.body for a, r in snapshot.resources.items() if a.is_enablement}
    assert frozenset({"Idp"}) == snapshot.authoritative


@SLOW
@given(body=bodies(all_kinds()["ApexClass"]))
def test_any_apex_class_is_read_back_the_same(body: Body) -> None:
    """The body of a class is compared with the org's byte for byte."""
    with tempfile.TemporaryDirectory() as path:
        snapshot = Folder(Path(path)).write({"X.cls": body["content"], "X.cls-meta.xml": META}).load()

    assert body["content"] == snapshot.resources[Address("ApexClass", "X")].body["content"]


def _loads_or_complains(files: dict[str, str | bytes]) -> None:
    with tempfile.TemporaryDirectory() as path:
        try:
            Folder(Path(path)).write(files).load(variables={"x": "y"})
        except InputError as error:
            assert error.complaints
            assert all(c.message and c.place is not None for c in error.complaints)


@SLOW
@given(data=st.binary(max_size=200))
@example(data=b"\xff")
@example(data=b"\xef\xbb\xbfkind: X")
@example(data=b"\x00")
@example(data=b"a: \x85b")
def test_any_bytes_end_in_a_snapshot_or_in_an_input_error(data: bytes) -> None:
    """A traceback tells nobody what to mend."""
    _loads_or_complains({"a.yaml": data})
    _loads_or_complains({"X.cls": data, "X.cls-meta.xml": data})


YAMLISH = st.text(alphabet="abk:- \n{}[]\"'&*!|>?#%@$.,x0~<", max_size=60)
KEYS = sorted({key for kind in all_kinds().values() for key in kind.fields()} | {"name", "lifecycle", "enablements"})
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["${var.x}", "a,b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "secret", "env", "protect", "ignore"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@SLOW
@given(text=YAMLISH)
def test_any_text_that_looks_like_yaml_does_too(text: str) -> None:
    """The parser's corners: anchors, tags, block scalars, flow collections left open."""
    _loads_or_complains({"a.yaml": text, "b.yaml": "kind: ConnectedApp\nname: a\nlabel: " + text})


@settings(SLOW, max_examples=150)
@given(
    kind=st.sampled_from([*all_kinds(), "HandlerEnablement"]),
    body=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5),
)
def test_any_values_under_any_field_do_too(kind: str, body: dict[str, Any]) -> None:
    """People put everything everywhere."""
    _loads_or_complains({"a.yaml": as_block({"kind": kind, "name": "a", **body})})
