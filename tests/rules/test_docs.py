"""docs/rules.md is made from the rules, docs/comparisons.md from the marks of the kinds. `make docs` writes them anew."""

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from reconciler.kinds import all_kinds
from reconciler.render.words.about import About, all_about
from reconciler.schema import comparisons
from reconciler.schema.kind import Struct

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
COMPARISONS = PAGE.with_name("comparisons.md")
HEAD = """\
# What is found

Every finding has an id. `reconciler explain ID` shows a rule with an example of both sides; this page lists them all. It is
made from the rules: `make docs`.

Severities can be changed for a project or for one org, and a finding can be waived, in `reconciler.yaml`:

```yaml
rules: {OA01: info, TX17: off}
waivers:
  - rule: TX11
    address: OauthTokenExchangeHandler/PartnerIdp/enablements/order_portal
    reason: the integration user is made in March
    owner: iam@acme.example
    expires: 2027-03-31
orgs:
  prod: {instance_url: https://acme.my.salesforce.com, rules: {OA01: high}}
```

An expired waiver waives nothing and is a finding itself, as is one that nothing needs. Drift is not waived but accepted:
`reconciler baseline accept ADDRESS[.FIELD]`.
"""


def page() -> str:
    families = groupby(all_about().values(), key=lambda about: about.id.rstrip("0123456789").partition(".")[0])
    return "\n".join([HEAD, *(line for family, found in families for line in _family(family, found))])


def _family(family: str, found: Iterator[About]) -> Iterator[str]:
    yield f"## {family}\n"
    yield "| id | severity | what should be | who is hurt if it is not | source |"
    yield "|---|---|---|---|---|"
    for about in found:
        cells = (about.id, str(about.severity), about.title, about.hurts, about.source)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def test_the_page_lists_every_rule_as_it_is() -> None:
    """A security engineer who decides by the page which rules to switch off."""
    if os.environ.get("REWRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")

    assert page() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


COMPARISONS_HEAD = """\
# What is the same

An org trims texts, gives certificates back in another layout and compares names without regard to letter case; people and
YAML write one value in many ways. None of that is a change: each type of value has one comparison, and plans, drift, keys of
lists, references between resources and duplicates in files all go by it. What means the same stays as the org spells it:
nothing is sent for its sake.

What no source says to be the same is not: then letter case counts, and the doubt stands here. This page is made from the
marks of the kinds: `make docs`.

| a | is the same in spite of | source | not known, and how it is taken |
|---|---|---|---|
"""
COMPARISONS_TAIL = """\
Besides: in a field that is a set (`callbackUrl`, `permissionSetName`, everything `commaSeparated…`) neither the order counts nor
how often an entry is given; a list of structures is told apart by its key, and its order does not count; an element that is
absent, one that is empty and one that holds the platform's default are the same; `consumerKey: ""` asks for nothing, because an
org makes the key itself and never takes it away.

In files, a text is what stands there, also where YAML sees a number, true or false (`contactPhone: 0049301234`, `version: 1.0`).
Only `null` is no text: it means the platform's default. Names of apps, handlers, classes and scopes may be written in any
letters, where they are declared and where they are referred to.

## Which field is compared how
"""


def comparisons_page() -> str:
    rows = [f"| {' | '.join((c.type, c.same, c.source, c.doubt))} |" for c in comparisons.ALL]
    fields = _fields_by_comparison()
    lists = [f"**{one.type}**: {', '.join(sorted(fields[one.type]))}.\n" for one in comparisons.ALL]
    return "\n".join([COMPARISONS_HEAD + "\n".join(rows), "", COMPARISONS_TAIL, *lists])


def _fields_by_comparison() -> dict[str, set[str]]:
    """Type of value -> the fields of it, each with its structure where several structures have one of that name."""
    found: dict[str, set[str]] = {}

    def look(struct: type[Struct]) -> None:
        for name, field in struct.fields().items():
            if field.struct is not None:
                look(field.struct)
            elif field.compared:
                found.setdefault(field.comparison.type, set()).add(f"`{struct.__name__}.{name}`")

    for kind in all_kinds().values():
        look(kind)
    return found


def test_the_page_on_comparisons_is_as_the_kinds_are() -> None:
    """Who wants to know why a difference is none, or why it is one."""
    if os.environ.get("REWRITE_DOCS"):
        COMPARISONS.write_text(comparisons_page(), encoding="utf-8")

    assert comparisons_page() == COMPARISONS.read_text(encoding="utf-8"), "run `make docs`"
