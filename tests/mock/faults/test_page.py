"""docs/faults.md is made from the faults. `make docs` writes it anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from providers.mock.faults import FAULTS, script
from providers.mock.faults.calls import REST, SOAP
from providers.mock.faults.kinds import Between, Fault, OneOf, Option
from providers.mock.metadata import soap

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
HEAD = """\
# Failures on demand

The mock org fails as it is told to: for anybody who tests a client of Salesforce, in whatever language. This page is made
from the faults themselves: `make docs`.

```console
$ reconciler mock serve --port 8443 --tls --faults faults.yaml --latency 0.05-0.3
```

It prints where it is, an access token, and what sf, jsforce, simple-salesforce, zeep, CumulusCI and reconciler need to get
there; `--output json` prints the same as one object on one line. When it ends it names on standard error every rule
whose fault never happened: a test that passed without it has tested nothing.

## A script

```yaml
faults:
  - {call: deploy, fault: lost_answer, times: 1}
  - call: [checkDeployStatus, deployRequestStatus]
    after: 2
    times: 3
    fault: {status: {code: 503, retry_after: 1}}
  - {call: GET /services/data/*/query, fault: malformed, every: 2}
```

| key | is |
|---|---|
| `call` | which calls: names, groups, or paths with `*` and perhaps a method before them; one or a list |
| `fault` | what happens: a name of the tables below, or `{name: {option: value}}` |
| `after` | so many of these calls go by unharmed first; default 0 |
| `every` | then every so-manieth is hit; default 1 |
| `times` | so often it happens; default: always |

The first rule that is due takes a call, and the rules after it do not count it: rules for the same call read as a sequence.
Where a fault needs something that an answer does not hold (a zip, XML), the answer goes out whole, and the fault waits for
the next one. Counts begin anew with every server. A mistake in a script has its line, column and mend, and exit code 3.
A script has at most 256 KB and 1000 rules.

Faults of deployments and retrieves are decided by the call that starts the job and kept in the org's file with it; all
others are forgotten when the server ends.

## Two examples

**Does a client deploy twice?** The org does the first deployment and its answer is lost; the next two questions meet a
gateway's page. A client that sends its deployment again has deployed twice; in Python `org.calls` counts what was asked.
`lost.yaml`:

```yaml
faults:
  - {call: [deploy, deployRequest], fault: lost_answer, times: 1}
  - {call: [query, toolingQuery], fault: {status: {code: 502}}, times: 2}
```

```console
$ reconciler mock serve --output json --faults lost.yaml > served.json &
$ until [ -s served.json ]; do sleep 0.1; done
$ export SF_ACCESS_TOKEN=$(jq -r .token served.json)
$ sf org login access-token --instance-url "$(jq -r .url served.json)" --no-prompt --alias mock
$ sf project deploy start --target-org mock --manifest package.xml; echo $?
```

**Does a client survive what it reads?** In a test of Python code, with no process and no file; `requests` sees over a real
socket, and trusts a certificate that was made for this test.

```python
from providers.mock import Faults, open_org, serving

faults = (
    Faults()
    .on("checkRetrieveStatus", "zip_bomb", times=1, megabytes=700)
    .on("checkRetrieveStatus", "climbing_entry", times=1)
    .on("listMetadata", "endless_answer")
)
with serving(open_org("org.db"), tls=True, faults=faults) as (url, certificate):
    my_client = MyClient(url, verify=certificate)
    ...
assert faults.unused() == []
```

Without a socket, `mount(session, org, faults=faults)` puts the org into a `requests.Session`: a reset is then the exception
that the session would raise, and a silence is a time-out at once.

## Calls
"""
TAIL = """\
Groups: `soap`, `rest` (all that is not SOAP), `*`. A SOAP call is known by the first element of its body, whatever
SOAPAction says.

"""


def page() -> str:
    return "\n".join([HEAD, *_calls(), TAIL.rstrip("\n"), "", *_faults()])


def _calls() -> Iterator[str]:
    yield f"SOAP: {', '.join(f'`{name}`' for name in SOAP)}.\n"
    yield "| REST | method | path |\n|---|---|---|"
    for name, methods, path in REST:
        plain = path.replace(r"\d+\.0", "NN.0").replace("/?", "").replace(r"\w+", "*").replace("[^/]+", "*")
        plain = plain.replace("(?:tooling/)?", "[tooling/]").replace("(?:query|queryAll)", "query[All]")
        yield f"| `{name}` | {methods} | `{plain.replace('.*', '*')}` |"
    yield ""


def _faults() -> Iterator[str]:
    ordered = sorted(FAULTS.values(), key=lambda each: each.family)
    for family, found in groupby(ordered, key=lambda each: each.family):
        yield f"## {family}\n"
        yield "| fault | what happens | options |\n|---|---|---|"
        for each in found:
            yield f"| `{each.name}` | {_about(each)} | {'; '.join(map(_option, each.options.items()))} |"
        yield ""


def _about(each: Fault) -> str:
    about = re.sub(r"\*(\w+)\*", r"`\1`", each.about).replace("|", "\\|")
    return f"{about} On {', '.join(f'`{call}`' for call in each.calls)}." if each.calls else about


def _option(item: tuple[str, Option]) -> str:
    name, option = item
    limit = ""
    if isinstance(option.limit, Between):
        limit = f", {option.limit.least:,.0f} to {option.limit.most:,.0f}"
    elif isinstance(option.limit, OneOf):
        limit = f", {' or '.join(f'`{value}`' for value in option.limit.values)}"
    default = "none" if option.default in (None, "") else f"`{option.default}`"
    default = default.lower() if option.type is bool else default
    return f"`{name}`{limit} (default {default})"


def test_the_page_lists_every_fault_as_it_is() -> None:
    """Somebody who writes a script by the page, in a language that cannot look into the code."""
    if os.environ.get("REWRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")

    assert page() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", HEAD, flags=re.DOTALL))
def test_the_scripts_of_the_page_are_scripts(example: str) -> None:
    """Who copies one gets no error."""
    assert script.parse(example)


def test_every_operation_of_the_org_has_its_name_here() -> None:
    """An operation that is added and cannot be named can only be failed by its path, which all of SOAP shares."""
    assert set() == soap.OPERATIONS.keys() - set(SOAP)
