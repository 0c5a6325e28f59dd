"""Which handlers are used, and the Apex code of each, as rules read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from reconciler.apex.code import LONGEST, MOST, Code
from reconciler.apex.handler import Handler
from reconciler.apex.lexer import Sort, Token
from reconciler.apex.methods import BASE, Spot
from reconciler.kinds import HANDLER
from reconciler.model.address import Address
from reconciler.rules import Broken, NotChecked
from reconciler.schema.values import Path
from reconciler.world.world import UNKNOWN, World

CLASS: Final = "ApexClass"
SOURCE: Final[Path] = ("content",)
FIELD: Final[Path] = ("tokenHandlerApex",)
NEIGHBOURS: Final = 50
"""Other classes that are read along with a handler class."""


# -- the classes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandlerClass:
    """The class of one or more handlers."""

    address: Address
    also: tuple[Address, ...]
    """The handlers."""
    handler: Handler | None = None
    unread: str = ""
    """Why there is no `handler`; empty if there is simply no such class."""
    is_hidden: bool = False
    """Whether that is because the org does not show the source."""
    lost: tuple[str, ...] = ()
    """Why the class, or others that it names, cannot be followed although they are here."""
    base: str = ""
    """The first base class that is not here; empty if the line of base classes ends where it should, or with none."""
    extends: str = ""
    """What that line ends with, as written."""

    def at(self, spot: Spot, message: str, mend: str) -> Broken:
        address = Address(CLASS, spot.file or self.address.name)
        read = [Address(CLASS, code.name) for code in self.handler.codes] if self.handler is not None else []
        also = (*self.also, *(one for one in read if one != address))
        place = (spot.token.line, spot.token.column)
        return Broken(address, message, SOURCE, mend, spot.subject[:80], place, also)

    @property
    def top(self) -> Token:
        """The class's name in its source."""
        top = self.handler.main.top if self.handler is not None else None
        return top.name if top is not None else Token(Sort.WORD, "", "", 1, 1)


def handler_classes(world: World) -> tuple[HandlerClass, ...]:
    """Return the Apex classes that handlers use, each once."""
    # Every rule asks, and a world does not change: the sources are read once. `World` keeps its own memory like this.
    memory: dict[str, Any] = world.__dict__
    if "_apex" not in memory:
        memory["_apex"] = tuple(_find(world))
    return cast("tuple[HandlerClass, ...]", memory["_apex"])


def used_handlers(world: World) -> Iterator[Address]:
    """The handlers that the rules judge in this run."""
    served: dict[Address, set[str]] = {}
    for enablement in world.enablements():
        served.setdefault(enablement.handler, set()).add(enablement.app.name)
    for address in world.of_kind(HANDLER):
        if world.only is None or address not in served or not served[address].isdisjoint(world.only):
            yield address


def _find(world: World) -> Iterator[HandlerClass]:
    classes = {address.name.casefold(): address for address in world.of_kind(CLASS)}
    users: dict[Address, list[Address]] = {}
    for handler in used_handlers(world):
        name = world.value(handler, FIELD)
        if isinstance(name, str) and name:
            users.setdefault(classes.get(name.casefold(), Address(CLASS, name)), []).append(handler)
    codes: dict[Address, Code | _Unread] = {}
    for address, handlers in users.items():
        yield _read(world, address, tuple(handlers), classes, codes)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Why a class's source is not looked at; empty if there is no such class."""

    why: str
    is_here: bool = False
    """Whether there is a source, which cannot be followed."""
    is_hidden: bool = False
    """Whether the org has the class and does not show its source."""


def _read(
    world: World,
    address: Address,
    handlers: tuple[Address, ...],
    classes: dict[str, Address],
    codes: dict[Address, Code | _Unread],
) -> HandlerClass:
    main = _code(world, address, codes)
    if isinstance(main, _Unread):
        lost_whole = (main.why,) if main.is_here else ()
        return HandlerClass(address, handlers, unread=main.why, is_hidden=main.is_hidden, lost=lost_whole)
    read, lost = _neighbours(world, main, address, classes, codes)
    handler = Handler(main, read)
    last = handler.lineage[-1]
    missing = "" if not last.base or last.extends.startswith("auth.") else last.base
    return HandlerClass(address, handlers, handler, lost=tuple(lost), base=missing, extends=last.base)


def _code(world: World, address: Address, codes: dict[Address, Code | _Unread]) -> Code | _Unread:
    """Return the parsed code of a class, or why there is none."""
    if address not in codes:
        codes[address] = _load(world, address)
    return codes[address]


def _load(world: World, address: Address) -> Code | _Unread:
    name = address.name
    if "__" in name:
        return _Unread(f"{name} belongs to an installed package, which does not show its source")
    if (reason := world.reason_unreadable(address)) is not None and address not in world.bodies:
        return _Unread(f"{name} could not be read: {reason}")
    exists = world.has(address)
    if exists is UNKNOWN:
        return _Unread(f"{name} is not declared; the org may hold anything under this name")
    if not exists:
        return _Unread("")
    source = world.value(address, SOURCE)
    if not isinstance(source, str) or not source.strip() or source.strip() == "(hidden)":
        # A file may leave the source to the org. What an org says instead of a source is that it hides it.
        return _Unread(f"the source of {name} is not here", is_hidden=isinstance(source, str))
    if len(source) > LONGEST:
        return _Unread(f"{name} is longer than the {LONGEST:,} characters that an org takes", is_here=True)
    code = Code(source, name)
    if code.unfollowed:
        return _Unread(f"{name} {code.unfollowed}: it is not followed", is_here=True)
    return code if code.top is not None else _Unread(f"no class could be found in the source of {name}", is_here=True)


def _neighbours(
    world: World, main: Code, address: Address, classes: dict[str, Address], codes: dict[Address, Code | _Unread]
) -> tuple[list[Code], list[str]]:
    """The other classes that the source names, and those that they name, as far as they are here, and why some that are
    here were left out."""
    seen = {address}
    todo = [main]
    found: list[Code] = []
    lost: list[str] = []
    read = len(main.tokens)
    while todo:
        named = {token.key for token in todo.pop().tokens if token.sort is Sort.WORD}
        for other in (classes[name] for name in sorted(named & classes.keys())):
            if other in seen:
                continue
            seen.add(other)
            if len(found) >= NEIGHBOURS:
                # One sentence for all of them, however many there are.
                return found, [
                    *lost,
                    f"it leads to more than {NEIGHBOURS} other classes, of which the rest is left out",
                ]
            code = _code(world, other, codes)
            if isinstance(code, _Unread):
                lost += [code.why] if code.is_here else []
            elif read + len(code.tokens) > MOST:
                lost.append(f"together with {other.name} it has more than {MOST:,} words and symbols")
            else:
                read += len(code.tokens)
                todo.append(code)
                found.append(code)
    return found, lost


def each_handler(world: World) -> Iterator[tuple[HandlerClass, Handler] | NotChecked]:
    """The classes whose source can be judged. One with another base class, or none at all, is TX12's."""
    for used in handler_classes(world):
        if used.handler is None:
            if used.unread:
                yield NotChecked(used.address, used.unread, SOURCE)
        elif used.base:
            yield NotChecked(used.address, no_base(used), SOURCE)
        elif used.extends.lower() == BASE:
            yield used, used.handler
    for handler in used_handlers(world):
        if world.value(handler, FIELD) is UNKNOWN:
            yield NotChecked(handler, "the handler's class is not declared", FIELD)


def no_base(used: HandlerClass) -> str:
    return f"{used.address.name} extends {used.base[:80]}, which is not here"
