"""The structure of an Apex class, as far as a reader needs it: classes, methods, blocks and calls. No full grammar.

What cannot be understood is left out, never refused: a class that the org holds was compiled there, and a class that
does not compile is refused by the org. What is too long or too deep to be followed is not looked at at all, and says so
(`Code.unfollowed`): half a class would look like one without its checks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from reconciler.apex.lexer import Sort, Token, tokens

LONGEST: Final = 1_000_000
"""The longest class that an org takes (Apex Developer Guide, "Execution Governors and Limits")."""
MOST: Final = 75_000
"""Words and symbols of a class, comments left out: some 7,500 lines. What is longer takes seconds to follow."""
DEEPEST: Final = 200
"""Brackets in brackets. No person writes that many; what looks at brackets in brackets stays quick."""

LONGEST_TYPE: Final = 64
"""Tokens of a type with what is in its angle brackets. A comparison `a < b` is never looked at for longer."""

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_OPENING: Final = {closing: opening for opening, closing in _CLOSING.items()}
_TYPES: Final = frozenset({"class", "interface", "enum"})
_MODIFIERS: Final = frozenset(
    {"public", "private", "protected", "global", "static", "final", "abstract", "virtual", "override", "transient"}
    | {"webservice", "testmethod", "with", "without", "inherited", "sharing"}
)
_NO_CALLS: Final = frozenset(
    {"if", "for", "while", "switch", "catch", "return", "throw", "when", "else", "do", "try", "on", "in", "and", "or"}
)
_NO_TYPES: Final = (
    _NO_CALLS | _TYPES | {"new", "extends", "implements", "instanceof", "select", "from", "where", "insert", "update"}
)
_STATEMENTS: Final = frozenset({"return", "if", "for", "while", "try", "switch", "throw"})
"""What begins a statement, and so ends one that lacks its semicolon."""
_CHAIN: Final = 50
"""How far back a chain of calls is followed to what it began with."""

Span = tuple[int, int]
"""Tokens from the first index to before the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class, an interface or an enum."""

    name: Token
    sort: str
    modifiers: frozenset[str]
    base: str
    """The base class as written; empty if there is none."""
    body: Span
    outer: "Class | None" = None

    @property
    def extends(self) -> str:
        """The base class in small letters."""
        return self.base.lower()

    @property
    def sharing(self) -> str:
        """`with`, `without`, `inherited`, or empty where the class does not say."""
        return next((word for word in ("with", "without", "inherited") if word in self.modifiers), "")


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    type: str
    """In small letters, without spaces."""
    name: str
    """In small letters."""


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A method, a constructor, a property, or what runs when the class is loaded (then the name is empty)."""

    code: "Code" = field(repr=False)
    name: Token
    owner: Class
    modifiers: frozenset[str]
    returns: str
    """The type in small letters; empty for a constructor."""
    parameters: tuple[Parameter, ...]
    body: Span | None
    """`None` where there is none: an interface's or an abstract method."""
    is_property: bool = False

    @property
    def key(self) -> str:
        return self.name.key


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call, `a.b(…)`, or the making of something, `new a.B(…)`."""

    name: Token
    receiver: tuple[str, ...]
    """What stands before the name, in small letters: `("auth", "jwtutil")`; `new B().c()` -> `("new b",)`."""
    arguments: tuple[Span, ...]
    at: int
    """The index of the name."""
    start: int
    """The index of the first token of the whole expression."""
    end: int
    """The index after the closing bracket."""
    makes: bool = False

    @property
    def key(self) -> str:
        return self.name.key


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """A try block with its catch blocks."""

    block: Span
    catches: tuple[tuple[int, Span], ...]
    """The index of the word `catch`, and its block."""
    end: int
    """The index after the whole statement."""


class Code:
    """One class file."""

    def __init__(self, source: str, name: str = "") -> None:
        self.name = name
        self.tokens: Sequence[Token] = tokens(source, MOST + 1)
        self.partner, self.depth = _partners(self.tokens)
        self.classes: list[Class] = []
        self.methods: list[Method] = []
        if not self.unfollowed:
            _Reader(self).read()

    @property
    def unfollowed(self) -> str:
        """Why the structure of the class is not looked at; empty if it is."""
        if len(self.tokens) > MOST:
            return f"has more than {MOST:,} words and symbols"
        return f"has more than {DEEPEST} brackets in each other" if self.depth > DEEPEST else ""

    @property
    def top(self) -> Class | None:
        """The class that the file is named after."""
        return next((one for one in self.classes if one.outer is None), None)

    @cached_property
    def variables(self) -> dict[str, str]:
        """The types of variables, fields and parameters by name, in small letters. Of two with one name the later counts."""
        found: dict[str, str] = {}
        for at in range(1, len(self.tokens) - 1):
            one, before, after = self.tokens[at], self.tokens[at - 1], self.tokens[at + 1]
            if one.sort is Sort.WORD and after.key in ("=", ";", ",", ")", ":", "{"):
                kind = self._type_before(at) if before.sort is Sort.WORD or before.key in (">", "]") else ""
                if kind:
                    found[one.key] = kind
        return found

    def _type_before(self, at: int) -> str:
        """The type that stands before a name, without what is in its angle brackets; empty if there is none."""
        at -= 1
        open_angles = 0
        for _ in range(LONGEST_TYPE):
            if at < 0:
                return ""
            key = self.tokens[at].key
            if key == ">":
                open_angles += 1
            elif key == "<":
                open_angles -= 1
            elif open_angles == 0 and key not in ("[", "]"):
                break
            at -= 1
        if open_angles or at < 0 or self.tokens[at].sort is not Sort.WORD or self.tokens[at].key in _NO_TYPES:
            return ""
        return ".".join(self.dotted(at)[0])

    def dotted(self, at: int) -> tuple[tuple[str, ...], int]:
        """The words joined by dots that end at a word, and where they start."""
        words = [self.tokens[at].key]
        while len(words) < _CHAIN and at >= 2 and self.tokens[at - 1].key in (".", "?."):
            if self.tokens[at - 2].sort is not Sort.WORD:
                break
            at -= 2
            words.append(self.tokens[at].key)
        return tuple(reversed(words)), at

    def inside(self, span: Span) -> Iterator[int]:
        yield from range(span[0], min(span[1], len(self.tokens)))

    def calls(self, span: Span) -> Iterator[Call]:
        """The calls in a stretch of code, in the order of their names."""
        for at in self.inside(span):
            if self.tokens[at].key != "(" or at == 0:
                continue
            name = at - 1
            if self.tokens[name].key == ">":
                name = self._before_angles(name)
            token = self.tokens[name]
            if token.sort is not Sort.WORD or token.key in _NO_CALLS:
                continue
            receiver, start = self._receiver(name)
            makes = start > 0 and self.tokens[start - 1].key == "new"
            if token.key == "new" or (name != at - 1 and not makes):
                continue
            end = min(self.partner[at] + 1, len(self.tokens))
            yield Call(token, receiver, self.split(at + 1, self.partner[at]), name, start - makes, end, makes)

    def _before_angles(self, at: int) -> int:
        """Return the index before a `<…>` whose last token is at `at`."""
        opened = 0
        for back in range(at, max(at - LONGEST_TYPE, -1), -1):
            opened += (self.tokens[back].key == ">") - (self.tokens[back].key == "<")
            if opened == 0:
                return max(back - 1, 0)
        return at

    def _receiver(self, name: int) -> tuple[tuple[str, ...], int]:
        words: list[str] = []
        at = name
        while len(words) < _CHAIN and at >= 2 and self.tokens[at - 1].key in (".", "?."):
            before = at - 2
            if self.tokens[before].sort is Sort.WORD:
                words.append(self.tokens[before].key)
                at = before
                continue
            if self.tokens[before].key not in (")", "]", "}") or self.partner[before] < 0:
                words.append("")
                return tuple(reversed(words)), before
            at = self.partner[before]
            if self.tokens[before].key == ")" and at > 0 and self.tokens[at - 1].sort is Sort.WORD:
                made, start = self.dotted(at - 1)
                if start > 0 and self.tokens[start - 1].key == "new":
                    words.append(f"new {'.'.join(made)}")
                    return tuple(reversed(words)), start - 1
                at -= 1
                words.append(f"{self.tokens[at].key}()")
            elif at > 0 and self.tokens[at - 1].sort is Sort.WORD and self.tokens[before].key == "]":
                at -= 1
                words.append(self.tokens[at].key)
            else:
                # A cast or an expression in brackets: what is cast is what is called.
                words.append(next((self.tokens[i].key for i in range(before - 1, at, -1) if self._is_word(i)), ""))
                return tuple(reversed(words)), at
        return tuple(reversed(words)), at

    def _is_word(self, at: int) -> bool:
        return self.tokens[at].sort is Sort.WORD

    def split(self, start: int, end: int) -> tuple[Span, ...]:
        """What commas part between two indices, outside of inner brackets."""
        parts: list[Span] = []
        at = first = start
        while at < min(end, len(self.tokens)):
            if self.tokens[at].key in _CLOSING:
                at = max(self.partner[at], at)
            elif self.tokens[at].key == ",":
                parts.append((first, at))
                first = at + 1
            at += 1
        if first < at:
            parts.append((first, min(at, end)))
        return tuple(parts)

    def statement_end(self, at: int, end: int) -> int:
        """The index of the `;` that ends the statement at an index, or of what closes the block around it."""
        start = at
        while at < end:
            key = self.tokens[at].key
            if key in _CLOSING:
                at = self.partner[at]
            elif key == ";" or key in _OPENING or (at > start and key in _STATEMENTS):
                return at
            at += 1
        return end

    def block_after(self, at: int, end: int) -> Span:
        """The block, or the one statement, that stands at an index."""
        if at < end and self.tokens[at].key == "{":
            return at + 1, min(self.partner[at], end)
        return at, min(self.statement_end(at, end) + 1, end)

    def tries(self, span: Span) -> Iterator[Try]:
        """The try statements in a stretch of code, inner ones too."""
        for at in self.inside(span):
            if self.tokens[at].key != "try" or at + 1 >= span[1] or self.tokens[at + 1].key != "{":
                continue
            block = self.block_after(at + 1, span[1])
            catches: list[tuple[int, Span]] = []
            after = block[1] + 1
            while after + 1 < span[1] and self.tokens[after].key == "catch" and self.tokens[after + 1].key == "(":
                caught = self.block_after(self.partner[after + 1] + 1, span[1])
                catches.append((after, caught))
                after = caught[1] + 1
            if after < span[1] and self.tokens[after].key == "finally":
                after = self.block_after(after + 1, span[1])[1] + 1
            yield Try(block, tuple(catches), after)


def _partners(found: Sequence[Token]) -> tuple[list[int], int]:
    """For each bracket the index of its partner, and how deep brackets stand in each other.

    An opening one without a partner ends with what closes the bracket around it, or with the source; a closing one
    without gets -1, as everything else does.
    """
    partner = [-1] * len(found)
    stack: list[int] = []
    waiting = dict.fromkeys(_CLOSING, 0)
    depth = 0
    for at, token in enumerate(found):
        if token.sort is not Sort.SYMBOL:
            continue
        if token.key in _CLOSING:
            stack.append(at)
            waiting[token.key] += 1
            depth = max(depth, len(stack))
        elif (opening := _OPENING.get(token.key)) and waiting[opening]:
            while True:
                last = stack.pop()
                waiting[found[last].key] -= 1
                partner[last] = at
                if found[last].key == opening:
                    partner[at] = last
                    break
    for left in stack:
        partner[left] = len(found)
    return partner, depth


class _Reader:
    """Finds classes and their members, level by level."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._tokens = code.tokens
        self._todo: list[Class] = []

    def read(self) -> None:
        self._members((0, len(self._tokens)), None)
        while self._todo:
            one = self._todo.pop()
            self._members(one.body, one)
        self._code.classes.sort(key=lambda one: one.body)
        self._code.methods.sort(key=lambda one: (one.name.line, one.name.column))

    def _members(self, span: Span, owner: Class | None) -> None:
        at = start = span[0]
        while at < span[1]:
            key = self._tokens[at].key
            if key in ("(", "["):
                at = self._code.partner[at]
            elif key == "{":
                self._member((start, at), (at + 1, min(self._code.partner[at], span[1])), owner)
                at = self._code.partner[at]
                start = at + 1
            elif key == "=":
                at = self._code.statement_end(at, span[1])
                start = at + 1
            elif key == ";":
                self._member((start, at), None, owner)
                start = at + 1
            elif key == "}":
                start = at + 1
            at += 1

    def _member(self, header: Span, body: Span | None, owner: Class | None) -> None:
        words = list(self._header(header))
        kind = next((i for i, at in enumerate(words) if self._tokens[at].key in _TYPES), None)
        if kind is not None and body is not None and kind + 1 < len(words) and self._tokens[words[kind] - 1].key != ".":
            self._class(words, kind, body, owner)
        elif owner is not None and (words or body is not None):
            self._method(header, words, body, owner)

    def _header(self, header: Span) -> Iterator[int]:
        """The words of a declaration outside of brackets, annotations left out."""
        at = header[0]
        while at < header[1]:
            token = self._tokens[at]
            if token.key == "@":
                at += 1
            elif token.key in _CLOSING:
                at = self._code.partner[at]
            elif token.sort is Sort.WORD:
                yield at
            at += 1

    def _class(self, words: list[int], kind: int, body: Span, owner: Class | None) -> None:
        keys = [self._tokens[at].key for at in words]
        written = ""
        if "extends" in keys[kind:-1]:
            base = words[keys.index("extends", kind) + 1]
            names = [self._tokens[base].text]
            while base + 2 < body[0] and self._tokens[base + 1].key == "." and len(names) < _CHAIN:
                base += 2
                names.append(self._tokens[base].text)
            written = ".".join(names)
        modifiers = frozenset(keys[:kind]) & _MODIFIERS
        found = Class(self._tokens[words[kind + 1]], keys[kind], modifiers, written, body, owner)
        self._code.classes.append(found)
        self._todo.append(found)

    def _method(self, header: Span, words: list[int], body: Span | None, owner: Class) -> None:
        last = header[1] - 1
        parameters: tuple[Parameter, ...] = ()
        name, is_property = (words[-1] if words else header[1]), True
        if last > header[0] and self._tokens[last].key == ")" and self._code.partner[last] > header[0]:
            opening = self._code.partner[last]
            name, is_property = opening - 1, False
            parameters = tuple(self._parameters(opening + 1, last))
        elif body is None:
            return  # a field that holds nothing yet
        if name >= len(self._tokens) or self._tokens[name].sort is not Sort.WORD:
            token = self._tokens[min(name, len(self._tokens) - 1)]
            token = Token(Sort.WORD, "", "", token.line, token.column)
        else:
            token = self._tokens[name]
            token = token._replace(text="", key="") if token.key == "static" else token
        before = [self._tokens[at].key for at in words if at < name]
        returns = "".join(key for key in before if key not in _MODIFIERS)
        method = Method(
            self._code, token, owner, frozenset(before) & _MODIFIERS, returns, parameters, body, is_property
        )
        self._code.methods.append(method)

    def _parameters(self, start: int, end: int) -> Iterator[Parameter]:
        """The parameters between two brackets. A comma in angle brackets parts none."""
        part: list[Token] = []
        angles = 0
        for at in range(start, end + 1):
            key = self._tokens[at].key
            angles += (key == "<") - (key == ">")
            if at < end and (key != "," or angles > 0):
                part.append(self._tokens[at])
                continue
            if len(part) > 1:
                kind = "".join(one.key for one in part[:-1] if one.key != "final")
                yield Parameter(kind, part[-1].key)
            part = []
