"""What a class has to say to be a kind: who adds one hears it where it is written, not from a command later on."""

import pytest

from reconciler.schema.kind import Kind


def test_a_kind_without_its_facts_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="the kind Certificate lacks suffix and since: write `suffix"):
        type("Certificate", (Kind,), {"folder": "certs", "__annotations__": {}, "__module__": __name__})
