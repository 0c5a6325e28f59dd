"""Takes every secret that a run has seen out of all that this run writes.

Nothing of ours puts a secret into a text. But an org, a proxy or a program may repeat in an error what it was sent, and
Salesforce's own words are shown as they came: cut off, in capitals, in base64, escaped for Markdown by us. So a reader who gets
a secret or a token holds it here, and whatever is written goes through `redacted`, which finds a secret as a whole and any
twelve letters and digits of it.

What is known belongs to a run (`Redaction`), and is forgotten with it: `with running(): …`. Inside, all parts share it on
purpose: a secret that only some of them know of gets out by the others. A thread that a run has started is often outside
of its context; then what it gets is known to every run that is open, and what it writes is freed of the secrets of all.
Without any run, which is how a library may be used, the latest secrets of the process are kept (`MOST_WITHOUT_A_RUN`).
"""

import base64
import html
import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from typing import Final
from urllib.parse import quote, quote_plus

MARK = "[secret]"
SHORTEST = 6
"""Characters. A shorter one is found by trying, and taking it out would garble every text."""
PIECE = 12
"""Letters and digits of a secret, from which on a piece of it is taken out, whatever stands between them."""
_GRAM, _STRIDE = 6, 7
"""Any twelve characters hold six that begin at a multiple of seven: so a large text is looked at in few places."""
_LONG = 10_000
"""Characters of a secret from which on it is not looked for in base64: no token is that long."""
_LINE = 16
"""Characters of a line of a key, from which on it is a secret of its own: messages are shown on one line."""
_HEAD = 160
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.*?)(?:-----END|\Z)", re.DOTALL)
_KEPT = b'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"<>\n'
"""Of a text that is looked through: letters and digits, and what ends a value of JSON, an element or a line. Anything
else may stand between the letters and digits of a secret."""
_DROPPED = bytes(code for code in range(256) if code not in _KEPT)
_SMALL = bytes(range(256)).lower()
_SESSION = re.compile(r"00D[A-Za-z0-9]{12,15}!(?:005[A-Za-z0-9]{12}\.)?")
"""A session id begins with the id of its org, which every output shows; that of a mock org goes on with its user's."""


MOST_WITHOUT_A_RUN: Final = 1000
"""Secrets that are kept where no run is open: enough for any that still writes, and no leak of memory for a server."""
_FEW: Final = 200
"""Texts that are looked for one by one. More of them are found by how they begin."""
_STARTS: Final = (48, 24, 12, SHORTEST)
"""Lengths of beginnings, the longest first: tokens of one org have their first two dozen characters in common."""
_ALIKE: Final = 16
"""Places of the same six characters that are looked at; where there are more, twelve are looked up."""


