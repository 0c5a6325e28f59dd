"""Canonical form: the order and the layout change; values and comments do not."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.canonical_order import order
from reconciler.yaml.formatting import formatted
from tests.yaml.test_editing import FILES, Writer, values

BEFORE = """\
# The portal's file.

name: portal   # as in the contract
lifecycle: {ignore: [label], protect: [delete]}
# what it is
kind: ExternalClientApplication


# its name
label:    'Portal'
oauthPolicies:
      # who may
      permittedUsersPolicyType: AdminApprovedPreAuthorized
      commaSeparatedPermissionSet:
      - A   # first
      - "B"
contactEmail: ${var.mail}
description: |
        two
          lines
# at the end
"""
AFTER = """\
# The portal's file.

# what it is
kind: ExternalClientApplication
name: portal   # as in the contract
contactEmail: ${var.mail}
description: |
  two
    lines

# its name
label: 'Portal'
oauthPolicies:
  commaSeparatedPermissionSet:
    - A   # first
    - "B"
  # who may
  permittedUsersPolicyType: AdminApprovedPreAuthorized
lifecycle: {ignore: [label], protect: [delete]}
# at the end
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_keys_have_an_order_and_comments_go_with_them(ends, mark) -> None:
    """The reviewer of two files that say the same in another order."""
    before, after = ((mark + text).replace("\n", ends).encode() for text in (BEFORE, AFTER))

    assert after.decode() == formatted(before, order).decode()
    assert after == formatted(after, order)


@pytest.mark.parametrize(
    "text",
    [
        "label: *a\nkind: ConnectedApp\nname: &a x\n",
        "kind: [\n",
        "- a\n- b\n",
        "",
        "# nothing\n",
        "{kind: ConnectedApp, name: a}\n",
        "\xff",
    ],
)
def test_what_cannot_be_rewritten_stays_as_it_is(text) -> None:
    data = text.encode("latin-1") if text == "\xff" else text.encode()

    assert formatted(data, order).endswith(data) or formatted(data, order) == data


@settings(deadline=None)
@given(data=st.data())
def test_any_file_keeps_its_values_and_comments(data) -> None:
    value = data.draw(FILES)
    writer = Writer(data.draw)
    text = "\n".join([*writer.mapping(value, 0), ""]).encode()

    found = formatted(text, lambda document, path: sorted(value, reverse=True))

    assert values(text) == values(found), found.decode()
    shown = found.decode()
    assert not [one for one, number in Counter(writer.comments).items() if shown.count(one) < number]
    assert found == formatted(found, lambda document, path: sorted(value, reverse=True))
