"""Whatever stands around it, a handler that verifies nothing is never fine, and one that verifies is never accused."""

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.apex.code import DEEPEST, LONGEST, MOST
from reconciler.model.reports import CheckReport
from reconciler.render.text import plain
from reconciler.schema.severity import Severity
from tests.rules.test_apex import CLAIMS, VERIFIED, YES, judged, partner

WORDS = st.sampled_from(["a", "token", "claims", "x1", "größe", "\u212aey", "getIss", "no", "system", "this", "result"])
TEXTS = st.sampled_from(["'('", "'}'", "'\\''", "'/*'", "'//'", "''", "'\\u0027'", "'''\n a ' ( '''"])


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """A value, perhaps in very many brackets, or at the end of a very long chain."""
    deep = draw(st.sampled_from([0, 1, 7, 49, 50, 51, DEEPEST - 4, DEEPEST + 1, 3 * DEEPEST]))
    opening, closing = draw(
        st.sampled_from(["()", "[]", ("x(", ")"), ("new A(", ")"), ("(Object) (", ")"), ("b(1, ", ")")])
    )
    inner = draw(st.one_of(WORDS, TEXTS, st.just("[SELECT Id FROM User WHERE Name = :a AND (Id != null) LIMIT 1]")))
    chain = "".join(f".{draw(WORDS)}()" for _ in range(draw(st.integers(0, 3)))) * draw(st.sampled_from([1, 9, 30]))
    return f"{opening * deep}{inner}{closing * deep}{chain}"


@st.composite
def statements(draw: st.DrawFn) -> str:
    value, word, many = draw(expressions()), draw(WORDS), draw(st.sampled_from([1, 3, 12, 60]))
    return draw(
        st.sampled_from(
            [
                f"Object o = {value};",
                f"Map<String, {'List<Map<Id, ' * many}String{'>>' * many}> m = new Map<String, Object>();",
                f"if ({word} == {value}) {{ o = 1; }} else {{ o = 2; }}",
                "".join(f"if (o == {n}) {{ o = {n}; }} " for n in range(many)),
                f"for (Integer i = 0; i < {many}; i++) {{ {word}.add({value}); }}",
                "{" * many + "}" * many,
                f"try {{ o = {value}; }} catch (Exception e) {{ throw e; }}",
                f"switch on {word} {{ when 'a' {{ o = {value}; }} when else {{ o = 2; }} }}",
                "/* ( ' { */ // ) ' }\n",
                f"System.debug({value});",
                f"Strange.log({value});",
            ]
        )
    )


