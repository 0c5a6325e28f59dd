"""Reports of a large org: 400 resources change and 1,000 findings stand beside them. The whole first, then its parts."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from reconciler.model.address import Address
from reconciler.model.changes import Action, Change, Plan, Reason, Refusal, Step
from reconciler.model.finding import Finding
from reconciler.render import markdown
from reconciler.render.grouped import FEW, ROWS, change_tables, changes_by_app, finding_tables, grouped, groups
from reconciler.render.html import html_page
from reconciler.render.report import of_check, of_drift, of_plan
from reconciler.render.text import plain
from reconciler.schema.severity import Direction, Severity

from . import large
from .reports import NASTY
from .reports_html import ECA, GLOBAL
from .samples import finding
from .test_html import Read
from .test_markdown import GFM, assert_nothing_broke_out

PLAN, CHECK, DRIFT = large.plan(), large.check(), large.drift()
LIMIT = 65_536
"""GitHub's, in characters; bytes are never fewer."""


def tally(findings: tuple[Finding, ...]) -> Counter[tuple[str, str]]:
    return Counter((one.id, str(one.severity)) for one in findings)


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of a text table: its head and its rows."""
    block = page.split(f"{title}:\n")[1].split("\n\n", maxsplit=1)[0]
    return [re.split(r"\s{2,}", row.strip()) for row in block.splitlines()]


# -- the groups, which all formats show ------------------------------------------------------------------------------


def test_groups_go_by_severity_then_by_rule_then_by_app():
    """Whoever reads 942 findings from the top and stops at the first that are not urgent."""
    found = groups(CHECK.findings)
    keys = [(-group.severity, group.name, group.about) for group in found]

    assert sorted(keys) == keys
    assert len(set(keys)) == len(keys)
    assert 942 == sum(len(group.findings) for group in found)
    for group in found:
        names = [one.address.name for one in group.findings]
        assert sorted(names) == names
        assert {(group.severity, group.name)} == {(one.severity, one.id) for one in group.findings}


def test_what_does_not_count_comes_last_and_is_in_no_table():
    """Whoever waived 30 findings, and must not meet them before the one that is new."""
    waived = [finding(id="TX03", severity=Severity.CRITICAL, waived="dana", subject=str(n)) for n in range(30)]
    found = grouped([*waived, finding(id="TX02", severity=Severity.LOW)])

    assert "TX02" == found[0].id
    assert () == finding_tables(found)


def test_drift_is_counted_by_field():
    """An org in which 200 apps lost PKCE: `drift.changed: 200` would say nothing."""
    by_rule, _ = finding_tables(DRIFT.findings)

    assert {f"{GLOBAL}.isPkceRequired", f"{GLOBAL}.label"} <= {row.about for row in by_rule.rows}


def test_tables_count_everything_that_counts_also_what_has_no_row():
    """Whoever adds the numbers up."""
    for table in (*finding_tables(PLAN.drift + PLAN.findings), *change_tables(PLAN.changes)):
        shown = [row for row in table.all_rows if row is not table.total]
        sums = tuple(map(sum, zip(*(row.counts for row in shown), strict=True)))
        expected = 400 if table.noun == "kind" else 1_000

        assert expected == sum(sums)
        assert table.total is None or sums == table.total.counts
        assert ROWS >= len(shown)


def test_apps_are_counted_with_their_satellites():
    """An app whose five records each have a finding is one app."""
    _, by_app = finding_tables(PLAN.drift + PLAN.findings)

    assert {ECA} == {row.name.split("/")[0] for row in by_app.rows}
    assert by_app.rest is not None
    assert "281 more apps" == by_app.rest.name


def test_changes_of_one_app_stand_together():
    """Whoever looks for everything that is done to an app."""
    first = changes_by_app(PLAN.changes)[0]

    assert (Address(ECA, "app_000"), "1 to create, 2 to update", Severity.HIGH) == (
        first.app,
        first.told,
        first.weakens,
    )


@pytest.mark.parametrize("number", [0, 1, FEW])
def test_a_few_are_shown_without_a_table(number: int):
    """Whoever has five findings, and would read more table than findings."""
    assert () == finding_tables(large.broken_rules(number, 5))
    assert () == change_tables(large.changes(number))
    assert "by rule" not in plain.check(replace(CHECK, findings=large.broken_rules(number, 5)))


# -- text ------------------------------------------------------------------------------------------------------------


def test_text_counts_first_and_lists_then():
    """Whoever sees the first screen of `check --live` on an org of 314 apps."""
    page = plain.check(CHECK)
    severities, *of = rows(page, "Findings by rule")
    counted = {row[3]: dict(zip(severities, row[:3], strict=True)) for row in of if not row[3].startswith("in all")}

    assert ["high", "medium", "info"] == severities
    assert tally(CHECK.findings) == Counter(
        {(id, s): int(n) for id, row in counted.items() for s, n in row.items() if n != "-"}
    )
    assert "in all: 942" == of[-1][3]
    assert page.index("Findings by rule:") < page.index("Findings by app:") < page.index(CHECK.findings[0].message)
    assert "Check: " in page.splitlines()[-1]


def test_text_says_once_what_is_the_same_for_a_group_and_names_everything():
    """Whoever scrolls: the same advice 77 times is no advice."""
    page = plain.check(CHECK)

    for id in large.RULES:
        assert 1 == page.count(f"mend: mend what {id} is about\n")
    for one in CHECK.findings:
        assert f"{one.message}\n" in page


def test_advice_that_differs_stays_with_its_finding():
    """Whoever would follow another's advice."""
    many = [finding(id="TX02", subject=str(n), mend=f"write {n}", message=f"number {n}") for n in range(FEW + 1)]
    page = plain.check(replace(CHECK, findings=tuple(many)))

    assert all(f"mend: write {n}\n" in page for n in range(FEW + 1))


