"""Reads the records of an org: everything, or single ones by name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from providers.salesforce.calls import Calls
from providers.salesforce.files.package import file_count, manifest_type, record_name, source_field
from providers.salesforce.files.packing import parts
from providers.salesforce.reading import Reading, members
from providers.salesforce.wire.metadata_api import QUERIES_PER_LISTING, TooManyFilesError
from reconciler.errors import ReconcilerError, UnreachableError
from reconciler.kinds import all_kinds, satellites
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.live import LiveState
from reconciler.provider import Progress
from reconciler.schema.kind import Kind


class RecordReader:
    """Reads by retrieves, in as few as the org's limits allow."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def read(self, classes: Sequence[str], progress: Progress) -> LiveState:
        """Everything of all kinds, in one retrieve as long as the org has fewer than 10,000 files.

        Raises NotAllowedError, UnreachableError. A kind that cannot be read is named in `unreadable`.
        """
        org, reading = self._calls.org, Reading()
        kinds = [kind for kind in all_kinds().values() if kind.since <= float(org.api_version)]
        for name, kind in all_kinds().items():
            if kind not in kinds:
                reading.cannot(name, f"API version {org.api_version} does not have it; it begins with {kind.since:.1f}")
        progress(f"retrieving {len(kinds)} kinds")
        try:
            reading.take(self._calls.api.retrieve(members(kinds, classes)), kinds)
        except TooManyFilesError:
            self._read_in_parts(reading, kinds, classes, progress)
        more = reading.handler_classes() - set(classes)
        if more:
            progress("retrieving the classes of the handlers")
            sources = [kind for kind in kinds if source_field(kind)]
            reading.take(self._calls.api.retrieve(members(sources, sorted(more))), sources)
        return self._with_names(reading.state(org))

    def _with_names(self, state: LiveState) -> LiveState:
        named = {
            address: replace(one, body=body)
            for address, one in state.resources.items()
            if not address.part and (body := self._calls.certificates.named(address.schema, one.body)) is not one.body
        }
        return replace(state, resources={**state.resources, **named}) if named else state

    def read_records(self, components: Sequence[Component], progress: Progress) -> LiveState:
        """What the org has now of these components, fetched by name. Raises NotAllowedError, UnreachableError."""
        org, reading = self._calls.org, Reading()
        wanted = {(record_name(c), manifest_type(c.kind), file_count(c.kind)) for c in components}
        kinds = list(dict.fromkeys(component.kind for component in components))
        for app in (c.address.name for c in components if c.address.kind == "ExternalClientApplication"):
            oauth = next((c.record for c in components if c.address == Address("ExtlClntAppOauthSettings", app)), "")
            for kind in (kind for kind in satellites().values() if kind.policy):
                # Policies come into being with their app, asked for or not.
                wanted.add((kind.record.format(app=app, oauth=oauth or f"{app}_oauth"), manifest_type(kind), 1))
                kinds += [kind] if kind not in kinds else []
        progress("reading back what was deployed")
        for part in parts(sorted(wanted), self._calls.limits.retrieved_files):
            reading.take(self._calls.api.retrieve(part), kinds)
        return self._with_names(reading.state(org))

    def _read_in_parts(
        self, reading: Reading, kinds: Sequence[type[Kind]], classes: Sequence[str], progress: Progress
    ) -> None:
        """List everything, then fetch it by name, in as many retrieves as the limit asks for."""
        known = [kind for kind in kinds if kind.singleton or source_field(kind)]
        listed = [kind for kind in kinds if kind not in known]
        progress(f"listing {len(listed)} kinds")
        wanted = [(name, type_, 1) for type_, name in self._names(reading, listed)]
        for kind in known:
            wanted += [
                (name, type_, file_count(kind)) for type_, names in members([kind], classes).items() for name in names
            ]
        retrieves = list(parts(sorted(wanted), self._calls.limits.retrieved_files))
        for number, part in enumerate(retrieves, 1):
            progress(f"retrieving part {number} of {len(retrieves)}")
            reading.take(self._calls.api.retrieve(part), [kind for kind in kinds if manifest_type(kind) in part])

    def _names(self, reading: Reading, kinds: Sequence[type[Kind]]) -> Iterator[tuple[str, str]]:
        """Yield type and name of every record that no package installed, as a retrieve of `*` gives them."""
        failed: ReconcilerError | None = None
        heard = 0
        for at in range(0, len(kinds), QUERIES_PER_LISTING):
            # One kind that cannot be listed fails the whole call, so then each is asked for alone.
            group = [kind.__name__ for kind in kinds[at : at + QUERIES_PER_LISTING]]
            for types in (group, *([name] for name in group if len(group) > 1)):
                try:
                    found = self._calls.api.listing(types)
                except UnreachableError:
                    raise
                except ReconcilerError as wrong:
                    failed = wrong
                    if len(types) == 1:
                        reading.cannot(types[0], wrong.complaints[0].quote or str(wrong))
                    continue
                heard += len(types)
                yield from ((one.type, one.full_name) for one in found if not one.installed)
                if types == group:
                    break
        if failed is not None and not heard:
            raise failed