class _Pieces:
    """Finds pieces of letters and digits, of however many secrets, in time that does not grow with their number.

    The letters and digits of all secrets stand in one row of bytes. A table tells for every six of them in a row where
    they stand: four bytes for each, with open addressing, since Python's own dictionary would take thirty times as much.
    """

    def __init__(self) -> None:
        # Place 0 belongs to no secret: in the table it says that there is nothing.
        self._row, self._small = bytearray(b"\n"), bytearray(b"\n")
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._forms: list[str] = []
        self._table = array("I", bytes(4 << 10))
        self._filled = 0
        self._windows: dict[bytes, int] = {}

    def add(self, text: str, form: str) -> None:
        """Make the pieces of a text of letters and digits known; `form` is what it was made of."""
        begin = len(self._row)
        self._row += text.encode() + b"\n"
        self._small += text.lower().encode() + b"\n"
        end = len(self._row) - 1
        self._begins.append(begin)
        self._ends.append(end)
        self._forms.append(form)
        while 2 * (self._filled + len(text)) > len(self._table):
            self._grow()
        table, mask, small = self._table, len(self._table) - 1, bytes(self._small[begin:end])
        for at in range(len(small) - _GRAM + 1):
            # Most places are free: a call for each would take three times as long.
            slot = hash(small[at : at + _GRAM]) & mask
            if table[slot]:
                self._place(begin + at, begin, end)
            else:
                table[slot] = begin + at
                self._filled += 1

    def _grow(self) -> None:
        before = self._table
        self._table = table = array("I", bytes(8 * len(before)))
        mask, small = len(table) - 1, bytes(self._small)
        for at in before:
            if at:
                slot = hash(small[at : at + _GRAM]) & mask
                while table[slot]:
                    slot = (slot + 1) & mask
                table[slot] = at

    def _place(self, at: int, begin: int, end: int) -> None:
        table, mask, small = self._table, len(self._table) - 1, self._small
        gram = bytes(small[at : at + _GRAM])
        slot, alike = hash(gram) & mask, 0
        while other := table[slot]:
            alike += small[other : other + _GRAM] == gram
            if alike >= _ALIKE:
                # What many secrets begin with. All twelve characters around it are another matter.
                for first in range(max(begin, at - PIECE + _GRAM), min(at, end - PIECE) + 1):
                    self._windows.setdefault(bytes(small[first : first + PIECE]), first)
                return
            slot = (slot + 1) & mask
        table[slot] = at
        self._filled += 1

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where pieces of secrets stand: begin, end (dropped characters are not counted), and what they are of."""
        if not self._filled:
            return
        bare = _ascii(text).translate(_SMALL, _DROPPED)
        table, mask = self._table, len(self._table) - 1
        done = 0
        for at in range(0, len(bare) - _GRAM + 1, _STRIDE):
            if table[hash(bare[at : at + _GRAM]) & mask] and at >= done:
                for there, where in self._known(bare, at):
                    begin, end, row = self._widened(bare, where, there, done)
                    if end - begin >= PIECE and _in_disorder(self._row[row : row + end - begin].decode()):
                        yield begin, end, self._forms[bisect_right(self._begins, there) - 1]
                        done = end
                        break

    def _known(self, bare: bytes, at: int) -> Iterator[tuple[int, int]]:
        """Yield each place in the row of secrets that matches the text around a place, and where that is in the text."""
        table, mask, gram = self._table, len(self._table) - 1, bare[at : at + _GRAM]
        slot, alike = hash(gram) & mask, 0
        while other := table[slot]:
            if self._small[other : other + _GRAM] == gram:
                alike += 1
                yield other, at
            slot = (slot + 1) & mask
        if alike >= _ALIKE:
            for first in range(max(0, at - PIECE + _GRAM), at + 1):
                if (there := self._windows.get(bare[first : first + PIECE])) is not None:
                    yield there, first

    def _widened(self, bare: bytes, at: int, there: int, least: int) -> tuple[int, int, int]:
        """Return how far a text agrees with a secret around a place, and where that begins in the row of secrets."""
        secret = bisect_right(self._begins, there) - 1
        first, last = self._begins[secret], self._ends[secret]
        before, after = 0, _GRAM
        while (
            at - before > least and there - before > first and bare[at - before - 1] == self._small[there - before - 1]
        ):
            before += 1
        while at + after < len(bare) and there + after < last and bare[at + after] == self._small[there + after]:
            after += 1
        return at - before, at + after, there - before


class Redaction:
    """The secrets of one run, and what takes them out of a text. May be used by several threads."""

    def __init__(self, most: int | None = None) -> None:
        """Begin without secrets. Of those that follow, the latest `most` are kept; all of them, if `most` is not given."""
        self._most = most
        self._lock = RLock()
        self._secrets: dict[str, None] = {}
        self._forget()

    def _forget(self) -> None:
        self._forms: set[str] = set()
        self._starts: dict[str, list[str]] = {}
        self._pieces = _Pieces()

    def hold(self, secret: str) -> str:
        """Keep a secret out of everything that is redacted from now on. Returns it."""
        with self._lock:
            if len(secret) < SHORTEST or secret in self._forms:
                return secret
            self._keep(secret)
            if self._most is not None:
                self._secrets[secret] = None
                if len(self._secrets) > self._most:
                    latest = list(self._secrets)[-(self._most // 2) :]
                    self._secrets = dict.fromkeys(latest)
                    self._forget()
                    for one in latest:
                        self._keep(one)
        return secret

    def _keep(self, secret: str) -> None:
        lines = [one for one in secret.splitlines() if len(one) >= _LINE and not one.startswith("-----")]
        for form in dict.fromkeys([*_forms(secret), *(lines if "\n" in secret else [])]):
            if form not in self._forms:
                self._forms.add(form)
                length = next(length for length in _STARTS if len(form) >= length)
                self._starts.setdefault(form[:length], []).append(form)
                if length > SHORTEST:
                    # That there is something longer.
                    self._starts.setdefault(form[:SHORTEST], [])
        for part in _own(secret):
            for form in _forms_of_pieces(part):
                self._pieces.add(re.sub(r"[^0-9A-Za-z]+", "", form), form)

    def redacted(self, text: str, mark: str = MARK) -> str:
        """Return the text with a mark in place of these secrets and of their pieces."""
        with self._lock:
            text = _without(text, self._whole(text), mark)
            spans = [(begin, end) for begin, end, _ in self._pieces.find(text)]
        if not spans:
            return text
        places = [at for at, code in enumerate(_ascii(text)) if code in _KEPT]
        return _without(text, ((places[begin], places[end - 1] + 1) for begin, end in spans), mark)

    def _whole(self, text: str) -> Iterator[tuple[int, int]]:
        """Return where whole secrets stand in a text, as begin and end; those that overlap as one."""
        found = sorted(self._few(text) if len(self._forms) <= _FEW else self._many(text))
        if not found:
            return
        begin, end = found[0]
        for first, last in found[1:]:
            if first >= end:
                yield begin, end
                begin = first
            end = max(end, last)
        yield begin, end

    def _few(self, text: str) -> Iterator[tuple[int, int]]:
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)

    def _many(self, text: str) -> Iterator[tuple[int, int]]:
        starts = self._starts
        for at in range(len(text) - SHORTEST + 1):
            if text[at : at + SHORTEST] in starts:
                for length in _STARTS:
                    for form in starts.get(text[at : at + length], ()):
                        if text.startswith(form, at):
                            yield at, at + len(form)

    def holds(self, data: bytes, *, besides: Collection[str] = frozenset()) -> bool:
        """Whether a secret, or a piece of one, stands in these bytes; those in `besides` do not count."""
        with self._lock:
            if any(one.encode("utf-8", "surrogatepass") in data for one in self._forms if one not in besides):
                return True
            return any(form not in besides for _, _, form in self._pieces.find(data.decode("latin-1")))

    def held(self) -> frozenset[str]:
        """Return all secrets that are known now, in each spelling that is looked for."""
        with self._lock:
            return frozenset(self._forms)


_run: ContextVar[Redaction | None] = ContextVar("redaction", default=None)
_open: dict[int, Redaction] = {}
"""Runs that have not ended, by number."""
_outside = Redaction(MOST_WITHOUT_A_RUN)
"""The secrets that are known outside of any run."""


@contextmanager
def running() -> Iterator[Redaction]:
    """Open a run: secrets that become known inside the block are taken out of all that is written inside, and forgotten
    at its end."""
    mine = Redaction()
    before = _run.set(mine)
    _open[id(mine)] = mine
    try:
        yield mine
    finally:
        del _open[id(mine)]
        _run.reset(before)


def begin() -> Redaction:
    """Open a run that lasts as long as the process, so that errors at its very end are free of secrets too."""
    mine = Redaction()
    _run.set(mine)
    _open[id(mine)] = mine
    return mine


def _known() -> tuple[Redaction, ...]:
    """Return the secrets that must not be written now: of this run (else of all open runs), and from outside of any run."""
    mine = _run.get()
    return (mine, _outside) if mine is not None else (*_open.copy().values(), _outside)


def hold(secret: str) -> str:
    """Keep a secret out of everything that this run writes from now on. Returns it."""
    mine = _run.get()
    for one in (mine,) if mine is not None else _known():
        one.hold(secret)
    return secret


def redacted(text: str) -> str:
    """Return the text without the secrets that this run holds, and without their pieces."""
    for one in _known():
        text = one.redacted(text)
    return text


def holds(data: bytes, *, besides: Collection[str] = frozenset()) -> bool:
    """Whether a secret that this run holds, or a piece of one, stands in these bytes; those in `besides` do not count."""
    return any(one.holds(data, besides=besides) for one in _known())


def held() -> frozenset[str]:
    """All secrets that this run knows now, in each of their forms."""
    return frozenset().union(*(one.held() for one in _known()))


def is_jwt(token: str) -> bool:
    """Whether a token is a JSON web token: a head, claims and a signature."""
    return token.startswith("eyJ") and token.count(".") == 2


def _own(secret: str) -> Iterator[str]:
    """Yield the parts of a secret that stand in no other text, so that any piece of them may be taken out of one."""
    keys = _KEY.findall(secret)
    for key in keys:
        # Behind what a certificate shows of it: its sort and the public numbers.
        body = "".join(key.split())
        yield body[len(body) // 2 :]
    if secret.startswith(("PD", "PH")):
        # A SAML assertion, XML in base64: behind its id it holds names, and often its issuer's certificate.
        yield secret[:_HEAD]
    elif is_jwt(secret):
        # A JSON web token is worth nothing without its signature, and its claims are names.
        yield secret.rpartition(".")[2]
    elif not keys and not re.search(r"\s|://|^\{", secret):
        # An address or a JSON text holds much that is no secret; the code that takes it apart makes known what is.
        session = _SESSION.match(secret)
        yield secret[session.end() :] if session else secret


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as texts carry it: in a URL, in JSON, in XML, in HTTP's Basic authentication, as digits."""
    yield secret
    for safe in ("", "/"):
        yield quote(secret, safe=safe)
    yield quote_plus(secret)
    for only_ascii in (True, False):
        yield json.dumps(secret, ensure_ascii=only_ascii)[1:-1]
    for quotes in (True, False):
        yield html.escape(secret, quote=quotes)
    yield html.escape(secret).replace("&#x27;", "&apos;")
    yield secret.encode("utf-8", "surrogatepass").hex()
    yield from _in_base64(secret)


