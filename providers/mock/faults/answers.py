"""Faults whose answer is wrong: gateways, web pages, broken documents, refusals."""

from __future__ import annotations

import json
import re
from typing import Annotated

from providers.mock.faults.calls import Answer, Call, Missed, page
from providers.mock.faults.kinds import Between, OneOf, fault

_GATEWAY, _DOCUMENT, _REFUSAL = "What stands in front of the org", "The document", "Refusals"
_PAGE = """<!DOCTYPE html>
<html><head><title>{title}</title></head>
<body><h1>{title}</h1><p>This page comes from a mock org that was told to fail.</p></body></html>
"""


@fault(_GATEWAY)
def status(
    call: Call,
    *,
    code: Annotated[int, Between(400, 599)] = 503,
    retry_after: Annotated[int | None, Between(0, 86400)] = None,
    done: bool = False,
) -> Answer:
    """An HTTP status with a page in HTML, as gateways send it: 429, 502, 503, 504. With `done` the org has done it."""
    if done:
        call.answer()
    answer = page(code, _PAGE.format(title=f"Error {code}").encode(), "text/html; charset=UTF-8")
    if retry_after is None:
        return answer
    return Answer(answer.line, (*answer.headers, ("Retry-After", str(retry_after))), answer.body)


@fault(_GATEWAY)
def html_page(call: Call, *, done: bool = False) -> Answer:
    """Status 200 and a page in HTML: a login or maintenance page. With `done` the org has done what was asked."""
    if done:
        call.answer()
    return page(200, _PAGE.format(title="Down for maintenance").encode(), "text/html; charset=UTF-8")


@fault(_DOCUMENT)
def truncated(call: Call) -> Answer:
    """The org does it and HTTP is in order, but only half of the document is there."""
    answer = call.answer()
    return answer.having(answer.content[: len(answer.content) // 2])


@fault(_DOCUMENT)
def malformed(call: Call) -> Answer:
    """The org does it, and its answer is whole but neither well-formed XML nor JSON."""
    answer = call.answer()
    if answer.is_xml:
        return answer.having(answer.content.replace(b"</", b"</broken", 1))
    return answer.having(answer.content.replace(b":", b"=", 1) + b"]}")


@fault(_DOCUMENT)
def wrong_encoding(call: Call, *, sent: Annotated[str, OneOf(("latin-1", "utf-16"))] = "latin-1") -> Answer:
    """The org does it; its answer says UTF-8 and is in another encoding. In Latin-1 it holds a letter that shows it."""
    answer = call.answer()
    if answer.is_xml:
        # Before the last end tag a comment harms no one who can read it.
        text = "<!-- \N{LATIN SMALL LETTER E WITH ACUTE} --></".join(answer.content.decode().rsplit("</", 1))
    else:
        try:
            value = json.loads(answer.content)
        except ValueError:
            raise Missed(answer) from None
        text = json.dumps(value, ensure_ascii=False)
        if text.isascii() and sent == "latin-1":
            text = re.sub(
                r'"((?:[^"\\]|\\.)*)"(?=\s*[,}\]])', '"\\1\N{LATIN SMALL LETTER E WITH ACUTE}"', text, count=1
            )
    return answer.having(text.encode(sent, "xmlcharrefreplace"))


_TEXTS = {
    "INVALID_SESSION_ID": "Session expired or invalid",
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record",
    "UNKNOWN_EXCEPTION": "An unexpected error occurred. Please include this ErrorId if you contact support: 0-0 (0)",
}
_NO_SESSION = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key"


@fault(_REFUSAL)
def refused(
    call: Call,
    *,
    code: str = "UNKNOWN_EXCEPTION",
    text: str = "",
    status: Annotated[int, Between(0, 599)] = 0,
    done: bool = False,
) -> Answer:
    """The org refuses by `code`: a SOAP fault, REST's array or OAuth's error, as the call has it. Without `text` it says
    what Salesforce says, as far as public reports quote it; without `status` the usual one. INVALID_SESSION_ID,
    REQUEST_LIMIT_EXCEEDED, UNABLE_TO_LOCK_ROW, SERVER_UNAVAILABLE, invalid_client_id, … With `done` it has done it.
    """
    if done:
        call.answer()
    usual = (
        _NO_SESSION if call.is_soap and code == "INVALID_SESSION_ID" else _TEXTS.get(code, "the mock org was told so")
    )
    return call.refusal(code, text or usual, status)


@fault(_REFUSAL)
def dead_session(call: Call) -> Answer:
    """The sessions of the user who calls end just before the call, which the org then refuses with INVALID_SESSION_ID,
    as it does every later one with an old token. A new login works, and so do refresh tokens.
    """
    if not call.end_sessions():
        raise Missed(call.answer())
    return call.answer()


@fault(_REFUSAL)
def jwt_refused(call: Call) -> Answer:
    """SOAP refuses the token for being a JWT, whatever it is. REST goes on as it was."""
    if not call.is_soap:
        raise Missed(call.answer())
    return call.refusal("INVALID_SESSION_ID", "SOAP API does not support JWT-based access tokens")
