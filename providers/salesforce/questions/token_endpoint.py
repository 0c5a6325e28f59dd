"""The OAuth endpoints of an org, as its clients use them: tokens asked for, looked at and given back.

Nothing here logs us in. What the org says no to is an answer, not an error: the caller wants to know.
"""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import requests

from providers.salesforce.wire.oauth_endpoints import AUTHORIZE, INTROSPECT, REVOKE, TOKEN, hold_tokens, no_answer, told
from providers.salesforce.wire.polling import BusyError, Patience, not_busy, unreachable
from providers.salesforce.wire.rest import Rest
from providers.salesforce.wire.session import OrgSession
from providers.salesforce.wire.soap import not_an_org
from reconciler.errors import ReconcilerError, RefusedError, UnreachableError
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.redaction import is_jwt

_WHO = re.compile(r"/id/00D[A-Za-z0-9]{12,15}/(005[A-Za-z0-9]{12,15})/?\Z")
"""The end of an identity URL: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm."""
_ERROR = re.compile(r"\berror=([A-Za-z_]{3,60})&error_description=([^\s\"'<&]{0,500})")
"""An error that an org shows in a page or in text, where it cannot send it to a callback URL."""
_PAGE = 200_000
"""Characters of a page that are looked through."""


class Flows:
    """Token, authorize and revoke endpoint of one org."""

    def __init__(self, session: OrgSession, rest: Rest, patience: Patience) -> None:
        self._session, self._rest, self._patience = session, rest, patience
        self._usernames: dict[str, str] = {}

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        """What the token endpoint answers to these parameters. Raises UnreachableError.

        A refresh token is sent once: where tokens rotate, a second try of what was only lost on the way is refused.
        """

        if form.get("grant_type") == "refresh_token":
            try:
                answer = self._post(TOKEN, form)
            except (requests.RequestException, BusyError) as lost:
                raise unreachable(self._session.origin, lost) from None
        else:
            answer = self._patience.insist(lambda: self._post(TOKEN, form), self._session.origin)
        return self._understood(answer)

    def _post(self, path: str, form: Mapping[str, str]) -> requests.Response:
        return not_busy(
            self._session.post(f"{self._session.origin}{path}", data=dict(form), headers={"Accept": "application/json"})
        )

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        """What the org tells a client about an access token; `inactive` if it tells nothing. Raises UnreachableError."""
        form = {**client, "token": tokens.access, "token_type_hint": "access_token"}
        answer = self._patience.insist(lambda: self._post(INTROSPECT, form), self._session.origin)
        found = told(answer.content)
        error = found.get("error")
        if isinstance(error, str) and error:
            return TokenAnswer(answer.status_code, error, str(found.get("error_description") or ""))
        if not isinstance(found.get("active"), bool):
            raise not_an_org(self._session.origin, b"")
        username = str(found.get("username") or "")
        return TokenAnswer(answer.status_code, "" if found["active"] else "inactive", username=username)

    def _understood(self, answer: requests.Response) -> TokenAnswer:
        found = told(answer.content)
        access = found.get("access_token")
        if answer.status_code < 300 and isinstance(access, str) and access:
            refresh = found.get("refresh_token")
            hold_tokens(found)
            tokens = Tokens(access, refresh if isinstance(refresh, str) else "")
            user_id = self._user_id(found)
            return TokenAnswer(
                answer.status_code,
                scopes=frozenset(str(found.get("scope") or "").split()),
                user_id=user_id,
                username=self._username(user_id),
                is_jwt=is_jwt(access),
                tokens=tokens,
            )
        error = found.get("error")
        if not isinstance(error, str) or not error:
            raise no_answer(self._session.origin, answer.content)
        return TokenAnswer(answer.status_code, error, str(found.get("error_description") or ""))

    def _user_id(self, found: Mapping[str, Any]) -> str:
        named = _WHO.search(str(found.get("id") or ""))
        return named[1] if named else ""

    def _username(self, user_id: str) -> str:
        """The username of the user of an id, asked with our own login; empty if that may not see it."""
        if user_id and user_id not in self._usernames:
            try:
                self._usernames[user_id] = self._rest.username(user_id)
            except (UnreachableError, RefusedError):
                raise
            except ReconcilerError:
                self._usernames[user_id] = ""
        return self._usernames.get(user_id, "")

    def revoke(self, tokens: Tokens) -> bool:
        """Give tokens back: the refresh token first, which ends its access tokens too. False if the org keeps one of them;
        what is dead already is refused, which is as good."""
        done = True
        for token in filter(None, (tokens.refresh, tokens.access)):
            try:
                answer = self._session.post(f"{self._session.origin}{REVOKE}", data={"token": token})
            except (requests.RequestException, ReconcilerError):
                # Whatever becomes of this one, the next is given back too.
                done = False
                continue
            done = done and (answer.status_code < 300 or answer.status_code == 400)
        return done

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        """What the authorize endpoint answers without a login. Raises UnreachableError."""

        url = f"{self._session.origin}{AUTHORIZE}"
        answer = self._patience.insist(lambda: not_busy(self._session.look(url, dict(params))), self._session.origin)
        for part in _parts(answer.headers.get("Location", "")):
            said = parse_qs(part)
            if "error" in said:
                return AuthorizeAnswer(answer.status_code, said["error"][0], said.get("error_description", [""])[0])
        shown = _ERROR.search(unescape(answer.text[:_PAGE]))
        if shown:
            return AuthorizeAnswer(answer.status_code, shown[1], unquote_plus(shown[2]))
        said_json = told(answer.content)
        if isinstance(said_json.get("error"), str):
            return AuthorizeAnswer(
                answer.status_code, said_json["error"], str(said_json.get("error_description") or "")
            )
        if answer.status_code >= 400:
            return AuthorizeAnswer(answer.status_code, f"http_{answer.status_code}")
        return AuthorizeAnswer(answer.status_code)


def _parts(location: str) -> tuple[str, ...]:
    """The parameters of a redirect: those of its query and of its fragment."""
    try:
        place = urlsplit(location)
    except ValueError:
        return ()
    return place.query, place.fragment
