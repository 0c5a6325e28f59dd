"""The page: whole, well formed, forbids itself everything it does not hold, and no text of an org gets out of its place."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.address import Address
from reconciler.model.changes import Change, FieldChange, Reason
from reconciler.model.finding import Unchecked
from reconciler.render.html.element import element, void
from reconciler.render.html.html_page import page
from reconciler.render.html.page_parts import BYTES, FINDINGS
from reconciler.render.words.safe import is_hidden, line
from reconciler.schema.severity import Severity

from .reports_html import (
    APEX,
    APPLIED,
    CLASS_BODY,
    DRIFT,
    ECA,
    EXECUTION_USER,
    FILES_ONLY,
    GLOBAL,
    HOSTILE_TEXTS,
    IGNORED,
    NOTHING,
    PLAN,
    SCOPES,
    SECRET_SWITCH,
    WAIVED,
    found,
    hostile,
    huge,
    report,
)

REPORTS = {
    "drift": DRIFT,
    "plan": PLAN,
    "apply": APPLIED,
    "files": FILES_ONLY,
    "nothing": NOTHING,
    "hostile": hostile(*HOSTILE_TEXTS),
    "twice": report(SECRET_SWITCH, SECRET_SWITCH),
}
VOID = {"meta", "input"}
ELEMENTS = """
a article body button caption circle clippath code dd del desc details div dl dt fieldset g h1 h2 h3 head header html input ins
label legend li main meta p path pre rect script section span strong style summary svg table tbody td text th thead time title
tr ul
"""
ATTRIBUTES = """
aria-describedby aria-hidden aria-label aria-labelledby aria-live autocomplete charset checked class clip-path content cx cy d
data-called data-from data-kind data-known data-node data-nodes data-severity data-to for height hidden href http-equiv id lang
name open r role rx scope spellcheck tabindex text-anchor transform type value viewbox width x y
"""


class Read(HTMLParser):
    """A page as a browser takes it apart, as far as we look at it. Fails where elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert [] == self._open

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len({name for name, _ in attrs})
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        if inside in ("style", "script"):
            self.raw[inside] = self.raw.get(inside, "") + data
        else:
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def having(self, attribute: str) -> list[str]:
        return [
            value or "" for _, attributes in self.elements for name, value in attributes.items() if name == attribute
        ]


@pytest.fixture(params=REPORTS)
def read(request):
    return Read(page(REPORTS[request.param]))


def test_nothing_but_what_we_mean_is_an_element_or_an_attribute(read):
    """A name that becomes an element can load, run and imitate anything."""
    assert {tag for tag, _ in read.elements} <= set(ELEMENTS.split())
    assert {name for _, attributes in read.elements for name in attributes} <= set(ATTRIBUTES.split())
    assert [1, 1] == [len(read.all("script")), len(read.all("style"))]


def test_every_link_leads_to_a_place_on_the_page(read):
    """A link with a text of the org in it could be `javascript:`, or lead to a copy of the login page."""
    ids = read.having("id")

    assert len(ids) == len(set(ids))
    assert {"#"} == {link[:1] for link in read.having("href")}
    assert {link[1:] for link in read.having("href")} <= set(ids)


def test_the_page_forbids_what_it_does_not_hold(read):
    """Whoever opens a report of an org in which somebody found a hole in our escaping."""
    (policy,) = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    digests = {name: b64encode(sha256(text.encode()).digest()).decode() for name, text in read.raw.items()}

    assert (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "base-uri 'none'; form-action 'none'"
    ) == policy


def test_a_screen_reader_finds_its_way(read):
    """People who hear the page: a language, one title, headings in order, tables with heads, fields with labels."""
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h\d", tag)]
    ids = set(read.having("id"))

    assert ["en"] == [attributes.get("lang") for attributes in read.all("html")]
    assert 1 == levels[0] and 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(head.get("scope") in ("row", "col") for head in read.all("th"))
    assert {name for value in read.having("aria-labelledby") for name in value.split()} <= ids
    assert set(read.having("for")) <= ids


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_hostile_text_is_shown_as_what_it_is(name):
    """Whoever has to find the app that is really called that."""
    shown = " ".join(line(name, 120).split())

    assert shown in Read(page(hostile(name))).text


