"""Records a run: an adapter around the session's own, which keeps the last answer to each request that only reads.

What changes an org, and every login, is passed on and not kept. Nothing reaches the disk before `finished` has scrubbed
it and has looked through the finished bytes, decoded and unpacked, for each secret that this run knows.
"""

import json
import re
import secrets as randomness
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter

from providers.salesforce.recordings.file import Head, Interaction, dumped
from providers.salesforce.recordings.file import Recording as Tape
from providers.salesforce.recordings.layers import layers
from providers.salesforce.recordings.marks import Pseudonyms
from providers.salesforce.recordings.scrubbing import CHOICES, Scrubber, request_body
from providers.salesforce.wire.session import OrgSession
from reconciler import __version__
from reconciler.errors import Complaint, InputError, ReconcilerError
from reconciler.provider import Secrets
from reconciler.redaction import held, holds
from reconciler.schema.values import SecretRef

READS = frozenset({"retrieve", "checkRetrieveStatus", "listMetadata", "describeMetadata", "readMetadata"})
"""Operations of SOAP that only read. What is not listed is not kept."""
_OPERATION = re.compile(rb"<(?:[\w.-]+:)?Body[^<>]*>\s*<(?:[\w.-]+:)?(\w+)")
_SESSION_ID = re.compile(rb"<(?:[\w.-]+:)?sessionId>([^<]+)<")
_JOB = re.compile(rb"<(?:[\w.-]+:)?id>([A-Za-z0-9]{15,18})<")
_SHORTEST = 6
"""A secret of fewer characters is in every text by chance."""


class Request(NamedTuple):
    """What distinguishes recorded requests: method, path and content, never the login."""

    method: str
    path: str
    """With its query, in one order."""
    body: bytes

    @property
    def operation(self) -> str:
        """What the request is, in a word for a person: `retrieve`, `query User`, `GET /services/data`."""
        found = _OPERATION.search(self.body)
        if found:
            return found[1].decode()
        url = urlsplit(self.path)
        asked = dict(parse_qsl(url.query)).get("q", "")
        table = re.search(r"(?i)\bfrom\s+(\w+)", asked)
        return f"query {table[1]}" if table else f"{self.method} {re.sub(r'/v[0-9.]+/', '/', url.path)}"


def request_of(prepared: requests.PreparedRequest) -> Request:
    """A request without what differs from run to run: host, session, the order of its parameters."""
    url = urlsplit(prepared.url or "")
    query = urlencode(sorted(parse_qsl(url.query, keep_blank_values=True)))
    body = prepared.body or b""
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    return Request(prepared.method or "", url.path + (f"?{query}" if query else ""), request_body(data))


class _Kept(NamedTuple):
    status: int
    content_type: str
    body: bytes
    request_type: str


