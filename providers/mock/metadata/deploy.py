"""Runs one deployment: reads its package, returns DeployMessages. Queueing and polling are the work of `jobs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from providers.mock.catalog import BY_NAME, NEWEST, Type, manifest_types, of_manifest, of_path
from providers.mock.metadata.judge import judge
from providers.mock.metadata.landing import Arrival, Departure, Outcome, land
from providers.mock.metadata.package import Package, open_package
from providers.mock.state.errors import Fault, Refusal
from providers.mock.state.world import World


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of the WSDL's DeployOptions that have an effect here; the defaults are those of an absent element."""

    allowMissingFiles: bool = False
    checkOnly: bool = False
    ignoreWarnings: bool = False
    rollbackOnError: bool = False
    purgeOnDelete: bool = False
    singlePackage: bool = False
    testLevel: str = "NoTestRun"
    runTests: tuple[str, ...] = ()


@dataclass(slots=True)
class Message:
    """A DeployMessage: the fields of the WSDL in its order, which strict clients insist on."""

    changed: bool = False
    columnNumber: int | None = None
    componentType: str = ""
    created: bool = False
    createdDate: str = ""
    deleted: bool = False
    fileName: str = ""
    fullName: str = ""
    id: str | None = None
    lineNumber: int | None = None
    problem: str | None = None
    problemType: str | None = None
    success: bool = True


@dataclass(slots=True)
class Report:
    """What a deployment did. `total` counts components, package.xml not among them."""

    messages: list[Message] = field(default_factory=list)
    total: int = 0
    status: str = "Succeeded"
    errorMessage: str | None = None
    errorStatusCode: str | None = None

    def dump(self) -> dict[str, Any]:
        """Return plain values; `dataclasses.asdict` would copy each of ten thousand messages deeply."""
        messages = [{name: getattr(message, name) for name in _MESSAGE_FIELDS} for message in self.messages]
        return {
            "messages": messages,
            "total": self.total,
            "status": self.status,
            "errorMessage": self.errorMessage,
            "errorStatusCode": self.errorStatusCode,
        }


_MESSAGE_FIELDS = tuple(each.name for each in fields(Message))


@dataclass(frozen=True, slots=True)
class _Member:
    """One component that the package asks for, and its file."""

    type: Type
    name: str
    file: str


def run(world: World, data: bytes, options: DeployOptions) -> Report:
    """Carry out a deployment inside the open transaction; what must not stay is rolled back before this returns."""
    try:
        package = open_package(data)
    except Fault as fault:
        return Report(status="Failed", errorMessage=str(fault), errorStatusCode=fault.code)
    except Refusal as refusal:
        return _failed(world, [Message(fileName="package.xml", fullName="package.xml", problem=refusal.problem)])
    world.version = package.manifest.version or NEWEST
    if world.version > NEWEST:
        text = f"Invalid version specified: {world.version}.0"
        return _failed(world, [Message(fileName="package.xml", fullName="package.xml", problem=text)])
    report = Report()
    failures: list[Message] = []
    arrivals: list[tuple[_Member, Arrival]] = []
    for member in _members(package, options, failures):
        report.total += 1
        try:
            arrivals.append((member, _arrival(member, package, world)))
        except Refusal as refusal:
            failures.append(_refused(member, refusal))
    pre, post = _departures(package, package.pre, failures), _departures(package, package.post, failures)
    report.total += len(pre) + len(post)
    world.db.execute("SAVEPOINT deployment")
    attempt = land(
        world,
        [arrival for _, arrival in arrivals],
        [departure for _, departure in pre],
        [departure for _, departure in post],
        partial=not options.rollbackOnError,
        ignore_warnings=options.ignoreWarnings,
    )
    for member, arrival in arrivals:
        report.messages += _messages(member, attempt.arrivals[arrival.key])
    for member, departure in (*pre, *post):
        report.messages += _messages(member, attempt.departures[departure.key])
    report.messages += failures
    _conclude(world, report, options, package)
    return report


def _conclude(world: World, report: Report, options: DeployOptions, package: Package) -> None:
    wrong = [message for message in report.messages if not message.success]
    right = len(report.messages) - len(wrong)
    if wrong:
        report.status = "SucceededPartial" if right and not options.rollbackOnError else "Failed"
    if options.checkOnly or (wrong and options.rollbackOnError):
        world.db.execute("ROLLBACK TO deployment")
    world.db.execute("RELEASE deployment")
    if report.status != "Failed":
        name = package.prefix + "package.xml"
        report.messages.append(Message(fileName=name, fullName="package.xml", changed=not options.checkOnly))
    for message in report.messages:
        message.createdDate = world.now