@st.composite
def members(draw: st.DrawFn) -> str:
    value, word, many = draw(expressions()), draw(WORDS), draw(st.sampled_from([1, 3, 70, 150]))
    return draw(
        st.sampled_from(
            [
                f"Object x() {{ return {value}; }}",
                f"private static Object y = {value};",
                f"public String {word} {{ get {{ return {value}; }} private set; }}",
                "".join(f"static void many(P{n} a) {{ {word}(); }} " for n in range(many)),
                "".join(f"void m{n}() {{ Beside{n}.run(); many(null); }} " for n in range(many)),
                f"class In {{ {'class In2 { ' * 20}Object z = {value};{' }' * 20} }}",
                f"static {{ Object q = {value}; }}",
                f"@TestVisible(why = {value}) private Object r;",
                "enum Colour { RED, GREEN }",
                f"interface I {{ void {word}(Map<String, {'List<' * many}String{'>' * many}> a); }}",
                "void big() { " + "a = b; " * draw(st.sampled_from([1, 1, 1, MOST // 3])) + "}",
            ]
        )
    )


OTHERS = {f"Beside{n}": f"public class Beside{n} {{ public static void run() {{ }} }}" for n in range(70)}
DECORATION = st.tuples(st.lists(statements(), max_size=3), st.lists(members(), max_size=3))
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Decoration = tuple[list[str], list[str]]


@OFTEN
@given(decoration=DECORATION)
@example(decoration=([], [f"Object x() {{ return {'(' * 51}1{')' * 51}; }}"]))
@example(decoration=([], [f"Object x() {{ return {'(' * 1000}1{')' * 1000}; }}"]))
@example(decoration=([], ["void big() { " + "a = b; " * MOST + "}"]))
@example(decoration=([], ["/*" + "x" * LONGEST + "*/"]))
@example(decoration=([], ["".join(f"void m{n}() {{ Beside{n}.run(); }} " for n in range(70))]))
@example(decoration=(["Strange.log(incomingToken);"], []))
def test_a_handler_that_verifies_nothing_is_never_fine(decoration: Decoration) -> None:
    """A reviewer's tool that falls silent over a long class is where a backdoor would be put."""
    findings, _ = judged(partner("".join(decoration[0]) + YES, "".join(decoration[1])), others=OTHERS)

    assert [one for one in findings if one.severity >= Severity.MEDIUM]
    assert all("Partner" in f"{one.address}" or one.mend for one in findings)


@OFTEN
@given(decoration=DECORATION)
def test_a_handler_that_verifies_is_never_accused(decoration: Decoration) -> None:
    """It may be that nobody can tell. What is said to be wrong has to be wrong."""
    source = partner("".join(decoration[0]) + VERIFIED + CLAIMS + YES, "".join(decoration[1]))
    findings, _ = judged(source, others=OTHERS)

    assert [] == [one for one in findings if one.id != "AX10"]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (f"Object x() {{ return {'(' * DEEPEST}1{')' * DEEPEST}; }}", f"Partner has more than {DEEPEST} brackets in each other"),
        ("void big() { " + "a = b; " * MOST + "}", f"Partner has more than {MOST:,} words and symbols"),
        ("/*" + "x" * LONGEST + "*/", f"Partner is longer than the {LONGEST:,} characters"),
        ("".join(f"void m{n}() {{ Beside{n}.run(); }} " for n in range(70)), "it leads to more than 50 other classes"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_named_with_its_handler(members: str, why: str) -> None:
    """Graded as the gravest that it may hide: a class that lets anybody in."""
    findings, _ = judged(partner(VERIFIED + CLAIMS + YES, members), others=OTHERS)

    assert [("AX10", Severity.HIGH)] == [(one.id, one.severity) for one in findings]
    assert f"what Partner, the class of PartnerIdp, does with a token cannot be seen: {why}" in findings[0].message
    assert findings[0].mend.startswith("take out what it does not need, or split it")
    assert findings[0].position is not None


def test_a_class_in_which_no_class_can_be_found_is_not_fine() -> None:
    assert ["AX10"] == [one.id for one in judged("/* public class Partner { }")[0]]


@pytest.mark.parametrize(
    "validate",
    [
        "".join(f"Blob b{n} = EncodingUtil.base64Decode(incomingToken); {VERIFIED}" for n in range(12)) + YES,
        VERIFIED + "".join(f"if (a == {n}) {{ {YES} }} " for n in range(12)) + YES,
        "for (String a : b) {} " * 200 + "if (a) { b = 1; } " * 200 + VERIFIED + YES,
    ],
)  # fmt: skip
def test_places_that_were_left_out_are_told(validate: str) -> None:
    """The eleventh place is where the mistake is."""
    assert "AX10" in [one.id for one in judged(partner(validate))[0]]


@pytest.mark.parametrize(
    "inner", ["f(a, ", "b.add(a, ", "Auth.JWTUtil.validateJWTWithCert(", "new A(", "(", "[", "!(a == "]
)
def test_brackets_in_brackets_are_followed_quickly(inner: str) -> None:
    """The limit is where it is because what is within it costs little."""
    closing = "]" if inner == "[" else ")"
    one = f"x = {inner * (DEEPEST - 5)}incomingToken{closing * (DEEPEST - 5)};"
    size = (MOST - 2000) // (DEEPEST * (2 + inner.count(",") * 2 + inner.count(".") * 2 + inner.count("=") * 3))
    begun = time.process_time()
    judged(partner(one * min(size, 60) + VERIFIED + CLAIMS + YES))

    assert time.process_time() - begun < 20


def test_a_class_that_is_not_here_is_named_as_text_too() -> None:
    """A list of rules alone tells no reader which class to look at."""
    unchecked = judged(None, complete=False)[1]
    shown = plain.check(CheckReport(unchecked=tuple(unchecked)))

    assert "ApexClass/Partner: Partner is not declared; the org may hold anything under this name" in shown
    assert "TX16" in shown