class Recording:
    """What a run says and hears, kept until it is finished."""

    def __init__(self, scrub: frozenset[str], key: str = "") -> None:
        """`key`: of the pseudonyms, so that two recordings agree; made for this one and thrown away, if not given."""
        unknown = sorted(scrub - set(CHOICES))
        if unknown:
            raise InputError(Complaint(f"--scrub {unknown[0]}: no such thing", mend=f"one of: {', '.join(CHOICES)}"))
        self.scrub = tuple(sorted(scrub))
        self._names = Pseudonyms(key.encode() if key else randomness.token_bytes(32))
        self._kept: dict[Request, _Kept] = {}
        self._jobs: dict[bytes, bytes] = {}
        self._held_before = held()
        self._known: dict[str, str] = {key: "the key of the pseudonyms"} if key else {}
        self.counts: Mapping[str, int] = {}
        """What was scrubbed, once it is finished."""
        self.classes: tuple[str, ...] = ()
        self.secret_ages = False
        self.whole = False
        """Whether everything was read that a replay may ask for."""

    def __repr__(self) -> str:
        return f"Recording({len(self._kept)} calls)"

    def attach(self, session: OrgSession) -> None:
        """Stand between the session and whatever it is connected to now."""
        for prefix, inner in list(session.adapters.items()):
            session.mount(prefix, _Recorder(inner, self, session._drain))

    def hearing(self, secrets: Secrets) -> Secrets:
        """Wrap a function that finds secrets: each that it finds is looked for in the recording before that is written."""

        def found(ref: SecretRef) -> str:
            value = secrets(ref)
            self._known[value] = str(ref)
            return value

        return found

    def sent(self, prepared: requests.PreparedRequest) -> None:
        """Note the tokens that a request carries."""
        scheme, _, token = str(prepared.headers.get("Authorization") or "").partition(" ")
        self._known[token or scheme] = "an access token"
        body = prepared.body
        for one in _SESSION_ID.findall(body if isinstance(body, bytes) else b""):
            self._known[one.decode("utf-8", "replace")] = "a session id"

    def heard(self, prepared: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep an org's answer if its request only reads; of equal requests the last answer counts."""
        request = request_of(prepared)
        if not _is_read(request):
            return
        body = response.content or b""
        if request.operation == "retrieve" and (found := _JOB.search(body)):
            # Ids of jobs are new in each run; named by their order, two recordings of the same org are the same.
            known = self._kept.get(request)
            self._jobs[found[1]] = _job(known.body) if known else b"09Srecorded%07d" % (len(self._jobs) + 1)
        for job, name in self._jobs.items():
            body = body.replace(job, name)
            request = request._replace(body=request.body.replace(job, name))
        self._kept[request] = _Kept(
            response.status_code,
            str(response.headers.get("Content-Type") or ""),
            body,
            str(prepared.headers.get("Content-Type") or ""),
        )

    def finished(self, org_id: str, api_version: str, now: datetime) -> bytes:
        """The file's bytes, scrubbed. Raises ReconcilerError if a secret is left in them after all."""
        scrubber = Scrubber(frozenset(self.scrub), self._names)
        interactions = tuple(_scrubbed(request, kept, scrubber) for request, kept in self._kept.items())
        self.counts = dict(sorted(scrubber.counts.items()))
        head = Head(
            recorded_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            org_id=org_id,
            api_version=api_version,
            reconciler_version=__version__,
            scrub=self.scrub,
            scrubbed=self.counts,
            classes=self.classes,
            secret_ages=self.secret_ages,
        )
        data = dumped(Tape(head, interactions))
        self._refuse_secrets(data)
        return data

    @property
    def calls(self) -> int:
        return len(self._kept)

    def _refuse_secrets(self, data: bytes) -> None:
        spelled = {one.encode("utf-8", "surrogatepass"): "a secret of this run" for one in held() - self._held_before}
        spelled |= {form: what for value, what in self._known.items() for form in _spellings(value)}
        for where, layer in layers(data):
            # As a whole first: then its kind is known.
            what = next((what for form, what in spelled.items() if form in layer), "")
            if not what and holds(layer, besides=self._held_before):
                what = "a piece of a secret of this run"
            if what:
                inside = f", in {where}" if where else ""
                raise ReconcilerError(
                    Complaint(
                        f"the recording would hold {what}{inside}: nothing was written",
                        mend="take it out of the org's metadata and rotate it: whoever reads the org reads it",
                    )
                )


def _spellings(value: str) -> set[bytes]:
    """How a secret may stand in a text."""
    plain = value.strip()
    if len(plain) < _SHORTEST:
        return set()
    forms = {plain, quote(plain, safe=""), escape(plain), escape(plain, quote=False), json.dumps(plain)[1:-1]}
    return {form.encode("utf-8", "surrogatepass") for form in forms}


def _scrubbed(request: Request, kept: _Kept, scrubber: Scrubber) -> Interaction:
    return Interaction(
        method=request.method,
        path=request.path,
        body=request.body.decode("utf-8", "replace"),
        status=kept.status,
        content_type=kept.content_type,
        answer=scrubber.answer(request.path, kept.body).decode("utf-8", "replace"),
        request_type=kept.request_type,
    )


def _is_read(request: Request) -> bool:
    path = urlsplit(request.path).path
    if request.method == "GET":
        return path == "/services/data" or path.startswith("/services/data/v")
    if request.method != "POST" or not path.startswith("/services/Soap/m/"):
        return False
    return request.operation in READS


def _job(answer: bytes) -> bytes:
    found = _JOB.search(answer)
    return found[1] if found else b""


class _Recorder(BaseAdapter):
    """Passes requests on to another adapter, and tells what was said. Answers are read within the session's bounds."""

    def __init__(self, inner: BaseAdapter, recording: Recording, drain: Callable[[requests.Response], None]) -> None:
        super().__init__()
        self._inner, self._recording, self._drain = inner, recording, drain

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._recording.sent(request)
        response = self._inner.send(request, *args, **kwargs)
        if not response.is_redirect:
            self._drain(response)
            self._recording.heard(request, response)
        return response

    def close(self) -> None:
        self._inner.close()


def described(counts: Mapping[str, int]) -> str:
    """What was scrubbed, in words: `3 secrets, 12 emails`; `nothing`."""
    return ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()) if number) or "nothing"
