"""The mock org has every kind and every field that the client knows: an embedded org that refuses one is of no use."""

import pytest

from providers.mock.catalog import BY_NAME
from providers.mock.metadata.schema import load
from reconciler.kinds import all_kinds
from reconciler.schema.marks import SourceText

from .test_wsdl import structures

CATALOG = "give the type to the mock org: a line of TYPES in providers/mock/catalog.py"
SUPPLEMENT = "Salesforce's WSDL v63 lacks them: write a line for each into providers/mock/metadata/supplement.tsv"


@pytest.mark.parametrize("name", sorted(all_kinds()))
def test_the_mock_org_has_every_kind(name: str) -> None:
    """Whoever adds a kind, and reads "Entity type is unknown" in fifty tests and in the demo."""
    kind = all_kinds()[name]

    assert name in BY_NAME, CATALOG
    ours = (kind.folder, kind.suffix, kind.singleton, bool(kind.section))
    mock = BY_NAME[name]
    assert ours == (mock.folder, mock.suffix, mock.singleton, mock.satellite), CATALOG


@pytest.mark.parametrize("name", sorted(all_kinds().keys() & BY_NAME.keys()))
def test_the_mock_org_has_every_field(name: str) -> None:
    """Whoever adds a field, and has it refused as invalid at this location."""
    known = load().types
    missing = [
        f"{struct.__name__}.{field.name}"
        for struct in structures(all_kinds()[name])
        for field in struct.fields().values()
        if not field.has(SourceText) and field.name not in known.get(struct.__name__, {})
    ]

    assert [] == missing, SUPPLEMENT