def test_a_summary_keeps_one_line_for_each():
    """Scripts that count the lines of `--summary`."""
    page = plain.check(CHECK, summary=True)

    assert 942 == len(re.findall(r"(?m)^(?:critical|high|medium|low|info)  \S+/\S+", page))
    assert "Findings by rule:" in page


def test_text_of_a_plan_names_changes_before_findings():
    """Whoever approves a plan, and would have to look for what it does behind 1,000 findings."""
    page = plain.plan(PLAN)
    last_change = max(page.index(f"{change.address}") for change in PLAN.changes)

    assert page.index("Changes by kind:") < page.index("Findings by rule:") < page.index("\nChanges:\n")
    assert page.index("\nChanges:\n") < last_change < page.index("Drift since the baseline:")
    assert page.index("Drift since the baseline:") < page.index("Findings on what changes:")
    assert all(str(change.address) in page for change in PLAN.changes)


# -- Markdown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "findings"), [(400, 1_000), (400, 0), (21, 5_000), (560, 1_000), (900, 1_000), (3_000, 3_000)]
)
def test_a_comment_fits_and_names_what_changes(resources: int, findings: int):
    """Whoever approves a pull request by its comment: each change, or at least each app with its number of changes."""
    plan = large.plan(resources, findings)
    page = markdown.page(of_plan(plan))

    assert LIMIT > len(page.encode())
    rows = re.findall(r"(?m)^\| (?:create|update) \| `(.*?)` \|", page)
    assert resources > 450 or "#### Changes\n" in page
    if "#### Changes\n" in page:
        assert [str(change.address) for change in plan.changes] == rows
    else:
        apps = re.findall(rf"(?m)^- `({ECA}/\w+)`: \d+ to create", page)
        cut = re.search(r"apps with changes: ([\d,]+)", page)
        left = int(cut[1].replace(",", "")) if cut else 0
        assert (resources + 2) // 3 == len(apps) + left
        assert resources > 900 or not left


def test_no_change_goes_before_a_finding():
    """A comment that lists findings and keeps from its reader what will be done."""
    for resources in (400, 480, 520, 560, 700, 3_000):
        page = markdown.page(of_plan(large.plan(resources, 1_000)))
        listed = re.findall(r"(?m)^- \*\*\w+\*\*", page)

        assert not (listed and re.search(r"(?<!details of )changes: [\d,]+", page)), resources


def test_changes_stand_before_findings_in_a_comment():
    """Whoever sees the first screen of a comment."""
    page = markdown.page(of_plan(large.plan(30, 30)))

    assert page.index("| kind |") < page.index("| rule |") < page.index("#### Changes") < page.index("#### Findings")


