"""What a class has to say to be a kind: who adds one hears it where it is written, not from a command later on."""

import re

import pytest

from reconciler.schema.kind import Kind


def test_a_kind_without_its_facts_is_refused_where_it_is_written() -> None:
    words = "Certificate lacks suffix and since: write `suffix: ClassVar[str] = …`, `since: ClassVar[float] = …`"
    with pytest.raises(TypeError, match=re.escape(words)):
        type("Certificate", (Kind,), {"folder": "certs", "__annotations__": {}, "__module__": __name__})


def test_a_field_of_a_type_that_salesforce_does_not_have_is_refused_with_its_name() -> None:
    facts = {"folder": "certs", "suffix": "crt", "since": 41}
    kind = type("Certificate", (Kind,), {**facts, "__annotations__": {"expires": complex}, "__module__": __name__})

    with pytest.raises(TypeError, match="the field expires is of <class 'complex'>: write String, Boolean"):
        kind.fields()
