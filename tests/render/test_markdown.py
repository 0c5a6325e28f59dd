"""The comment on a pull request: what it says, what it leaves out when it gets long, and that nobody's name becomes markup."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.errors import ReconcilerError
from reconciler.model.address import Address
from reconciler.model.changes import FieldChange
from reconciler.render import markdown
from reconciler.render.grouped import change_tables, finding_tables
from reconciler.render.markdown_words import code, fenced, prose
from reconciler.render.report import Report, of_error, of_plan
from reconciler.schema.severity import Severity

from .reports import (
    BY_DANA,
    GLOBAL,
    NASTY,
    REPORTS,
    SECRET,
    SWITCHED_OFF,
    URL_ADDED,
    drift_of,
    hostile,
    hostile_reports,
)
from .samples import finding, plan_of, update

# Links in bare text and raw HTML are on, so that whatever gets through is seen.
GFM = MarkdownIt("gfm-like", {"html": True})
HEADINGS = {
    "Refused",
    "Failed",
    "Findings",
    "Changes",
    "Changes by app",
    "Changes that weaken, delete or replace",
    "Deployments under way",
    "Notes",
}
OUR_HTML = re.compile(
    r"<!-- reconciler:\w+:[0-9A-Za-z.]+ -->|</details>|"
    r"<details>\s<summary>(?:[A-Za-z ]+ \(\d+\)|(?:[a-z]+ )?<code>[^<>\n]*</code>(?: \([\d,]+\))?|Findings by app)</summary>"
)
PLAIN_TEXT = re.compile(r"[^@#<>\[\]_*~$|\\`&{}=/%^+]*")
LINKED = re.compile(r"(?i)\bGH-\d|[a-z]\.[a-z]|\b[0-9a-f]{7,}\b|\b[a-z]+-\d|::|^\d+[.)]")


def inline(token: Token) -> list[Token]:
    return token.children or []


def skeleton(text: str) -> list[str]:
    """What a page is made of, without its words."""
    found = []
    for token in GFM.parse(text):
        found.append(token.type)
        found += [child.type for child in inline(token) if child.type not in ("text", "code_inline")]
    return found


GROUP = re.compile(r"(?:critical|high|medium|low|info) `.*")
"""The heading of a group of findings."""


def assert_nothing_broke_out(page: str, report: Report | None) -> None:
    """All of the page is ours. With a report its rows are counted too."""
    tokens = GFM.parse(page)
    assert {t.type for t in tokens} <= {
        *("html_block", "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *(f"{part}_{side}" for part in ("table", "thead", "tbody", "tr", "th", "td") for side in ("open", "close")),
    }
    for token, before in zip(tokens, [None, *tokens], strict=False):
        if token.type == "html_block":
            assert OUR_HTML.fullmatch(token.content.strip()), token.content
        if token.type == "fence":
            assert {line[:2] for line in token.content.splitlines()} <= {"+ ", "- ", "! "}
        if token.type == "inline" and before is not None and before.type == "heading_open":
            expected = token.content in HEADINGS or token.content.startswith("reconciler ")
            assert expected or (before.tag == "h5" and GROUP.fullmatch(token.content)), token.content
        for child in inline(token):
            assert child.type in {"text", "code_inline", "strong_open", "strong_close"}, child
            if child.type == "text":
                assert PLAIN_TEXT.fullmatch(child.content) and not LINKED.search(child.content), child.content
    if report is None:
        return
    rows = sum(token.type == "tr_open" for token in tokens)
    severities = len({found.severity for found in report.findings if found.counts})
    tables = (*change_tables(report.changes), *finding_tables(report.findings))
    counts = (severities, len(report.changes), *(len(table.all_rows) for table in tables))
    assert rows == sum(1 + n for n in counts if n)


@pytest.mark.parametrize("name", REPORTS)
def test_pages_are_made_of_nothing_but_our_own_markup(name: str):
    """Whoever reads the comment and believes what it looks like."""
    assert_nothing_broke_out(markdown.page(REPORTS[name]), REPORTS[name])


@pytest.mark.parametrize("text", [text for text in NASTY if text], ids=range(len(NASTY) - 1))
def test_a_hostile_name_changes_nothing_but_words(text: str):
    """Whoever is mentioned, linked or lied to because somebody called an app so."""
    plain = [skeleton(markdown.page(report)) for report in hostile(["plain"] * 10)]
    pages = [markdown.page(report) for report in hostile([text] * 10)]

    assert plain == [skeleton(page) for page in pages]
    for page, report in zip(pages, hostile([text] * 10), strict=True):
        assert_nothing_broke_out(page, report)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(reports=hostile_reports())
def test_nothing_breaks_out(reports: list[Report]):
    """The same for texts that nobody thought of."""
    for report in reports:
        page = markdown.page(report)
        assert_nothing_broke_out(page, report)
        assert len(page.encode()) < 65_536
        assert not re.search(r"(?m)^\s*::|##\[|##vso\[", page)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a plain sentence, isn't it? Yes: 3 of 1,234 (two).", "a plain sentence, isn't it? Yes: 3 of 1,234 (two)."),
        ("changed by dana@acme.example, at 9.", "changed by `dana@acme.example`, at `9.`"),
        ("see http://evil.example now", "see `http://evil.example` now"),
        ("order_portal *is* bad", "`order_portal *is*` bad"),
        ("(ops@acme.example, until 2026-12-31)", "(`ops@acme.example`, until `2026-12-31`)"),
        ("GH-1 and deadbeef and www.x.example", "`GH-1` and `deadbeef` and `www.x.example`"),
        ("1. one", "`1.` one"),
        ("a | b ` c", r"a `\x7c` b `\x60` c"),
        ("", '`""`'),
    ],
)
def test_prose_keeps_plain_words_and_puts_the_rest_into_code(raw: str, expected: str):
    """Whoever reads sentences in a comment, and copies names out of them."""
    assert expected == prose(raw)


@pytest.mark.parametrize("raw", [*NASTY, " a", "a ", "`", "\\", "a\\"])
def test_code_is_one_piece_of_code_even_in_a_table(raw: str):
    """Whoever reads a row in which an app's name opened another column."""
    tokens = GFM.parse(f"| a | b |\n|---|---|\n| {code(raw)} | x |\n")
    cells = [inline(token) for token in tokens if token.type == "inline"]

    assert [["text"], ["text"], ["code_inline"], ["text"]] == [[t.type for t in cell] for cell in cells]


