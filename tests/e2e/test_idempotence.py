"""The second plan is empty, whatever was declared: through the real codec, the real protocol and the mock org."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from providers.mock import MockOrgError
from reconciler.model.address import Address
from reconciler.schema.marks import Forced
from tests.e2e.build import DANA, handler_class
from tests.e2e.project import Project
from tests.e2e.worlds import CLASS, World, edited, worlds

EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "6"))
"""Worlds of each property; one costs about a second."""
through_the_wire = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    # Shrinking takes minutes through the wire: ask for it with more examples.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if EXAMPLES > 100 else [])],
    print_blob=True,
)


@contextmanager
def applied(world: World, fresh_org: Path) -> Iterator[Project]:
    """A project in an org of its own, with the world applied to it."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), fresh_org)
        try:
            project.org.switch("allow_connected_app_creation", True)
            project.source(CLASS, handler_class(CLASS))
            project.declare(*world.documents)
            project.apply(**world.environment)
            yield project
        finally:
            project.org.close()


def assert_settled(project: Project) -> None:
    """Nothing left to plan, nothing drifted, and nothing written by looking."""
    writes, content = project.org.write_calls, project.content()
    assert {} == project.planned()
    assert {} == project.drifted()
    project.apply()
    assert (writes, content) == (project.org.write_calls, project.content())


@through_the_wire
@given(world=worlds())
def test_whatever_is_applied_needs_no_second_apply(fresh_org: Path, world: World):
    """A plan that is never empty is read by nobody, and hides the change that matters."""
    with applied(world, fresh_org) as project:
        assert_settled(project)


@through_the_wire
@given(data=st.data(), world=worlds())
def test_whatever_is_edited_needs_no_second_apply(fresh_org: Path, data: st.DataObject, world: World):
    """Fields changed, added and given up, in any mixture, over all kinds."""
    later = data.draw(edited(world))
    with applied(world, fresh_org) as project:
        project.declare(*later.documents)
        project.apply(**later.environment)

        assert_settled(project)


@through_the_wire
@given(data=st.data(), world=worlds())
def test_exactly_what_was_edited_in_setup_is_drift_and_what_is_declared_comes_back(
    fresh_org: Path, data: st.DataObject, world: World
):
    """One edit too many in the report, and nobody believes it; one too few, and it is worthless."""
    with applied(world, fresh_org) as project:
        expected = {}
        for address in data.draw(st.sets(st.sampled_from(sorted(world.resources)), min_size=1, max_size=4)):
            if not (turnable := switches(project, address)):
                continue
            field, old, new = data.draw(st.sampled_from(turnable))
            try:
                project.org.set(address, {field: str(new).lower()}, as_user=DANA)
            except MockOrgError:
                event("the org refused the edit")
                continue
            expected[f"{address}.{field}"] = (old, new)
        undeclared = {key: value for key, value in expected.items() if not is_declared(world, key)}

        assert expected == project.drifted()
        project.apply(**world.environment)
        assert undeclared == project.drifted()
        assert {} == project.planned()


def switches(project: Project, address: str) -> list[tuple[str, bool, bool]]:
    """The switches of a live record that an admin can turn, with what they are and what they would be."""
    held: Any = project.held(address.partition("/enablements/")[0])
    struct = Address.parse(address).struct
    if "/enablements/" in address:
        items = held["enablements"] if isinstance(held["enablements"], list) else [held["enablements"]]
        held = next(item for item in items if [address.rpartition("/")[2]] == item["externalClientApp"])
    found = []
    for name, field in struct.fields().items():
        if field.wire == "boolean" and not field.has(Forced) and field.compared and name in held:
            value = held[name] == ["true"]
            found.append((name, value, not value))
    return found


def is_declared(world: World, key: str) -> bool:
    address, _, field = key.rpartition(".")
    return field in world.resources[address]