def test_nothing_hidden_gets_onto_the_page():
    """A bidirectional override makes another user of a username."""
    text = page(hostile(*HOSTILE_TEXTS))

    assert [] == [c for c in text if is_hidden(c) and c != "\n"]
    text.encode("utf-8")


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=2))
def test_no_text_at_all_breaks_the_page(texts):
    """Whatever an administrator, a deployment or a stranger's pull request writes."""
    read = Read(page(hostile(*texts)))

    assert {tag for tag, _ in read.elements} <= set(ELEMENTS.split())
    assert {name for _, attributes in read.elements for name in attributes} <= set(ATTRIBUTES.split())
    assert {link[:1] for link in read.having("href")} == {"#"}


def test_an_element_escapes_all_but_finished_html():
    """The next person who adds a paragraph and thinks of nothing bad."""
    inner = element("b", "<i>", title='"')

    assert '<b title="&quot;">&lt;i&gt;</b>' == inner
    assert '<p>a &amp; <b title="&quot;">&lt;i&gt;</b>1</p>' == element("p", "a & ", inner, None, [1])
    assert '<input data-node="n1" checked>' == void("input", data_node="n1", checked=True, hidden=False, class_=None)


def test_a_finding_says_all_that_a_reader_asks():
    """Whoever gets the page by mail, and has nothing else."""
    text = Read(page(report(SECRET_SWITCH))).text

    for said in (
        "high ExtlClntAppGlobalOauthSettings/order_portal .isSecretRequiredForTokenExchange known",
        "from true → to false",
        "Whoever knows the app's public key can exchange tokens.",
        "Direction weakens",
        "dana@acme.example at 2026-05-04T08:15:00Z (medium confidence, eli@acme.example had logged in as that user)",
        "Where desired/apps/order_portal.yaml:15",
        "Mend reconciler apply",
        "Rule drift.changed",
    ):
        assert said in text


def test_a_rule_is_named_with_its_title_and_its_source():
    """Whoever does not believe us."""
    from reconciler.render.words.about import about

    rule = found(Address(ECA, "order_portal"), id="waiver.expired", message="it ended")
    text = Read(page(report(rule))).text

    assert f"Rule waiver.expired {about('waiver.expired').title}" in text
    assert f"Source {about('waiver.expired').source}" in text


def test_findings_are_counted_by_severity_in_words():
    """People who cannot tell the colours apart."""
    text = Read(page(DRIFT)).text

    assert "2 critical 1 high 1 medium 1 low 0 info" in text
    assert "Findings (5)" in text
    assert DRIFT.trailer in text
    assert "Acme, 00D000000000001EAA, CS42, Enterprise Edition, production , API 63.0, as ci@acme.example" in text


def test_what_does_not_count_is_shown_apart_with_its_reason():
    """A waiver that nobody can see is a hole with a lid on."""
    text = Read(page(report(IGNORED, WAIVED))).text

    assert "Findings (0)" in text
    assert "Shown and not counted (2)" in text
    assert "ignored by lifecycle.ignore" in text
    assert "waived: by it@acme.example until 2026-12-31: the client is being replaced" in text


def test_what_could_not_be_checked_is_said_once_for_each_reason():
    """ "Not checked" is not "fine"; and a thousand apps fail to be checked for the same reason."""
    many = tuple(Unchecked("TX07", Address(ECA, f"app_{n}"), "users could not be read") for n in range(1_000))
    text = Read(page(report(unchecked=many))).text

    assert "Not checked (1,000)" in text
    assert 1 == text.count("users could not be read")
    assert "and 988 more" in text


def test_files_alone_say_that_no_org_was_asked():
    """Who reads "no findings" must know of what."""
    assert "no org was asked" in Read(page(FILES_ONLY)).text


def test_planned_changes_show_every_field_and_what_it_does():
    """Whoever approves the plan by this page."""
    text = Read(page(PLAN)).text

    assert "Planned changes (3)" in text
    assert "1 to create; 1 to update; 1 to delete." in text
    assert (
        "isSecretRequiredForTokenExchange from false → to true tightens Conflict: the org moved too; the file wins."
        in text
    )
    assert "callbackUrl + added https://c.example/cb − removed https://a.example/cb weakens critical" in text
    assert "label Billing distributionState Local" in text
    assert "desired/apps/billing.yaml:2" in text
    assert "Refused (1)" in text and "lifted by --allow delete" in text


def test_an_apply_says_what_landed_and_what_the_org_said():
    """Whoever has to clean up after a deployment that failed half way."""
    text = Read(page(APPLIED)).text

    assert "Changes (3)" in text and 3 == text.count("not landed") - 1  # once more in the trailer
    assert "Value too long for field: callbackUrl" in text
    assert "Deployments under way (1)" in text
    assert "Resolved since the earlier report (1) ConnectedApp/Partner_Portal.label" in text