def test_code_shows_exactly_what_it_was_given():
    """Whoever copies an address from a comment."""
    shown = ["order_portal", " a", "a ", "a\\", "<b> &amp; *x*"]

    assert shown == [inline(GFM.parseInline(code(text))[0])[0].content for text in shown]


def test_a_fence_is_longer_than_what_is_inside():
    """Whoever names a field of backticks."""
    (token,) = GFM.parse("\n".join(fenced(["`````", "- ```"])))

    assert ("fence", "`````\n- ```\n") == (token.type, token.content)


def test_the_marker_is_the_same_in_every_run_on_one_org():
    """The CI job that would otherwise add a comment for every push."""
    first = {name: markdown.page(REPORTS[name]).splitlines()[0] for name in ("plan", "drift", "check")}

    assert {
        "plan": "<!-- reconciler:plan:00D000000000001EAA -->",
        "drift": "<!-- reconciler:drift:00D000000000001EAA -->",
        "check": "<!-- reconciler:check:files -->",
    } == first


def test_the_marker_of_a_run_that_failed_is_the_one_of_a_run_that_did_not():
    """Whoever reads the plan of yesterday, because the comment of today's failure is another one."""
    failed = of_error("plan", ReconcilerError("no answer"))
    pages = [markdown.page(report, whose="prod:teams/idp") for report in (REPORTS["plan"], failed)]

    assert ["<!-- reconciler:plan:prod.teams.idp -->"] * 2 == [page.splitlines()[0] for page in pages]
    assert "<!-- reconciler:plan:x.b.y. -->" == markdown.page(failed, whose="x--><b>y-").splitlines()[0]


def test_a_finding_says_who_when_what_where_and_what_to_do():
    """Whoever is called at night and has nothing but the comment."""
    page = markdown.page(drift_of(SWITCHED_OFF))

    assert (
        "- **high** (new) `ExtlClntAppGlobalOauthSettings/order_portal.isSecretRequiredForTokenExchange`: "
        "`true → false`, weakens\n"
        "  - Changed by `dana@acme.example` at `2026-05-04T08:15:00Z` (the audit trail agrees, `root@acme.example` had "
        "logged in as that user)\n"
        "  - Means: Whoever has a client id can exchange a token without the secret.\n"
        "  - Declared at `desired/apps/order_portal.yaml:12:5`\n"
        "  - Mend: apply, or accept it\n"
    ) in page


def test_findings_are_counted_by_severity_and_shown_worst_first():
    """Whoever reads only the first screen."""
    page = markdown.page(REPORTS["drift"])

    assert "| critical | 1 |  | 0 |\n| high | 3 |  | 1 |\n| medium | 1 |  | 0 |\n| low | 1 |  | 0 |\n" in page
    assert ["critical", "high", "high", "high", "medium", "low"] == re.findall(r"(?m)^- \*\*(\w+)\*\*", page)


def test_what_does_not_count_is_there_and_closed():
    """Whoever waived a rule and must be able to find that again."""
    page = markdown.page(REPORTS["check"])
    closed = page[page.index("<summary>Not counted (1)") :]

    assert "waived: an ERP of 2009 (`ops@acme.example`, until `2026-12-31`)" in closed
    assert "OA97" not in page[: page.index("<summary>Not counted (1)")]


def test_rules_that_could_not_be_judged_are_named_once_each():
    """Whoever would take silence for praise."""
    expected = (
        "- `TX97` on 2 resources, such as `OauthTokenExchangeHandler/PartnerIdp`: "
        "not declared; the org may hold anything\n"
    )

    assert expected in markdown.page(REPORTS["check"])