def test_a_comment_says_what_it_left_out_and_where_the_whole_is():
    """Whoever would take a part for the whole."""
    page = markdown.page(of_plan(PLAN), "https://github.com/acme/identity/actions/runs/1")
    shown = Counter(re.findall(r"(?m)^- \*\*(\w+)\*\*", page))
    left = {s: int(n.replace(",", "")) for s, n in re.findall(r"[ ,](?<!of )(\w+) findings: ([\d,]+)", page)}

    assert Counter(str(f.severity) for f in PLAN.drift + PLAN.findings) == shown + Counter(left)
    assert "[the artifacts of this run](https://github.com/acme/identity/actions/runs/1)." in page
    assert "](" not in markdown.page(of_plan(PLAN), "javascript:alert(1)")
    assert "](" not in markdown.page(of_plan(PLAN), "https://x)[y](https://evil.example")


def test_thousands_of_refusals_leave_room_for_the_changes():
    """A plan in which everything is protected."""
    refused = tuple(Refusal("protect", c.address, "lifecycle.protect forbids replace") for c in large.changes(3_000))
    page = markdown.page(of_plan(replace(PLAN, refusals=refused)))

    assert LIMIT > len(page.encode())
    assert "- and 2,960 more refusals\n" in page
    assert all(str(change.address) in page for change in PLAN.changes)


@pytest.mark.parametrize("name", [text for text in NASTY if text], ids=range(len(NASTY) - 1))
def test_hostile_names_break_out_of_no_group(name: str):
    """Everybody who reads the comment of an org in which one app is called so, a hundred times."""
    many = [
        finding(id=id, severity=s, address=Address(name, name), path=(name,), message=name, meaning=name, mend=name)
        for id in ("drift.changed", "TX02", name)
        for s in Severity
        for _ in range(FEW)
    ]
    made = [Change(Address(name, f"{name}{n}"), None, {name: name}, Reason.DECLARED) for n in range(FEW + 1)]
    plan = Plan(PLAN.org, (Step(tuple(made), ()),), findings=tuple(many))

    assert_nothing_broke_out(markdown.page(of_plan(plan)), of_plan(plan))


def test_a_comment_that_leaves_things_out_is_whole_markdown():
    """What is cut must not be cut in the middle of a cell."""
    assert_nothing_broke_out(markdown.page(of_plan(large.plan(1_000, 500))), None)


def test_a_comment_of_400_changes_is_a_table_of_400_rows():
    """GitHub shows a broken table as text."""
    shown = [token.type for token in GFM.parse(markdown.page(of_plan(PLAN)))]

    assert 5 == shown.count("table_open")  # severities, kinds, rules, apps, changes
    assert 6 + 5 + 16 + 21 + 401 == shown.count("tr_open")


# -- HTML ------------------------------------------------------------------------------------------------------------


def test_a_page_shows_tables_then_changes_then_findings_in_groups():
    """Whoever opens the report of 400 changes and 1,000 findings."""
    page = html_page.page(of_plan(PLAN))

    assert page.index("Changes by kind") < page.index("Findings by rule") < page.index('id="changes-title"')
    assert page.index('id="changes-title"') < page.index('id="findings-title"')
    assert 134 + len(groups(PLAN.drift + PLAN.findings)) == page.count('<details class="group"')
    assert 1_000 == page.count("<article")
    assert 400 == len(re.findall(r'<details class="item change', page))


def test_only_the_first_groups_are_open():
    """A browser, and whoever scrolls: what is closed is not in the way."""
    drift = html_page.page(of_drift(replace(DRIFT, findings=(*DRIFT.findings[:200], large.drifted(1_000, 300)[-1]))))
    opened = re.findall(r'<details class="group"( open)?>', drift)

    assert " open" == opened[0]
    assert {""} == set(opened[1:])


def test_a_page_of_a_large_check_is_whole():
    """Whoever looks for one of 942 findings by its text."""
    page = html_page.page(of_check(CHECK))

    assert all(one.message in page for one in CHECK.findings)
    assert Read(page).all("article")


def test_weakening_is_seen_without_opening_anything():
    """Whoever does not unfold 134 apps."""
    weak = [c for c in PLAN.changes if any(f.direction is Direction.WEAKENS for f in c.fields)]

    assert len(weak) == html_page.page(of_plan(PLAN)).count("weakens, high</span></summary>")


def test_every_action_has_a_column():
    """A plan that deletes one app among 400 changes."""
    gone = Change(Address("ConnectedApp", "Legacy_ERP"), {"label": "x"}, None, Reason.REMOVED)
    (table,) = change_tables([*PLAN.changes, gone])

    assert (str(Action.CREATE), str(Action.UPDATE), str(Action.DELETE)) == table.columns
