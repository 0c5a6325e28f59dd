"""Other spellings of values, by the comparison that holds for their field, and values that really differ.

`respelled(field, value)` draws what an org or a person may write for the same value; `different(field, value)` another
value. Both are made from the value alone, by the rules of `docs/comparisons.md` and not by the code that compares.
"""

import ipaddress
import unicodedata
from typing import Any

from hypothesis import strategies as st

from reconciler.schema import comparisons
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Commas, Keyed, Lines
from reconciler.schema.values import Body

__all__ = ["different", "respelled", "respelled_body"]


def respelled_body(struct: type[Struct], body: Body, *, in_file: bool = False) -> st.SearchStrategy[Body]:
    """The same body with each value in some spelling. `in_file`: as a YAML file may hold it, which is stricter."""
    fields = struct.fields()
    return st.fixed_dictionaries(
        {name: respelled(fields[name], value, in_file=in_file) for name, value in body.items()}
    )


def respelled(field: Field, value: Any, *, in_file: bool = False) -> st.SearchStrategy[Any]:
    """Another spelling of a value, as a live body or (`in_file`) a desired one holds it."""
    if not field.compared or value is None or value == []:
        return st.just(value)
    if field.struct is not None:
        if not isinstance(value, list):
            return respelled_body(field.struct, value, in_file=in_file)
        items = st.tuples(*(respelled_body(field.struct, item, in_file=in_file) for item in value))
        return items.flatmap(st.permutations) if field.has(Keyed) else items.map(list)
    if isinstance(value, list):
        return _set(field, value, in_file=in_file)
    return _scalar(field, value, in_file=in_file)


def _set(field: Field, value: list[Any], *, in_file: bool) -> st.SearchStrategy[Any]:
    entries = st.tuples(*(_scalar(field, entry, in_file=in_file) for entry in value)).flatmap(st.permutations)
    if not (field.has(Lines, Commas)):
        return entries if in_file else st.tuples(entries, st.sampled_from(value)).map(lambda both: [*both[0], both[1]])
    joints = ("\n", "\r\n", "\n\n") if field.has(Lines) else (",", ", ", " ,,")
    one_text = st.tuples(entries, st.sampled_from(joints)).map(lambda both: both[1].join(e.strip() for e in both[0]))
    return st.one_of(entries, one_text) if in_file else one_text


def _scalar(field: Field, value: Any, *, in_file: bool) -> st.SearchStrategy[Any]:
    kind = field.comparison.type
    if isinstance(value, str) and value.startswith("0P1"):
        return st.sampled_from([value, value[:15], f" {value}"])  # a certificate of the org, by its id
    if isinstance(value, bool):
        word = str(value).lower()
        spellings: list[Any] = (
            [value] if in_file else [value, word, word.upper(), word.title(), str(int(value)), f" {word}\n"]
        )
    elif isinstance(value, float):
        spellings = [value] if in_file else [value, str(value), f"{value:g}", f"0{value}0", f"\t{value}"]
    elif isinstance(value, int):
        spellings = [value] if in_file else [value, str(value), f"00{value}", f"+{value}", f" {value} "]
    elif kind == comparisons.SOURCE.type:
        spellings = [value, value.replace("\n", "\r\n"), value.rstrip(), f"{value}\n \n", f"\ufeff{value}"]
    elif kind in (comparisons.CERTIFICATE.type, comparisons.PERHAPS_CERTIFICATE.type):
        spellings = _certificates(value) if "BEGIN" in value else _texts(value)
    elif kind == comparisons.BASE64.type:
        spellings = [value, "\n".join(value[at : at + 3] for at in range(0, len(value), 3)), f" {value}\n"]
    elif kind == comparisons.IP.type:
        spellings = _addresses(value)
    elif kind == comparisons.LIFETIME.type:
        number = value.replace(":", ":0", 1)
        spellings = [value, f" {value}"] if in_file else [value, value.upper(), value.title(), f" {value}\n", number]
    elif kind == comparisons.CHOICE.type and in_file and field.values:
        spellings = [value]
    elif kind in _WITHOUT_CASE:
        letters = [value.swapcase(), value.upper(), value.lower()]
        same = [one for one in letters if one.casefold() == value.casefold()]
        spellings = [text for one in (value, *same) for text in (one, f" {one}")]
    else:
        spellings = _texts(value)
    return st.sampled_from(spellings)


_WITHOUT_CASE = {one.type for one in (comparisons.NAME, comparisons.USERNAME, comparisons.CHOICE, comparisons.SCOPE)}


def _texts(value: str) -> list[Any]:
    decomposed = unicodedata.normalize("NFD", value)
    return [
        value,
        f" {value}\n",
        decomposed,
        f"\r\n{decomposed} ",
        value.replace("\n", "\r\n"),
        value.replace("\n", "\r"),
    ]


def _certificates(value: str) -> list[Any]:
    begin, *inner, end = value.strip().splitlines()
    bare = "".join(inner)
    wrapped = [bare[at : at + 5] for at in range(0, len(bare), 5)]
    return [
        value, bare, f"{begin}{bare}{end}", "\n".join([begin, *wrapped, end]), "\r\n".join([begin, bare, end, ""]),
        "\n".join(wrapped), f"subject=CN = ci\n{value}\n", f" {begin} \n\n{bare}\n\t{end}",
    ]  # fmt: skip


def _addresses(value: str) -> list[Any]:
    address = ipaddress.ip_address(value)
    if address.version == 4:
        return [value, f" {value}\n"]
    return [value, value.upper(), address.exploded, address.compressed, f" {address.exploded.upper()}"]


def different(field: Field, value: Any) -> Any:
    """A value that is another one, in the form of a live body."""
    if field.struct is not None:
        if isinstance(value, list):
            return value[1:]
        name, inner = next((n, i) for n, i in value.items() if field.struct.fields()[n].compared)
        return {**value, name: different(field.struct.fields()[name], inner)}
    if isinstance(value, list):
        return value[1:]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if field.values:
        return next(one for one in field.values if one != value)
    kind = field.comparison.type
    if kind == comparisons.IP.type:
        return str(ipaddress.ip_address(value) + 1)
    if kind == comparisons.CERTIFICATE.type:
        return value.replace("-----\n", "-----\nAAAA", 1)
    if kind == comparisons.BASE64.type:
        return f"AAAA{value}"
    return f"{value}x"
