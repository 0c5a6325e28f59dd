"""docs/rules.md is made from the rules. `make docs` writes it anew."""

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from reconciler.render.about import About, all_about

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
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

    assert page() == PAGE.read_text(encoding="utf-8")
