"""The marks that a kind puts on its fields: whatever is special about a field is said by one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Strict

from reconciler.schema.values import Value


@dataclass(frozen=True, slots=True)
class Wire:
    """A mark: the type in Salesforce's schema where the Python type does not tell it."""

    name: str


Base64 = Annotated[str, Strict(), Wire("base64Binary")]


@dataclass(frozen=True, slots=True)
class Ref:
    """A mark: the value names a resource of `kind` (or a record that we do not manage, such as a permission set)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A mark: the app that this satellite belongs to. It is the record's identity, so it never changes."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A mark: repeats the resource's own name; filled in where a file leaves it out."""


@dataclass(frozen=True, slots=True)
class Immutable:
    """A mark: settable when the record is created, never afterwards."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """A mark: optional by Salesforce's schema, and orgs refuse a new record without it, or with an empty one."""


@dataclass(frozen=True, slots=True)
class NotEchoed:
    """A mark: an update that repeats the live value is refused by the org."""


@dataclass(frozen=True, slots=True)
class OrgBound:
    """A mark: the value means something in one org only. `prefixed` values start with that org's id."""

    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class WriteOnly:
    """A mark: the org never gives the value back, so it is sent on create only and never compared."""


@dataclass(frozen=True, slots=True)
class Imperative:
    """A mark: true makes the org `do` something at each deployment. Never state, never sent, never compared."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A mark: PEM text. Sent with every deployment of its record, because an org may clear what is left out."""


@dataclass(frozen=True, slots=True)
class Since:
    """A mark: the first API version that has the field. `source` where Salesforce's WSDL v63 does not have it."""

    version: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Until:
    """A mark: the last API version that has the field."""

    version: float


@dataclass(frozen=True, slots=True)
class SinceValue:
    """A mark: enum values that are newer than Salesforce's WSDL v63, and where they are from."""

    values: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Default:
    """A mark: what the platform holds where nothing was ever given."""

    value: Value


@dataclass(frozen=True, slots=True)
class Forced:
    """A mark: the platform accepts other values and holds this one."""

    value: Value
    why: str


@dataclass(frozen=True, slots=True)
class Means:
    """A mark: what a change means for the clients of the app, in one sentence each."""

    weakened: str
    """When the field became weaker, or changed where any change is bad."""
    tightened: str = ""
    """When it became stronger: what may stop working."""


@dataclass(frozen=True, slots=True)
class Unordered:
    """A mark: a repeated element whose order means nothing. Compared as a set."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A mark: a set that Salesforce keeps in one element, separated by line breaks."""


@dataclass(frozen=True, slots=True)
class Commas:
    """A mark: a set that Salesforce keeps in one element, separated by commas."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A mark: a repeated structure whose items are identified by these fields (by the first that is present if `any_of`)."""

    fields: tuple[str, ...]
    any_of: bool = False

    def key(self, item: Mapping[str, Value]) -> str:
        """The item's key as one text, e.g. `10.0.0.1-10.0.0.9`, as it is written; `Field.item_key` is how it is compared."""
        values = [str(item[name]) for name in self.fields if item.get(name) not in (None, "")]
        return values[0] if self.any_of and values else "-".join(values)


@dataclass(frozen=True, slots=True)
class Synonyms:
    """A mark: entries that the org stores under another name: written -> read back."""

    names: tuple[tuple[str, str], ...]

    def canonical(self, entry: str) -> str:
        return dict(self.names).get(entry, entry)


@dataclass(frozen=True, slots=True)
class Known:
    """A mark: the documented values of a field that Salesforce's schema leaves as free text."""

    values: tuple[str, ...]
    ignore_case: bool = False
    pattern: str = ""
    """A regular expression that is allowed besides `values`."""

    def accepts(self, value: str) -> bool:

        if value in self.values or (self.ignore_case and value.casefold() in (v.casefold() for v in self.values)):
            return True
        return bool(self.pattern) and re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class SourceText:
    """A mark: not an element but the file that the record describes (an Apex class's body)."""
