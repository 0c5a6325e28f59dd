"""Turns the fields of a desired file into the values of a body: variables, secret references, lists, types."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.errors import suggestion
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Certificate, Commas, Demanded, Imperative, Keyed, Known, Lines, Ref, WriteOnly
from reconciler.schema.problems import Problem
from reconciler.schema.values import Body, SecretRef
from reconciler.secret_refs import NoReferenceError, reference
from reconciler.yaml.events import RawPath
from reconciler.yaml.source import UNPRINTABLE

PREFIX = "RECONCILER_VAR_"
"""Of the environment variables that desired files may read."""

MAX_TOKENS = 100
MAX_VARIABLE = 40_000
"""Characters: room for a certificate. Many long values in one text would fill the memory."""

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_WHOLE = re.compile(r"\$\{[^{}]*\}")
_NAME = re.compile(r"var\.([A-Za-z_][A-Za-z0-9_]*)")
_NO_REPEATS = frozenset({"callbackUrl", "permissionSetName", "profileName"})
"""Lists where the org refuses an entry that is given twice; elsewhere it keeps one."""
_INTEGER = re.compile(r"-?[0-9]{1,18}")


Written = Callable[[RawPath], str | None]


def _nothing(_: RawPath) -> str | None:
    return None


class _Never:
    """A class without instances: no value passes the quick check, so a secret always gets a closer look."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How the value of one field is checked and converted; worked out once for each field."""

    field: Field
    type: type
    """The class of values that are right as they are, as far as their class tells."""
    allowed: frozenset[str] | None
    """Values that are right; another may be too."""
    separator: str
    texts: bool
    keyed: Keyed | None
    secret: bool
    imperative: bool
    struct: Any
    """The structure's class, where there is one."""
    may_be_empty: bool
    """Whether a variable may leave it without any text: where that is a value like any other, and takes nothing away."""


_TYPES: Mapping[str, type] = {"string": str, "boolean": bool, "int": int, "double": float, "base64Binary": str}


@cache
def _steps(cls: type[Struct]) -> Mapping[str, _Step]:
    return {name: _step(one) for name, one in cls.fields().items()}


def _step(one: Field) -> _Step:
    known = one.mark(Known)
    allowed = frozenset(one.values) if one.values else frozenset(known.values) if known else None
    separator = "\n" if one.has(Lines) else "," if one.has(Commas) else ""
    secret = one.has(WriteOnly)
    if secret:
        wanted: type = _Never
    elif one.repeated or separator:
        wanted = list
    elif one.struct is not None:
        wanted = dict
    else:
        wanted = _TYPES[one.wire]
    texts = wanted is list and one.struct is None
    empty = wanted is str and not (allowed or one.required or one.has(Ref, Certificate, Demanded))
    return _Step(
        one, wanted, allowed, separator, texts, one.mark(Keyed), secret, one.has(Imperative), one.struct, empty
    )


@dataclass(slots=True)
class Values:
    """Settles the values of documents, with one org's variables. Remembers which variables were used."""

    variables: Mapping[str, str]
    environment: Mapping[str, str]
    root: Path
    allow_commands: bool = False
    used: dict[str, str] = field(default_factory=dict)

    def settle(
        self, cls: type[Struct], body: Body, found: list[Problem], *, plain: bool, written: Written = _nothing
    ) -> bool:
        """Turn a section as it was written into a body, in place. What is wrong is noted, and taken out.

        `plain` says that no text of the file can hold a variable or a control character. `written` finds what stands in
        the file where YAML saw a number, true or false. True if all types surely are what the schema wants; else the
        schema has to be asked. Our own look at them is there for speed.
        """
        return _Settling(self, found, plain, written).struct(cls, body, ())

    def lookup(self, name: str) -> str | None:
        """A variable's value: from the environment, which is what CI overrides with, else from the project file."""
        value = self.environment.get(PREFIX + name)
        return self.variables.get(name) if value is None else value

    def text(self, text: str, path: RawPath, found: list[Problem]) -> str | None:
        """Return the text with its variables filled in; `None`, with a note of the problem, if that cannot be done."""
        if "${" in text:
            wrong = len(found)
            if text.count("${") > MAX_TOKENS:
                found.append(Problem(path, f"more than {MAX_TOKENS} variables in one text", "make it a variable"))
                return None
            text = _TOKEN.sub(lambda token: self._token(token, path, found), text)
            if len(found) > wrong:
                return None
        bad = UNPRINTABLE.search(text)
        if bad is not None:
            found.append(Problem(path, f"the control character U+{ord(bad[0]):04X} is not allowed", "remove it"))
            return None
        return text

    def _token(self, token: re.Match[str], path: RawPath, found: list[Problem]) -> str:
        if token[0] == "$${":
            return "${"
        inner = token[1]
        if inner is None:
            found.append(Problem(path, "${ is not closed", "write ${var.name}, or $${ for the two characters"))
            return ""
        name = _NAME.fullmatch(inner)
        if name is None:
            found.append(_not_a_variable(inner, path))
            return ""
        value = self.lookup(name[1])
        if value is None:
            found.append(self._unresolved(name[1], path))
            return ""
        if not value.strip() and PREFIX + name[1] in self.environment:
            # What a pipeline does not define arrives so. The project file may say that a variable is empty.
            message = f"the environment variable {PREFIX}{name[1]} is empty"
            found.append(
                Problem(
                    path, message, "set it where this runs, or unset it, so that the value of reconciler.yaml holds"
                )
            )
            return ""
        if len(value) > MAX_VARIABLE:
            found.append(
                Problem(path, f"the variable {name[1]} has more than {MAX_VARIABLE:,} characters", "shorten it")
            )
            return ""
        self.used[name[1]] = value
        return value

    def _unresolved(self, name: str, path: RawPath) -> Problem:
        known = sorted({*self.variables, *(k.removeprefix(PREFIX) for k in self.environment if k.startswith(PREFIX))})
        near = suggestion(name, known)
        listed = f"known: {', '.join(known)}" if known else "no variable is known"
        give = f"give it under the org's `variables`, or as the environment variable {PREFIX}{name}"
        return Problem(
            path, f"the variable {name} has no value", "; ".join(part for part in (near, give, listed) if part)
        )


