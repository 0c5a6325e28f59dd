"""What an id, a field, a guard or an exit code means: `reconciler explain TX02`. Pure."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from typing import Any

from reconciler.errors import Complaint, Exit, InputError, suggestion
from reconciler.kinds import ENABLEMENT, HANDLER, all_kinds, satellites, suggested_kind
from reconciler.model.finding import CHANGED, DESIRED
from reconciler.plan.guards import GUARDS
from reconciler.render.words.about import About, all_about
from reconciler.render.words.safe import page
from reconciler.rules import Rule, all_rules
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import Default, Demanded, Forced, Immutable, Known, Means, Ref, Since, Until, WriteOnly
from reconciler.schema.severity import Weaker

EXITS: Mapping[int, str] = {
    Exit.OK: "Done, or nothing to do.",
    Exit.FAILED: "Failed: an unexpected error, or the org is unreachable.",
    Exit.DIFFERENCES: "Differences: plan --detailed-exitcode with changes; drift and check --live with findings at or above"
    " --fail-on (low, if not given).",
    Exit.BAD_INPUT: "Bad input: usage, project file, desired files; rules that the files, or a plan, break at or above"
    " --fail-on (high, if not given).",
    Exit.REFUSED: "Refused: a guard, a stale or altered plan, the wrong org, a held lock, no baseline.",
    Exit.NOT_ALLOWED: "Not allowed: login or permission.",
    Exit.APPLY_FAILED: "Apply failed: each step is listed as landed, not landed or unknown.",
    Exit.NOT_CONVERGED: "Applied, but the second plan is not empty; or a flow that verify ran did not behave as configured.",
    Exit.INTERRUPTED: "Interrupted: Ctrl-C or SIGTERM. An apply cancels its deployment, and says what became of it.",
}


BY_FIELD = (CHANGED, DESIRED)
"""Findings that are as grave as the field that they are about."""
APP = "ExternalClientApplication"
DOCUMENT = "HandlerEnablement"
"""How files call an enablement, which Salesforce keeps in its handler."""


def explain(name: str) -> str:
    """What `name` means: the id of a finding, `Kind`, `Kind.field`, a guard or an exit code.

    Raises InputError with the nearest name that there is.
    """
    if name.isdigit() and int(name) in EXITS:
        return page([f"Exit code {int(name)}", "", EXITS[int(name)]])
    # Viewers of SARIF show `drift.changed/critical`.
    id = name.partition("/")[0].casefold()
    for known, found in all_about().items():
        if known.casefold() == id:
            return page(_finding(found))
    if name in GUARDS:
        return page([f"Guard {name}", "", GUARDS[name]])
    kind, _, path = name.partition(".")
    if kind == DOCUMENT:
        kind, path = HANDLER, ".".join([ENABLEMENT, *([path] if path else [])])
    if kind in all_kinds():
        schema = all_kinds()[kind]
        section, _, rest = path.partition(".")
        if kind == APP and section in satellites():
            schema, path = satellites()[section], rest
        return page(_field(schema, path) if path else _kind(schema))
    choices = [*all_about(), *GUARDS, *all_kinds(), *map(str, sorted(map(int, EXITS)))]
    mend = (
        _kinds_with(name)
        or suggested_kind(name, choices)
        or "a finding's id (TX02), Kind or Kind.field, a guard (delete) or an exit code (3)"
    )
    raise InputError(Complaint(f"nothing here is called {name}", mend=mend))


def _kinds_with(name: str) -> str:
    """A hint that names the kinds which have a field of this name; empty if no kind has one."""
    found = []
    for kind, schema in all_kinds().items():
        found += [f"{kind}.{'.'.join(path)}" for path in _paths(schema) if path[-1].casefold() == name.casefold()]
    return f"it is a field; name its kind: {', '.join(found)}" if found else ""


def _paths(struct: type[Struct], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in struct.fields().items():
        yield (*above, name)
        if field.struct is not None:
            yield from _paths(field.struct, (*above, name))


def _finding(about: About) -> Iterator[str]:
    severity = "severity of the field" if about.id in BY_FIELD else str(about.severity)
    yield f"{about.id} ({severity}): {about.title}."
    yield ""
    if about.hurts:
        yield about.hurts
    yield f"Source: {about.source}"
    rule = all_rules().get(about.id)
    if rule is not None:
        if rule.asks_org:
            yield "Needs to ask the org: check alone says that it was not checked."
        yield from _example(rule)


def _example(rule: Rule) -> Iterator[str]:
    good, bad = _texts(rule.good.files, rule.good.sources), _texts(rule.bad.files, rule.bad.sources)
    diff = list(unified_diff(bad, good, "bad", "good", lineterm="", n=2))
    if diff:
        yield ""
        yield from (f"    {line}" for line in diff if not line.startswith("@@"))


def _texts(files: str, sources: Mapping[str, str]) -> list[str]:
    return [*files.splitlines(), *(line for source in sources.values() for line in source.splitlines())]


def _kind(kind: type[Kind]) -> Iterator[str]:
    yield f"{kind.__name__}, since API version {kind.since:.1f}"
    yield ""
    yield from (inspect.getdoc(kind) or "").splitlines()
    yield ""
    yield from (f"    {name}{_required(field)}" for name, field in kind.fields().items())
    if kind.__name__ == APP:
        yield ""
        yield "Sections, each of them a record of its own in the org:"
        yield from (f"    {name}: {section.__name__}" for name, section in satellites().items())
    elif kind.section:
        yield ""
        yield f"Written as the section {kind.section} of an {APP}, or as a document of its own."


def _required(field: Field) -> str:
    return ": required" if field.required else ": required to create" if field.has(Demanded) else ""


def _field(kind: type[Kind], path: str) -> Iterator[str]:
    struct: type[Struct] | None = kind
    field: Field | None = None
    for part in path.split("."):
        fields = struct.fields() if struct is not None else {}
        if part not in fields:
            where = struct.__name__ if struct is not None else path
            names = [*fields, *(satellites() if where == APP else ())]
            raise InputError(Complaint(f"{part} is not a field of {where}", mend=suggestion(part, names, every=True)))
        field = fields[part]
        struct = field.struct
    if field is None:
        raise InputError(f"{path} is not a field of {kind.__name__}")
    yield f"{kind.__name__}.{path}: {'list of ' if field.repeated or field.is_set else ''}{field.wire}"
    yield ""
    yield from _marks(field)
    if struct is not None:
        yield from (f"    {name}" for name in struct.fields())


_WORDS: Mapping[type, Callable[[Any], str]] = {
    Since: lambda mark: f"Since API version {mark.version:.1f}.",
    Until: lambda mark: f"Until API version {mark.version:.1f}.",
    Default: lambda mark: f"Default: {_value(mark.value)}.",
    Forced: lambda mark: f"Always {_value(mark.value)}: {mark.why}.",
    Known: lambda mark: f"Documented values: {', '.join(mark.values)}.",
    Ref: lambda mark: f"Names a resource of the kind {mark.kind}.",
    Immutable: lambda _: "Settable when the record is created, never afterwards.",
    Demanded: lambda _: "Required to create: orgs refuse a new record without it, which no schema says.",
    WriteOnly: lambda _: "Secret: written as a reference, sent on create only, never compared.",
    Weaker: lambda mark: f"Weaker when: {mark.words}.",
    Means: lambda mark: f"Weakened: {mark.weakened}" + (f"\nTightened: {mark.tightened}" if mark.tightened else ""),
}


def _marks(field: Field) -> Iterator[str]:
    if field.required:
        yield "Required."
    if field.values:
        yield f"One of: {', '.join(field.values)}."
    for mark in field.marks:
        if type(mark) in _WORDS:
            yield from _WORDS[type(mark)](mark).splitlines()


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
