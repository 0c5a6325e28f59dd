"""Generated desired bodies for every kind, made from its schema alone.

`bodies(kind)` is the interface, with `enablements()` for what a handler holds, `values()` for one field and `names()` for API
names::

    @given(kind=st.sampled_from([*all_kinds().values()]), data=st.data())
    def test_…(kind, data):
        body = data.draw(bodies(kind, version=63))

Required fields are always there, the others by chance. Lists are never empty, sets hold no entry twice, items of keyed
lists have keys of their own. Texts are what an org takes and gives back unchanged: no blanks at the ends, no control
characters; but umlauts, Japanese, an emoji, and everything that XML and YAML have to escape.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from reconciler.kinds import ENABLEMENT, all_kinds
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import (
    Certificate,
    Commas,
    Imperative,
    Keyed,
    Known,
    OrgBound,
    Ref,
    Since,
    SinceValue,
    SourceText,
    Until,
    WriteOnly,
)
from reconciler.schema.values import Body, SecretRef

__all__ = ["bodies", "enablements", "names", "values"]

Refs = Mapping[str, Sequence[str]]
"""Names that a reference may take, by the kind it points at: `{"User": ["a@b.example"]}`."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_ODD = " .;:!?-_/+*=~^%$#@|\\()[]{}<>&\"'`äöüßéñçøŁжλ日本語管理者😀"


def names(max_size: int = 20) -> st.SearchStrategy[str]:
    """API names: a letter, then letters, digits and single underscores."""
    first = st.sampled_from(_LETTERS)
    rest = st.text(alphabet=_LETTERS + _DIGITS, min_size=1, max_size=max_size // 2)
    return st.builds(lambda a, b, c: f"{a}{b}_{c}", first, rest, rest)


def bodies(kind: type[Kind], *, version: float | None = None, refs: Refs | None = None) -> st.SearchStrategy[Body]:
    """Desired bodies of a kind, as they are after loading; a handler's without its enablements.

    `version` leaves out the fields and values that an API version does not have; `refs` says what there is to refer to.
    """
    return _struct(kind, version, refs or {}, frozenset({ENABLEMENT}))


def enablements(*, version: float | None = None, refs: Refs | None = None) -> st.SearchStrategy[Body]:
    """Desired bodies of one enablement: either app, a user, and whether it is the default."""
    struct = all_kinds()["OauthTokenExchangeHandler"].fields()[ENABLEMENT].struct or Struct
    return _struct(struct, version, refs or {})


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values of one field, as a desired body holds them."""
    return _value(field, None, {})


def _struct(
    struct: type[Struct], version: float | None, refs: Refs, leave_out: frozenset[str] = frozenset()
) -> st.SearchStrategy[Body]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in struct.fields().items():
        if name in leave_out or field.has(Imperative, OrgBound) or not _exists(field, version):
            continue
        (required if field.required or field.has(SourceText) else optional)[name] = _value(field, version, refs)
    choice = [name for name in ("externalClientApp", "connectedApp") if name in optional]
    if len(choice) == 2:
        one = [st.fixed_dictionaries({**required, name: optional[name]}) for name in choice]
        return st.one_of(one)
    return st.fixed_dictionaries(required, optional=optional)


def _exists(field: Field, version: float | None) -> bool:
    since, until = field.mark(Since), field.mark(Until)
    return version is None or (
        (since is None or since.version <= version) and (until is None or until.version >= version)
    )


def _value(field: Field, version: float | None, refs: Refs) -> st.SearchStrategy[Any]:
    if field.struct is not None:
        return _items(field, field.struct, version, refs) if field.repeated else _struct(field.struct, version, refs)
    one = _scalar(field, version, refs)
    if field.is_set or field.repeated:
        return st.lists(one, min_size=1, max_size=4, unique=True)
    return one


def _items(field: Field, struct: type[Struct], version: float | None, refs: Refs) -> st.SearchStrategy[list[Body]]:
    keyed = field.mark(Keyed) or Keyed(())
    item = _struct(struct, version, refs)
    if len(keyed.fields) == 2 and not keyed.any_of:
        item = st.builds(_ranged, item, st.just(keyed.fields), st.integers(1, 250), st.integers(0, 5))
    elif keyed.any_of:
        item = item.filter(lambda body: any(body.get(name) for name in keyed.fields))
    return st.lists(item, min_size=1, max_size=3, unique_by=keyed.key)


def _ranged(item: Body, ends: tuple[str, str], first: int, more: int) -> Body:
    return {**item, ends[0]: f"10.0.0.{first}", ends[1]: f"10.0.0.{first + more}"}


def _scalar(field: Field, version: float | None, refs: Refs) -> st.SearchStrategy[Any]:
    ref, known = field.mark(Ref), field.mark(Known)
    if field.values:
        newer = field.mark(SinceValue)
        gone = newer.values if newer is not None and version is not None and version <= 63 else ()
        return st.sampled_from([value for value in field.values if value not in gone])
    if known is not None:
        return st.sampled_from(known.values)
    if ref is not None:
        return st.sampled_from(list(refs[ref.kind])) if refs.get(ref.kind) else _reference(ref.kind)
    return _plain(field)


def _plain(field: Field) -> st.SearchStrategy[Any]:
    for mark, strategy in _BY_MARK.items():
        if field.has(mark):
            return strategy
    if field.wire in _BY_WIRE:
        return _BY_WIRE[field.wire]
    if field.name.lower().endswith("url"):
        return _URLS
    return _BY_NAME[field.name] if field.name in _BY_NAME else _text("," if field.has(Commas) else "")


def _reference(kind: str) -> st.SearchStrategy[str]:
    if kind == "User":
        return names(10).map(lambda name: f"{name}@acme.example")
    return _text(",") if kind == "Profile" else names()


def _text(without: str = "") -> st.SearchStrategy[str]:
    alphabet = "".join(c for c in _LETTERS + _DIGITS + _ODD if c not in without)
    # `${` would be read as a variable; how it is escaped is for tests of its own.
    return (
        st.text(alphabet=alphabet, min_size=1, max_size=30)
        .map(lambda text: text.strip().replace("${", "$("))
        .filter(bool)
    )


def _pem(data: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(data).decode()}\n-----END CERTIFICATE-----"


_URLS = names(10).map(lambda name: f"https://{name.replace('_', '-').lower()}.example/cb?a=1&b={name}")
_BY_MARK: Mapping[type, st.SearchStrategy[Any]] = {
    WriteOnly: names().map(lambda name: SecretRef("env", name)),
    SourceText: _text().map(lambda text: f"public class X {{\n    // {text}\n}}\n"),
    Certificate: st.binary(min_size=3, max_size=30).map(_pem),
}
_BY_WIRE: Mapping[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(1, 720),
    "double": st.integers(50, 67).map(float),
    "base64Binary": st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode()),
}
_BY_NAME: Mapping[str, st.SearchStrategy[Any]] = {
    "contactEmail": names(10).map(lambda name: f"{name}@acme.example"),
    "consumerKey": st.text(alphabet=_LETTERS + _DIGITS, min_size=8, max_size=40),
    "developerName": names(),
    "commaSeparatedOauthScopes": st.sampled_from(["Api", "RefreshToken", "OpenID", "Basic", "Web", "Full"]),
}
