"""The WSGI application: finds the route of a request, lets it answer, and turns errors into answers."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from providers.mock.metadata import login_soap, soap
from providers.mock.org import Org
from providers.mock.rest import credentials, dml, entry, queries
from providers.mock.state.errors import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one request: a zip of 39 MB in base64, and its envelope."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: methods and a path; the pattern's groups are the arguments of `answer` after org and request."""

    methods: str
    path: str
    answer: Callable[..., Response]


class _Request(Request):
    max_content_length = MAX_BODY
    max_form_memory_size = MAX_BODY
    max_form_parts = 20


def _soap(org: Org, request: Request, version: str) -> Response:
    status, body = soap.answer(org, version, request.get_data(), entry.bearer(request))
    return Response(body, status, content_type="text/xml; charset=utf-8")


def _oauth(module: str, name: str) -> Callable[..., Response]:
    """Return a handler for an OAuth path whose module is loaded at the first request: what signs takes 0.1 s to load."""

    def answer(org: Org, request: Request, *groups: str) -> Response:
        found: Response = getattr(importlib.import_module(f"providers.mock.oauth.{module}"), name)(
            org, request, *groups
        )
        return found

    return answer


_V = r"/services/data/v(\d+\.0)"
ROUTES: tuple[Route, ...] = (
    Route("POST", r"/services/Soap/m/(\d+(?:\.\d+)?)(?:/.*)?", _soap),
    Route("POST", r"/services/Soap/([uc])/(\d+(?:\.\d+)?)(?:/.*)?", login_soap.answer),
    Route("GET", r"/services/data/?", entry.versions),
    Route("GET", _V + r"/?", entry.resources),
    Route("GET", _V + r"/limits/?", entry.limits),
    Route("GET", _V + r"/(tooling/)?(?:query|queryAll)/?", queries.query),
    Route("GET", _V + r"/(tooling/)?(?:query|queryAll)/(01g[\w=-]+)", queries.query_more),
    Route("GET", _V + r"/(tooling/)?sobjects/?", queries.objects),
    Route("GET", _V + r"/(tooling/)?sobjects/(\w+)/?", queries.summary),
    Route("GET", _V + r"/(tooling/)?sobjects/(\w+)/describe/?", queries.describe),
    Route("GET", _V + r"/apps/oauth/usage/?", credentials.usage),
    Route("GET", _V + r"/apps/oauth/credentials/(\w+)/?", credentials.consumers),
    Route("GET", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/?", credentials.consumer),
    Route("GET", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/staged/?", credentials.staged),
    Route("POST", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/staged/?", credentials.stage),
    Route("GET", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/staged/(\w+)/?", credentials.staged_set),
    Route("PATCH", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/staged/(\w+)/?", credentials.rotate),
    Route("DELETE", _V + r"/apps/oauth/credentials/(\w+)/(\w+)/staged/(\w+)/?", credentials.unstage),
    Route("POST", _V + r"/metadata/deployRequest/?", entry.deploy),
    Route("GET", _V + r"/metadata/deployRequest/(\w+)/?", entry.deploy_status),
    Route("PATCH", _V + r"/metadata/deployRequest/(\w+)/?", entry.deploy_cancel),
    Route("GET", _V + r"/(tooling/)?sobjects/(\w+)/(\w+)/?", queries.record),
    Route("POST", _V + r"/sobjects/(\w+)/?", dml.create),
    Route("PATCH", _V + r"/sobjects/(\w+)/(\w+)/?", dml.update),
    Route("DELETE", _V + r"/sobjects/(\w+)/(\w+)/?", dml.delete),
    Route("GET", r"/", _oauth("web_server", "login_page")),
    Route("GET POST", r"/services/oauth2/authorize", _oauth("web_server", "authorize")),
    Route("POST", r"/services/oauth2/introspect", _oauth("introspect", "introspect")),
    Route("GET POST", r"/services/oauth2/revoke", _oauth("revoke", "revoke")),
    Route("GET POST", r"/services/oauth2/token", _oauth("endpoint", "token")),
    Route("GET POST", r"/services/oauth2/userinfo", _oauth("openid", "userinfo")),
    Route("GET POST", r"/id/(\w{15,18})/(\w{15,18})", _oauth("openid", "identity")),
    Route("GET", r"/id/keys", _oauth("openid", "published_keys")),
    Route("GET", r"/\.well-known/openid-configuration", _oauth("openid", "discovery")),
    Route("GET", r"/idp/\.well-known/openid-configuration", _oauth("identity_provider", "discovery")),
    Route("GET", r"/idp/jwks", _oauth("identity_provider", "published_keys")),
    Route("POST", r"/idp/token", _oauth("identity_provider", "token")),
)


class Application:
    """The WSGI application of one org: answers each request by the first route that matches it."""

    def __init__(self, org: Org, routes: tuple[Route, ...] = ROUTES) -> None:
        self._org = org
        self._routes = [(frozenset(each.methods.split()), re.compile(each.path), each.answer) for each in routes]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(_Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            method, others = "GET" if request.method == "HEAD" else request.method, set[str]()
            for methods, path, answer in self._routes:
                found = path.fullmatch(request.path)
                if found is not None and method in methods:
                    return answer(self._org, request, *found.groups())
                others |= methods if found is not None else set()
            if others:
                allowed = ",".join(sorted(others | ({"HEAD"} if "GET" in others else set())))
                text = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
                raise Fault("METHOD_NOT_ALLOWED", text, 405)
            raise entry.not_found()
        except Fault as fault:
            return entry.refusal(fault)
        except RequestEntityTooLarge:
            return entry.refusal(Fault("REQUEST_LIMIT_EXCEEDED", "The request is too large", 413))
        except HTTPException as broken:
            return entry.refusal(Fault("BAD_REQUEST", str(broken.description), broken.code or 400))


def application(org: Org) -> WSGIApplication:
    """Return the WSGI application that answers for `org`; safe to call from several threads."""
    return Application(org)
