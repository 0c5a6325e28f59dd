"""The values of a body: what a field of a record can hold.

A `body` is the content of one record: a plain dictionary from Salesforce's field names to values. A key that is absent is
`unset`, not ours; equality sees that. Values are `str`, `bool`, `int`, `float`, `None`, lists of values, bodies of
structures, and two of our own: `SecretRef` (desired only) and `RawXml` (live only: an element that does not fit the
schema, kept as it was).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Strict

Value = Any
Body = dict[str, Value]
Path = tuple[str, ...]
"""Where a value stands in a body: field names, and keys of keyed lists."""

String = Annotated[str, Strict()]
Boolean = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Double = Annotated[float, Strict()]


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: where its value is found, never the value itself."""

    source: Literal["env", "file", "command"]
    target: str | tuple[str, ...]

    def __str__(self) -> str:
        target = self.target if isinstance(self.target, str) else " ".join(self.target)
        return f"(secret from {self.source} {target})"


class RawXml(str):
    """An element of a live record that no schema knows, as canonical XML. Carried along, never interpreted."""

    __slots__ = ()


class Withheld(str):
    """What is left of a source text without the secrets that stand in it, and a salted digest of the whole."""

    __slots__ = ("digest",)
    digest: str

    def __new__(cls, left: str, digest: str) -> "Withheld":
        made = super().__new__(cls, left)
        made.digest = digest
        return made