def _failed(world: World, messages: list[Message]) -> Report:
    for message in messages:
        message.success, message.problemType, message.createdDate = False, "Error", world.now
    return Report(messages, len(messages), "Failed")


def _problem(member: str, kind: str, file: str, text: str) -> Message:
    return Message(componentType=kind, fileName=file, fullName=member, problem=text, problemType="Error", success=False)


def _members(package: Package, options: DeployOptions, failures: list[Message]) -> Iterator[_Member]:
    """Yield the components that package.xml names and the zip holds; a mismatch of the two goes to `failures`."""
    manifest_path = package.prefix + "package.xml"
    named: set[tuple[str, str]] = set()
    present = {(found[0].name, found[1]): path for path in package.files if (found := of_path(path))}
    for kind, members in package.manifest.types.items():
        if not manifest_types(kind):
            failures.append(_problem("", kind, manifest_path, f"Unknown type name '{kind}' specified in package.xml"))
            continue
        wanted = list(members)
        if "*" in wanted:
            types = {one.name for one in manifest_types(kind)}
            wanted = [name for name in wanted if name != "*"] + [
                name for type_name, name in present if type_name in types
            ]
        for name in dict.fromkeys(wanted):
            one = of_manifest(kind, name)
            path = present.get((one.name, name)) if one else None
            if one is not None and path is not None:
                named.add((one.name, name))
                yield _Member(one, name, package.prefix + path)
            elif not options.allowMissingFiles:
                text = (
                    f"An object '{name}' of type {kind} was named in package.xml, but was not found in zipped directory"
                )
                failures.append(_problem(name, kind, manifest_path, text))
    for (kind, name), path in present.items():
        if (kind, name) not in named:
            failures.append(_problem(name, BY_NAME[kind].manifest_name, package.prefix + path, "Not in package.xml"))


def _arrival(member: _Member, package: Package, world: World) -> Arrival:
    path = member.file.removeprefix(package.prefix)
    data, content = package.files[path], None
    if member.type.with_content:
        meta = package.files.get(f"{path}-meta.xml")
        if meta is None:
            raise Refusal(f"{member.file}-meta.xml was not found in zipped directory")
        data, content = meta, data
    if world.version < member.type.since:
        raise Refusal(f"Entity type '{member.type.name}' is not available in this api version")
    return Arrival(
        member.type.name,
        member.name,
        judge(member.type.name, data, world.version, world.switches.after_63_since),
        content,
    )


def _departures(
    package: Package, named: list[tuple[str, str]], failures: list[Message]
) -> list[tuple[_Member, Departure]]:
    found: list[tuple[_Member, Departure]] = []
    for kind, name in named:
        one, file = of_manifest(kind, name), package.destructive[kind, name]
        if name == "*":
            failures.append(_problem(name, kind, file, "Wildcards are not supported in destructive changes"))
        elif one is None:
            failures.append(_problem(name, kind, file, f"Unknown type name '{kind}' specified in package.xml"))
        else:
            found.append((_Member(one, name, file), Departure(one.name, name)))
    return found


def _refused(member: _Member, refusal: Refusal) -> Message:
    message = _problem(member.name, member.type.manifest_name, member.file, refusal.problem)
    message.problemType = refusal.severity
    message.lineNumber, message.columnNumber = refusal.line or None, refusal.column or None
    return message


def _messages(member: _Member, outcome: Outcome) -> Iterator[Message]:
    if outcome.refusals:
        for refusal in outcome.refusals:
            yield _refused(member, refusal)
        return
    message = Message(
        changed=outcome.state in {"created", "changed"},
        componentType=member.type.manifest_name,
        created=outcome.state == "created",
        deleted=outcome.state == "deleted",
        fileName=member.file,
        fullName=member.name,
        id=outcome.id or None,
    )
    if outcome.state == "absent":
        # The name is that of the destructive manifest: clients find the component in the text.
        message.fullName = member.file.rpartition("/")[2]
        message.problem, message.problemType = f"No {member.type.manifest_name} named: {member.name} found", "Warning"
    if outcome.warnings:
        message.problem, message.problemType = "; ".join(outcome.warnings), "Warning"
    yield message
