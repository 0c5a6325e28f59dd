"""The application: a table of routes, and who may come in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from providers.mock import rest, soap
from providers.mock.errors import Fault
from providers.mock.org import Org

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one request: a zip of 39 MB in base64, and its envelope."""


@dataclass(frozen=True, slots=True)
class Route:
    """Methods and a path; the pattern's groups are the arguments of *answer* after org and request."""

    methods: str
    path: str
    answer: Callable[..., Response]


class _Request(Request):
    max_content_length = MAX_BODY
    max_form_memory_size = MAX_BODY
    max_form_parts = 20


def _soap(org: Org, request: Request, version: str) -> Response:
    status, body = soap.answer(org, version, request.get_data(), rest.bearer(request))
    return Response(body, status, content_type="text/xml; charset=utf-8")


_V = r"/services/data/v(\d+\.0)"
ROUTES: tuple[Route, ...] = (
    Route("POST", r"/services/Soap/m/(\d+(?:\.\d+)?)(?:/.*)?", _soap),
    Route("GET", r"/services/data/?", rest.versions),
    Route("GET", _V + r"/?", rest.resources),
    Route("GET", _V + r"/limits/?", rest.limits),
    Route("GET", _V + r"/(tooling/)?(?:query|queryAll)/?", rest.query),
    Route("GET", _V + r"/(tooling/)?(?:query|queryAll)/(01g[\w=-]+)", rest.query_more),
    Route("POST", _V + r"/metadata/deployRequest/?", rest.deploy),
    Route("GET", _V + r"/metadata/deployRequest/(\w+)/?", rest.deploy_status),
    Route("PATCH", _V + r"/metadata/deployRequest/(\w+)/?", rest.deploy_cancel),
    Route("GET", _V + r"/sobjects/(\w+)/(\w{15,18})/?", rest.record),
    Route("POST", _V + r"/sobjects/(\w+)/?", rest.create),
    Route("PATCH", _V + r"/sobjects/(\w+)/(\w{15,18})/?", rest.update),
    Route("DELETE", _V + r"/sobjects/(\w+)/(\w{15,18})/?", rest.delete),
    Route("GET POST", r"/services/oauth2/userinfo", rest.userinfo),
    Route("GET", r"/id/(\w{15,18})/(\w{15,18})", rest.identity),
)


class Application:
    """One org over HTTP."""

    def __init__(self, org: Org, routes: tuple[Route, ...] = ROUTES) -> None:
        self._org = org
        self._routes = [(frozenset(each.methods.split()), re.compile(each.path), each.answer) for each in routes]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(_Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            for methods, path, answer in self._routes:
                found = path.fullmatch(request.path)
                if found is not None and request.method in methods:
                    return answer(self._org, request, *found.groups())
            raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
        except Fault as fault:
            return rest.refusal(fault)
        except RequestEntityTooLarge:
            return rest.refusal(Fault("REQUEST_LIMIT_EXCEEDED", "The request is too large", 413))
        except HTTPException as broken:
            return rest.refusal(Fault("BAD_REQUEST", str(broken.description), broken.code or 400))


def application(org: Org) -> WSGIApplication:
    """Return the WSGI application that answers for *org*; safe to call from several threads."""
    return Application(org)
