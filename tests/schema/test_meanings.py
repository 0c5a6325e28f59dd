"""What a change means for an app's clients: a sentence for every field that has a direction, and for whole records."""

from collections.abc import Iterator

import pytest

from reconciler.kinds import all_kinds, settings
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Means
from reconciler.schema.severity import Group, Weaker

LONGEST = 160
"""A sentence stands on one line of a terminal, of a pull-request comment, of a phone."""


def sentences() -> dict[str, str]:
    """Every sentence, by where it stands."""
    found: dict[str, str] = {}
    for name, kind in all_kinds().items():
        for place, means in marked(name, kind):
            if means is not None:
                sides = ("weakened", means.weakened), ("tightened", means.tightened)
                found |= {f"{place}: {side}": text for side, text in sides if text}
        found |= {f"{name}: appeared": kind.appeared, f"{name}: gone": kind.gone} if name not in settings() else {}
    return found


def marked(place: str, struct: type[Struct]) -> Iterator[tuple[str, Means | Group | None]]:
    """Every field and group with a direction, and what it is said to mean."""
    yield from ((f"{place}.{'+'.join(group.fields)}", group) for group in struct.groups)
    for name, field in struct.fields().items():
        if field.has(Weaker):
            yield f"{place}.{name}", field.mark(Means)
        if field.struct is not None:
            yield from marked(f"{place}.{name}", field.struct)


def test_every_field_with_a_direction_says_what_it_means():
    """Whoever is called at night and reads `isSecretRequiredForTokenExchange: true → false`."""
    silent = [place for name, kind in all_kinds().items() for place, means in marked(name, kind) if means is None]

    assert [] == silent, "say it by the mark `Means`, beside `Weaker`; what kinds share stands in schema/meanings.py"


def test_a_field_that_can_tighten_says_what_may_stop_working():
    """Whoever runs the client that is refused since somebody made the app safer."""
    one_way = {
        "apexExecutionUser", "apexHandler", "certificate", "clientAssertionCertificate", "clientCredentialsFlowUser",
        "consumerKey", "content", "executeHandlerAs", "isDefault", "oauthClientCredentialUser", "plugin",
        "pluginExecutionUser", "tlsClientAuthCertParamValue", "tokenHandlerApex",
    }  # fmt: skip
    silent = {
        place.rpartition(".")[2]
        for name, kind in all_kinds().items()
        for place, means in marked(name, kind)
        if means is not None and not means.tightened
    }

    assert one_way == silent, "give the second sentence to `Means`, or, where every change is bad, add the field above"


@pytest.mark.parametrize("place", sentences())
def test_a_meaning_is_one_sentence_that_fits_on_a_line(place: str):
    """Whoever reads it on a phone, or as one row of a table."""
    text = sentences()[place]

    assert text, "write what it means for people, in one sentence"
    assert (True, True) == (text[:1].isupper(), text.endswith(".")), text
    assert (text.strip(), 1) == (text, text.count(". ") + 1)
    assert LONGEST >= len(text)


def test_weaker_and_stronger_are_not_the_same_sentence():
    """Whoever would learn nothing from it."""
    same = [
        place
        for name, kind in all_kinds().items()
        for place, means in marked(name, kind)
        if means is not None and means.weakened == means.tightened
    ]

    assert [] == same