def test_changes_show_what_differs():
    """Whoever approves a pull request by its comment."""
    page = markdown.page(REPORTS["plan"])

    assert (
        "```diff\n"
        "- isPkceRequired: true\n"
        "+ isPkceRequired: false   (weakens, high)\n"
        "- label: Portal\n"
        "+ label: Order portal\n"
        "! conflict: the org moved too, the file wins\n"
        "- callbackUrl: https://a.example\n"
        "+ callbackUrl: https://b.example\n"
        "! consumerSecret: (secret) → (secret)\n"
        "```\n"
    ) in page
    assert "! content: 1 of 3 lines changed, first at line 2: one(); → two();\n" in page
    assert "| delete | `ConnectedApp/Legacy_ERP` |" in page


def test_a_failed_apply_tells_what_landed_and_what_the_org_said():
    """Whoever has to repair the org after a failed deployment."""
    page = markdown.page(REPORTS["apply-fails"])

    assert "Salesforce says `Apex class does not extend Auth.Oauth2TokenExchangeHandler`" in page
    assert 5 == page.count("| **not landed** |")
    assert 5 == markdown.page(REPORTS["apply-lands"]).count("| landed |")


@pytest.mark.parametrize("name", REPORTS)
def test_no_secret_is_in_a_comment(name: str):
    """Everybody whose secret would be mailed to all who watch the repository."""
    assert SECRET not in markdown.page(REPORTS[name])


def test_a_secret_is_named_and_hidden():
    """Whoever must know that a secret moved."""
    page = markdown.page(REPORTS["drift"])

    assert "order_portal.consumerSecret`: `(secret) → (secret)`" in page


def test_a_change_that_is_secret_shows_nothing_whatever_its_form():
    """Whoever has a secret in a field that no mark covers."""
    fields = [FieldChange((name,), old, None, secret=True) for name, old in (("text", SECRET), ("list", [SECRET]))]
    page = markdown.page(of_plan(plan_of(update(GLOBAL, *fields))))

    assert "! text: (secret) → (unset)\n! list: (secret) → (unset)\n" in page
    assert SECRET not in page


def many(worst: int, others: int, name: str = "app") -> Report:
    """Findings with details: `worst` critical ones and `others` that are low."""
    grave = [
        replace(URL_ADDED, address=Address("ConnectedApp", f"grave_{n}"), attribution=BY_DANA) for n in range(worst)
    ]
    low = [
        finding(
            address=Address("ConnectedApp", f"{name}_{n}"), severity=Severity.LOW, path=("label",), old="a", new="b"
        )
        for n in range(others)
    ]
    return drift_of(*grave, *(replace(one, attribution=BY_DANA) for one in low))


@pytest.mark.parametrize("name", ["app", "漢字🙂" * 20, "\u202e" * 50])
def test_a_long_comment_keeps_the_worst_and_counts_the_rest(name: str):
    """Whoever has 3,000 drifted labels, and five callback URLs that somebody added."""
    page = markdown.page(many(5, 3_000, name))
    shown = len(re.findall(r"(?m)^- \*\*low\*\*", page))
    told = re.search(r"low findings: ([\d,]+)\.", page)

    assert len(page.encode()) < 65_536
    assert 5 == len(re.findall(r"(?m)^- \*\*critical\*\*.*\n  - Changed by `dana@", page))
    assert told is not None
    assert 3_000 == shown + int(told[1].replace(",", ""))
    assert "| low | 3000 |" in page


def test_details_go_before_entries():
    """Whoever would rather see all findings in short than half of them at length."""
    page = markdown.page(many(5, 500))

    assert 500 == len(re.findall(r"(?m)^- \*\*low\*\*", page))
    assert re.search(r"details of low findings: \d+\.", page)
    assert "**Left out" not in markdown.page(many(5, 30))


def test_only_the_worst_can_push_the_worst_out():
    """Whoever has more critical findings than any comment can hold."""
    page = markdown.page(many(2_000, 50))

    assert len(page.encode()) < 65_536
    assert "**low**" not in page
    assert re.search(r"critical findings: [\d,]+", page)
    assert "low findings: 50" in page


def test_a_change_of_very_many_fields_is_cut():
    """Whoever imports an app with 500 fields."""
    fields = [FieldChange((f"field{n}",), "a", "b") for n in range(500)]
    page = markdown.page(of_plan(plan_of(update(GLOBAL, *fields))))

    assert "! … and 941 more lines\n" in page


def test_nothing_found_is_said_in_one_line():
    """Whoever wants to know that all is well."""
    assert (
        "<!-- reconciler:check:files -->\n### reconciler check: the files\n\n**Check: 2 resources, no findings.**\n"
    ) == markdown.page(REPORTS["check-finds-nothing"])


def test_a_reason_is_shown_for_an_unusual_change():
    """Whoever wonders why an app is to be deleted."""
    page = markdown.page(REPORTS["plan"])

    assert "- ConnectedApp/Legacy_ERP</code></summary>\n\nremoved from the files\n\n```diff\n" in page
    assert "declared, and the org does not have it" not in page