def test_no_secret_is_on_the_page():
    """A report is mailed around; a consumer secret is a password."""
    stolen = found(Address(GLOBAL, "order_portal"), "consumerSecret", old="s3cr3t-value", new="an0ther-value")
    marked = FieldChange(("label",), "s3cr3t-label", None, secret=True)
    change = Change(Address(GLOBAL, "order_portal"), {}, {}, Reason.EDITED, (marked,))
    text = page(report(stolen, changes=(*PLAN.changes, change)))

    assert "(secret)" in text
    assert [] == [secret for secret in ("s3cr3t", "an0ther-value", "BILLING") if secret in text]


def test_of_a_changed_class_the_changed_lines_are_shown():
    """The one commented-out line that switches the signature check off."""
    read = Read(page(report(CLASS_BODY)))

    assert "@@ line 3 @@" in read.text
    assert "- verify(token); + // verify(token);" in read.text
    assert [1, 1] == [len(read.all("del")), len(read.all("ins"))]


def test_a_rewritten_class_is_cut():
    """Two sources of 50,000 lines each, of which no line is the same: comparing them could take minutes."""
    old, new = ("\n".join(f"{word} {n};" for n in range(50_000)) for word in ("old", "new"))
    text = page(report(found(Address(APEX, "H"), "content", old=old, new=new)))

    assert len(text) < 200_000
    assert "more lines removed" in text and "more lines" in text


def test_sets_show_what_came_and_what_went():
    """Two lists of scopes side by side are a riddle."""
    assert "+ added Full − removed Web" in Read(page(report(SCOPES))).text


def test_nodes_and_findings_know_each_other():
    """Choosing a node has to show its findings, and only these."""
    read = Read(page(report(EXECUTION_USER, SECRET_SWITCH)))
    nodes = {
        attributes["data-called"]: attributes["data-node"] for attributes in read.all("a") if "data-node" in attributes
    }
    findings = {a["data-severity"]: set(a["data-nodes"].split()) for a in read.all("article")}

    assert {
        "critical": {
            nodes["app Partner_Portal"],
            nodes["handler PartnerIdp"],
            nodes["execution user dana@acme.example"],
        },
        "high": {nodes["app order_portal"]},
    } == findings
    assert {f"about-{id}" for id in nodes.values()} <= set(read.having("id"))


def test_the_picture_is_told_in_words_too():
    """People who do not see it."""
    text = Read(page(report(EXECUTION_USER))).text

    assert "Apex class PartnerIdpTokenHandler runs as execution user dana@acme.example critical: 1 finding" in text


def test_controls_are_hidden_until_there_is_a_script_to_serve_them():
    """Whoever opens the page in a viewer that runs no script must not click in vain."""
    read = Read(page(DRIFT))
    hidden = [attributes.get("id") for _, attributes in read.elements if "hidden" in attributes]

    assert {"filter", "chosen"} <= set(hidden)
    assert [] == [attributes for attributes in read.all("article") if "hidden" in attributes]


def test_ten_thousand_findings_are_a_page_that_opens():
    """An org of 2,000 apps on the first day; nothing may be lost without a word."""
    findings = huge().findings
    text = page(huge())
    told = re.search(r"([\d,]+) more findings left out here \(([^)]*)\)", text)

    assert 10_000 == len(findings)
    assert len(text.encode()) < 10_000_000
    assert told is not None
    shown = text.count("<article")
    assert FINDINGS == shown
    assert 10_000 == shown + int(told[1].replace(",", ""))
    assert "2,000 low" in told[2] and "critical" in told[2]


def test_giant_values_do_not_make_a_giant_page():
    """Names and values of 100,000 characters, in every place, a thousand times."""
    giant = "<&" * 50_000
    findings = [
        found(Address(ECA, f"{n}{giant}"), giant, old=giant, new=giant, message=giant, meaning=giant, mend=giant)
        for n in range(200)
    ]
    text = page(report(*findings, trailer=giant, notes=(giant,) * 500))

    assert len(text.encode()) < 10_000_000
    assert BYTES < 10_000_000 / 3


def test_severities_all_have_their_looks():
    """A new severity would be white on white."""
    style = Read(page(NOTHING)).raw["style"]

    assert [] == [
        str(severity) for severity in Severity if not re.search(rf"^\.{severity}( {{|,)$", style, re.MULTILINE)
    ]
