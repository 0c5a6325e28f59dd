"""Reads a report that an earlier run wrote, and says which findings are new, known or resolved since. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from reconciler.errors import Complaint, InputError, Place
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.model.reports import CheckReport, DriftReport
from reconciler.render.json import strict
from reconciler.render.json.saved import FORMAT
from reconciler.render.words.safe import line
from reconciler.schema.record_id import short_id

LARGEST = 50 * 1024 * 1024
"""A report of more characters is not read."""
_LABEL = 400
_KEY = re.compile(r"[0-9a-f]{16}")
# Plans tell drift and broken rules apart.
_LISTS = {"drift": ("findings",), "check": ("findings",), "plan": ("drift", "findings")}

Spot = tuple[str, str, tuple[str, ...], str]
"""Where a finding is, whatever the value: id, address, path and subject."""
Report = TypeVar("Report", DriftReport, CheckReport)


@dataclass(frozen=True, slots=True)
class Past:
    """One finding of an earlier report, with only the parts that are compared."""

    spot: Spot
    label: str
    """Address, field and message, on one line."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier report: its command, its org and its findings."""

    name: str
    """Its file, for messages."""
    command: str
    org_id: str = ""
    """Empty for a check of files."""
    against: str = ""
    findings: Mapping[str, Past] = field(default_factory=dict)
    """By `Finding.key`. Only those that counted: what was waived then and is not now is new."""


def read_report(text: str, name: str, command: str) -> Earlier:
    """Read what `command --output json` wrote into the file `name`.

    Raises InputError for what is no such report: of another command, another format, or altered beyond reading.
    """
    place = Place(name)
    mend = f"make one with: {command} --output json=FILE"
    if len(text) > LARGEST:
        raise InputError(Complaint(f"larger than {LARGEST // 2**20} MB, no report is that large", place, mend))
    try:
        content = _of(dict, strict.loads(text))
    except (ValueError, TypeError):
        raise InputError(Complaint("this is not a report: no JSON object in it", place, mend)) from None
    major = FORMAT.partition(".")[0]
    version = content.get("format_version")
    if not isinstance(version, str) or version.partition(".")[0] != major:
        shown = line("none" if version is None else version, 20)
        raise InputError(
            Complaint(f"this report has format version {shown}, and only {major}.x can be read", place, mend)
        )
    if content.get("command") != command:
        wrote = line(content.get("command", "another command"), 20)
        raise InputError(Complaint(f"this is a report of {wrote}, not of {command}", place, mend))
    try:
        return Earlier(
            name,
            command,
            "" if content["org"] is None else _of(str, content["org"]["id"]),
            _of(str, content.get("against", "")),
            dict(_past(one) for key in _LISTS[command] for one in _of(list, content[key]) if _of(bool, one["counts"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(Complaint(f"this is not a whole report of {command}", place, mend)) from None


def since(report: Report, earlier: Earlier) -> Report:
    """Mark every finding of the report as known or new, and add which earlier findings are resolved.

    Raises InputError if the earlier report is of another org, or of another comparison.
    """
    _same_subject(report, earlier)
    unchecked = report.unchecked if isinstance(report, CheckReport) else ()
    findings, resolved = compared(report.findings, earlier, unchecked, report.unreadable)
    return replace(report, findings=findings, resolved=resolved)


def compared(
    findings: Sequence[Finding], earlier: Earlier, unchecked: Iterable[Unchecked] = (), unread: Collection[str] = ()
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings, each marked as known or new, and the labels of earlier findings that are resolved.

    What could not be judged or read this time is not gone, and neither is what is still wrong with another value.
    """
    keys = {finding.key for finding in findings}
    still = {_spot(finding) for finding in findings}
    unjudged = {(one.id, str(one.address)) for one in unchecked}
    resolved = [
        past.label
        for key, past in earlier.findings.items()
        if key not in keys
        and past.spot not in still
        and past.spot[:2] not in unjudged
        and not any(_is_in(past.spot[1], hidden) for hidden in unread)
    ]
    return tuple(replace(f, known=f.key in earlier.findings) for f in findings), tuple(sorted(resolved))


def _is_in(address: str, hidden: str) -> bool:
    """Whether an address is covered by `hidden`, which could not be read: an address, a kind, or a handler."""
    return address == hidden or address.startswith(f"{hidden}/")


def _same_subject(report: DriftReport | CheckReport, earlier: Earlier) -> None:
    place, mend = Place(earlier.name), "compare with an earlier report of the same org and the same options"
    if _short(report.org) != short_id(earlier.org_id):
        then, now = (line(org) or "files alone" for org in (earlier.org_id, report.org.id if report.org else ""))
        raise InputError(Complaint(f"this report is of {then}, and now it is {now}", place, mend))
    if isinstance(report, DriftReport) and report.against != earlier.against:
        then = line(earlier.against, 20)
        raise InputError(Complaint(f"this report compares with {then}, and now it is {report.against}", place, mend))


def _short(org: OrgInfo | None) -> str:
    return "" if org is None else org.short_id


def _spot(finding: Finding) -> Spot:
    return finding.id, str(finding.address), finding.path, finding.subject


def _past(found: Any) -> tuple[str, Past]:
    key = _of(str, found["key"])
    if not _KEY.fullmatch(key):
        raise ValueError("no key")
    address, path = _of(str, found["address"]), tuple(_of(str, part) for part in _of(list, found["path"]))
    spot = _of(str, found["id"]), address, path, _of(str, found["subject"])
    # Whatever an org or an editor put in, a label is one harmless line: it is no reason to stop looking.
    return key, Past(spot, line(f"{'.'.join((address, *path))}: {_of(str, found['message'])}", _LABEL))


def _of(wanted: type[Any], value: Any) -> Any:
    if not isinstance(value, wanted):
        raise TypeError(f"{wanted.__name__} expected")
    return value
