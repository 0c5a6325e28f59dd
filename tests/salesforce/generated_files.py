"""Metadata files as people and orgs write them, generated for every kind, with the oddities of real ones.

The oddities are those that the README of the corpus of real files lists: order, comments, split tags, `xsi:nil`, byte
order mark, line endings, unknown fields, values of the wrong type, lists in one element.
"""

from hypothesis import strategies as st

from reconciler.kinds import all_kinds
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import SourceText
from reconciler.xml.markup import NAMESPACE, XSI, escape

KINDS = st.sampled_from(sorted(all_kinds().values(), key=lambda kind: kind.__name__))

_CHARACTERS = st.one_of(
    st.sampled_from("\n\t ,<>&'\"=%:/é日😀"),
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
)
TEXTS = st.text(_CHARACTERS, max_size=24)
_ODD = {
    "boolean": st.sampled_from(["true", "false", "TRUE", " true", "1", "", "yes"]),
    "int": st.sampled_from(["0", "7", "007", "-5", "+5", "1e3", "5.0", "", " 8", "9" * 30]),
    "double": st.sampled_from(["63.0", "63", "63.10", "1e3", "nan", "inf", "", "0.1"]),
    "string": st.one_of(TEXTS, st.sampled_from(["", "  ", "a\nb\n\nc", "Api, RefreshToken,OpenID", "ns__App"])),
}
_UNKNOWN = st.sampled_from(["zzUnknown", "aaUnknown", "isNewerThanAnything", "mmm"])


@st.composite
def metadata_file(draw: st.DrawFn, kind: type[Kind]) -> bytes:
    """One file of a kind."""
    inside = draw(_elements(kind, depth=0))
    nil = f' xmlns:xsi="{XSI}"' if "xsi:" in inside or draw(st.booleans()) else ""
    comment = draw(st.sampled_from(["", "<!-- before the root -->\n"]))
    head = draw(st.sampled_from(['<?xml version="1.0" encoding="UTF-8"?>\n', "<?xml version='1.0'?>", ""]))
    name, tail = kind.__name__, draw(st.sampled_from(["\n", "", "\n<!-- after -->\n"]))
    text = f'{head}{comment}<{name} xmlns="{NAMESPACE}"{nil}>{inside}</{name}>{tail}'
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@st.composite
def _elements(draw: st.DrawFn, struct: type[Struct], depth: int) -> str:
    fields = [field for field in struct.fields().values() if not field.has(SourceText)]
    chosen = draw(st.lists(st.sampled_from(fields), max_size=8))
    if not draw(st.booleans()):
        chosen = list({field.name: field for field in chosen}.values())
    parts = []
    for field in chosen:
        for _ in range(draw(st.integers(1, 3)) if field.repeated else 1):
            parts.append(draw(_element(field, depth)))
    for name in draw(st.lists(_UNKNOWN, max_size=2)):
        content = draw(st.one_of(TEXTS.map(escape), st.just("<inner>x</inner>"), st.just('a<b c="d">e</b>f')))
        attribute = draw(st.sampled_from(["", "", ' odd="yes"']))
        parts.append(f"<{name}{attribute}>{content}</{name}>")
    between = draw(st.sampled_from(["\n    ", "", "\r\n\t", "\n<!-- a comment -->\n"]))
    return between + "".join(part + between for part in parts) if parts else ""


@st.composite
def _element(draw: st.DrawFn, field: Field, depth: int) -> str:
    name = field.name
    if draw(st.integers(0, 19)) == 0:
        return f'<{name} xsi:nil="true"/>'
    if field.struct is not None:
        return f"<{name}>{draw(_elements(field.struct, depth + 1)) if depth < 2 else ''}</{name}>"
    values = st.sampled_from(field.values) if field.values else _ODD.get(field.wire, _ODD["string"])
    text = escape(draw(values))
    form = draw(st.sampled_from(["plain"] * 6 + ["split", "comment", "cdata", "attribute", "child"]))
    match form:
        case "split":
            return f"<{name}\n    >{text}</{name}\n>"
        case "comment":
            return f"<{name}>  <!-- inside -->{text}</{name}>"
        case "cdata":
            return f"<{name}>  <![CDATA[<&{draw(st.sampled_from(['', 'x', ' ']))}]]>{text}</{name}>"
        case "attribute":
            return f'<{name} odd="1">{text}</{name}>'
        case "child":
            return f"<{name}>{text}<odd/></{name}>"
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"