def _not_a_variable(inner: str, path: RawPath) -> Problem:
    if inner.startswith("env."):
        name = inner.removeprefix("env.")
        return Problem(
            path,
            f"${{{inner}}}: desired files read nothing of the environment",
            f"write ${{var.{name.lower()}}} and give it under the org's `variables`, where ${{env.{name}}} may stand",
        )
    return Problem(path, f"${{{inner}}} is no variable", "write ${var.name}, or $${ for the two characters")


class _Settling:
    """Settles one section of a document: fills in variables and checks types."""

    def __init__(self, values: Values, found: list[Problem], plain: bool, written: Written) -> None:
        self._values = values
        self._found = found
        self._plain = plain
        self._written = written

    def struct(self, cls: type[Struct], body: Body, path: RawPath) -> bool:
        """Bring the values of a body into the schema's form; return True if every value surely is what the schema wants."""
        steps = _steps(cls)
        fits = True
        gone: list[str] = []
        for name in body if self._plain else self._with_variables(steps, body, path):
            step = steps.get(name)
            if step is None:
                fits = False
                continue
            value: Any = body[name]
            if value.__class__ is not step.type:
                if not self._odd(step, body, (*path, name), gone):
                    fits = False
            elif step.type is dict:
                if not self._fields(step, value, (*path, name), gone):
                    fits = False
            elif step.type is list:
                if not self._list(step, body, (*path, name)):
                    fits = False
            elif step.allowed is not None and value not in step.allowed:
                fits = False
            elif step.imperative and value is True:
                self._note(
                    (*path, name),
                    f"{name}: true would rotate at every apply",
                    "remove the line; rotating is a command, not a state",
                )
        for name in gone:
            del body[name]
        return fits

    def _with_variables(self, steps: Mapping[str, _Step], body: Body, path: RawPath) -> list[str]:
        """Fill the variables into the texts of one section; return the names of the fields that remain."""
        kept: list[str] = []
        for name, value in list(body.items()):
            step = steps.get(name)
            if value.__class__ is str and step is not None and not step.secret:
                settled = self._values.text(value, (*path, name), self._found)
                if settled is None or self._emptied(step, value, settled, (*path, name)):
                    del body[name]
                    continue
                body[name] = _typed(settled, step) if _WHOLE.fullmatch(value) else settled
            kept.append(name)
        return kept

    def _emptied(self, step: _Step, written: str, settled: str, path: RawPath) -> bool:
        """Whether empty variables leave nothing of a text, or of an entry of a list in one text, that must not be empty.

        If so, it is noted: a list without its entries takes away what it gave.
        """
        if "${" not in written or step.may_be_empty:
            return False
        parts = (written.split(step.separator) if step.separator == "," else written.splitlines()) if step.texts else []
        entries = [self._values.text(part, path, []) for part in parts if "${" in part]
        if settled.strip() and all(entry is None or entry.strip() for entry in entries):
            return False
        self._note_empty(written, path)
        return True

    def _note_empty(self, written: str, path: RawPath) -> None:
        names = ", ".join(dict.fromkeys(_NAME.findall(written)))
        name = next(str(part) for part in reversed(path) if isinstance(part, str))
        self._note(
            path,
            f"{name} must not become empty by a variable: {names} is empty",
            "give the variable a value, or write what is meant here: [] takes all entries away",
        )

    def _fields(self, step: _Step, value: Any, path: RawPath, gone: list[str]) -> bool:
        if "secret" in value and "secret" not in _steps(step.struct):
            self._not_secret(path)
            gone.append(str(path[-1]))
            return True
        return self.struct(step.struct, value, path)

    def _odd(self, step: _Step, body: Body, path: RawPath, gone: list[str]) -> bool:
        """Settle a value of another class than the schema's: a secret, `null`, a list in one text, or a mistake."""
        name = str(path[-1])
        value = body[name]
        if step.secret:
            settled = self._secret(value, path)
            if settled is None:
                gone.append(name)
            else:
                body[name] = settled
            return True
        if value is None:
            return not step.field.required
        if value.__class__ is str and step.separator:
            body[name] = value.split(step.separator) if step.separator == "," else value.splitlines()
            return self._list(step, body, path)
        if value.__class__ is dict and "secret" in value:
            self._not_secret(path)
            gone.append(name)
            return True
        if value.__class__ is int and step.type is float:
            body[name] = float(value)
            return True
        text = self._written(path) if step.type is str else None
        if text is None:
            return False
        body[name] = text
        return step.allowed is None or text in step.allowed

    def _list(self, step: _Step, body: Body, path: RawPath) -> bool:
        name = str(path[-1])
        if step.texts:
            kept, fits = self._texts(step, body[name], path)
            body[name] = kept
            return fits
        fits = True
        seen: dict[str, int] = {}
        for index, item in enumerate(body[name]):
            if item.__class__ is not dict:
                fits = False
                continue
            fits = self.struct(step.struct, item, (*path, index)) and fits
            if step.keyed is not None and fits:
                self._key(step, step.keyed, item, (*path, index), seen)
        return fits

    def _key(self, step: _Step, keyed: Keyed, item: Body, path: RawPath, seen: dict[str, int]) -> None:
        missing = [name for name in keyed.fields if item.get(name) in (None, "")]
        if missing and (not keyed.any_of or len(missing) == len(keyed.fields)):
            wanted = " or ".join(missing) if keyed.any_of else " and ".join(missing)
            self._note(path, f"an item of {path[-2]} needs {wanted}: it is told apart by that", f"give it {wanted}")
            return
        key = step.field.item_key(item)
        first = seen.setdefault(step.field.same_key(key), int(path[-1]))
        if first != path[-1]:
            self._note(
                path, f"{key} is given twice in {path[-2]} (items {first + 1} and {int(path[-1]) + 1})", "remove one"
            )

    def _texts(self, step: _Step, value: list[Any], path: RawPath) -> tuple[list[Any], bool]:
        """The entries of a set of texts, trimmed, blank ones and repetitions dropped."""
        kept: list[Any] = []
        every: list[Any] = []
        fits = True
        for index, entry in enumerate(value):
            if entry.__class__ is not str:
                if entry.__class__ is dict and "secret" in entry:
                    self._not_secret((*path, index))
                    return [], True
                entry = self._written((*path, index))
                if entry is None:
                    return value, False
            text = entry if self._plain else self._values.text(entry, (*path, index), self._found)
            emptied = not self._plain and "${" in entry and text is not None and not text.strip()
            if emptied:
                self._note_empty(entry, (*path, index))
            text = (text or "").strip()
            every.append(text)
            if not text:
                continue
            if step.separator and (step.separator in text):
                self._separated(step, path, index)
            elif text in kept:
                if path[-1] in _NO_REPEATS:
                    self._note((*path, index), f"{text!r} is given twice in {path[-1]}", "remove one of the two")
            elif step.allowed is not None and text not in step.allowed:
                fits = False
                kept.append(text)
            else:
                kept.append(text)
        return (kept, True) if fits else (every, False)

    def _separated(self, step: _Step, path: RawPath, index: int) -> None:
        if step.separator == ",":
            self._note(
                (*path, index),
                f"an entry of {path[-1]} cannot hold a comma: Salesforce separates the entries by commas",
                "write two entries",
            )
        else:
            self._note((*path, index), f"an entry of {path[-1]} must be one line", "write two entries")

    def _secret(self, value: Any, path: RawPath) -> SecretRef | None:
        name = str(path[-1])
        if value is None:
            self._note(path, f"{name} is a secret and cannot be null", "give a reference, or leave the key out")
            return None
        if not self._plain and isinstance(value, dict):
            wrong = len(self._found)
            value = self._filled(value, path)
            if len(self._found) > wrong:
                return None
        try:
            return reference(name, value, root=self._values.root, allow_commands=self._values.allow_commands)
        except NoReferenceError as wrong:
            self._note(path, wrong.message, wrong.mend)
            return None

    def _filled(self, value: Any, path: RawPath) -> Any:
        """Fill in variables inside of a secret reference."""
        if isinstance(value, dict):
            return {key: self._filled(item, path) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, path) for item in value]
        return self._values.text(value, path, self._found) if isinstance(value, str) else value

    def _not_secret(self, path: RawPath) -> None:
        name = next(str(part) for part in reversed(path) if isinstance(part, str))
        self._note(
            path, f"{name} is not a secret, so a secret reference cannot stand there", "write the value, or ${var.name}"
        )

    def _note(self, path: RawPath, message: str, mend: str) -> None:
        self._found.append(Problem(path, message, mend))


def _typed(text: str, step: _Step) -> Any:
    """Turn the text of a variable that is the whole value into true, false or a number, where the schema wants one."""
    if step.type is bool and text in ("true", "false"):
        return text == "true"
    if step.type is int and _INTEGER.fullmatch(text):
        return int(text)
    return text