def _in_base64(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        # Three bytes are four characters: what stands before shifts it, and the ends mix with what is beside.
        text = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = text[(before * 8 + 5) // 6 : len(text) - (0 if (before + len(data)) % 3 == 0 else 1)]
        if len(inner) >= 2 * SHORTEST:
            yield inner


def _forms_of_pieces(secret: str) -> Iterator[str]:
    """Yield the spellings of a secret of which pieces are looked for: as it is, in hexadecimal and in Base64.

    Only a piece that looks random counts: a word that is in a password may be in any text.
    """
    yield secret
    if len(secret) <= _LONG:
        yield secret.encode("utf-8", "surrogatepass").hex()
        yield from _in_base64(secret)


def _without(text: str, spans: Iterable[tuple[int, int]], mark: str) -> str:
    """Return the text with a mark in place of each of these stretches, which stand in order."""
    parts, done = [], 0
    for begin, end in spans:
        parts += [text[done:begin], mark]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def _ascii(text: str) -> bytes:
    """Return a text as bytes, one for each character, so that places in both are the same."""
    return text.encode("ascii", "replace")


def _in_disorder(text: str) -> bool:
    """Whether a text looks random: with digits, or with capitals among small letters."""
    return any(map(str.isdigit, text)) or (any(map(str.isupper, text)) and any(map(str.islower, text)))
