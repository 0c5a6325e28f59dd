"""Apex source -> tokens and structure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.apex.code import MOST, Code
from reconciler.apex.lexer import Sort, tokens

PIECES = [
    "'",
    "'''\n",
    "''",
    "\\",
    "\\'",
    "//",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "class",
]
PIECES += ["A", "extends", "new", ".", "?.", ",", ";", "=", "==", "<", ">", "@", "1.5", "Ä", "\u202e", "\x00", "return"]
SOURCES = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))


@given(source=SOURCES)
def test_a_token_stands_where_it_says(source: str) -> None:
    """An editor that jumps to the wrong line is worse than none."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]
    end = 0
    for token in tokens(source):
        at = starts[token.line - 1] + token.column - 1
        assert token.text == text[at : at + len(token.text)]
        assert end <= at, "tokens overlap"
        end = at + len(token.text)


@given(source=SOURCES)
def test_every_source_has_a_structure(source: str) -> None:
    """A class that an org holds is never refused, however it is written."""
    code = Code(source)
    whole = (0, len(code.tokens))
    for call in code.calls(whole):
        assert all(a <= b for a, b in call.arguments)
    for one in code.tries(whole):
        assert one.block[0] <= one.block[1] <= one.end
    assert all(
        code.tokens[at].sort is Sort.WORD for at, _ in enumerate(code.tokens) if code.tokens[at].key in code.variables
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a // b\nc", ["a", "c"]),
        ("a /* b\n * c */ d", ["a", "d"]),
        ("'a // b' c", ["'a // b'", "c"]),
        (r"'it\'s' b", [r"'it\'s'", "b"]),
        (r"'\\' b", [r"'\\'", "b"]),
        ("'open\nb", ["'open", "b"]),
        ("'''\nit's\n// no\n''' b", ["'''\nit's\n// no\n'''", "b"]),
        ("'' + 'a'", ["''", "+", "'a'"]),
        ("a /* open", ["a"]),
        ("a?.b != c", ["a", "?.", "b", "!=", "c"]),
        ("1.5d.x", ["1.5d", ".", "x"]),
        ("Map<Id,List<Id>>", ["Map", "<", "Id", ",", "List", "<", "Id", ">", ">"]),
    ],
)
def test_comments_and_strings_are_known(source: str, expected: list[str]) -> None:
    """`// validateJWT` in a comment or a text must not count as a check."""
    assert expected == [token.text for token in tokens(source)]


def test_a_string_says_its_value() -> None:
    """Quotes and escapes are not part of it."""
    assert [r"it's a \ ", "\nlong\n", "open"] == [t.value for t in tokens("'it\\'s a \\\\ ' '''\nlong\n''' 'open")]


SOURCE = """\
@JsonAccess(serializable='always')
public inherited sharing virtual class Outer extends ns.Base implements A, B {
    private static final Map<String, List<Id>> FOUND = new Map<String, List<Id>>{ 'a;' => null };
    public Integer size { get { return count(); } set; }
    static { warmUp(); }
    public Outer(String name) { this(name, null); }
    @TestVisible
    private static List<String> names(final Map<Id, String> byId, String[] rest) {
        return new Inner().all(byId.values()[0], (String) rest.get(1).trim());
    }
    interface Reader { void read(String text); }
    private class Inner extends Outer.Other { }
    enum Season { WINTER }
}
"""


def test_classes_and_their_members_are_found() -> None:
    """A method that is overlooked is a check that is not seen."""
    code = Code(SOURCE)
    assert [
        ("Outer", "class", "ns.Base", "inherited", None),
        ("Reader", "interface", "", "", "Outer"),
        ("Inner", "class", "Outer.Other", "", "Outer"),
        ("Season", "enum", "", "", "Outer"),
    ] == [(c.name.text, c.sort, c.base, c.sharing, c.outer.name.text if c.outer else None) for c in code.classes]
    assert [
        ("size", True, []),
        ("", True, []),
        ("Outer", False, [("string", "name")]),
        ("names", False, [("map<id,string>", "byid"), ("string[]", "rest")]),
        ("read", False, [("string", "text")]),
    ] == [(m.name.text, m.is_property, [(p.type, p.name) for p in m.parameters]) for m in code.methods]
    assert [True, True, True, True, False] == [m.body is not None for m in code.methods]


def test_calls_know_what_they_are_called_on() -> None:
    """`Auth.JWTUtil.validateJWT…` is a check, a method of the same name elsewhere is none."""
    code = Code(SOURCE)
    (names,) = (m for m in code.methods if m.key == "names")
    assert names.body is not None
    assert [
        ("inner", (), True, 0),
        ("all", ("new inner",), False, 2),
        ("values", ("byid",), False, 0),
        ("get", ("rest",), False, 1),
        ("trim", ("rest", "get()"), False, 0),
    ] == [(c.key, c.receiver, c.makes, len(c.arguments)) for c in code.calls(names.body)]


def test_variables_know_their_types() -> None:
    """A token handed to a variable's methods goes to that variable's class."""
    code = Code("class A { Checks c; void m(List<String> l, Auth.JWT j) { Other o = make(); for (Part p : l) { } } }")
    assert {"c": "checks", "l": "list", "j": "auth.jwt", "o": "other", "p": "part"} == code.variables


def test_try_statements_have_their_catch_blocks() -> None:
    """The block that swallows is not always the first."""
    code = Code("class A { void m() { try { a(); } catch (X x) { b(); } catch (Y y) { c(); } finally { d(); } e(); } }")
    (body,) = (m.body for m in code.methods)
    assert body is not None
    (one,) = code.tries(body)
    words = [[code.tokens[at].text for at in range(*span)] for span in (one.block, *(s for _, s in one.catches))]
    assert [["a", "(", ")", ";"], ["b", "(", ")", ";"], ["c", "(", ")", ";"]] == words
    assert "e" == code.tokens[one.end].text


def test_too_many_brackets_are_not_followed() -> None:
    """Whoever writes 100,000 brackets wants a crash, and gets an empty structure."""
    code = Code("class A { " + "{" * 50_000)
    assert (50_001, [], []) == (code.depth, code.classes, code.methods)


def test_a_class_is_read_up_to_a_limit_and_then_not_at_all() -> None:
    """A megabyte of symbols would take a build's memory; half a class would look like one without its checks."""
    code = Code("class A { " + "a = b; " * (MOST // 4 - 1) + "}")
    assert (MOST, "", 1) == (len(code.tokens), code.unfollowed, len(code.classes))

    code = Code("class A { " + "a = b; " * MOST)
    assert (MOST + 1, True, []) == (len(code.tokens), "words and symbols" in code.unfollowed, code.classes)
