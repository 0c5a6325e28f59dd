"""Fills in what the project file reads from the environment, and keeps it out of what is shown."""

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.errors import ReconcilerError, suggestion
from reconciler.project.org import Org
from reconciler.redaction import Redaction
from reconciler.yaml.events import RawPath

TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
ENV = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?/?")


def org_id_problem(text: str) -> str | None:
    """Why this cannot be the id of an org, or `None`. The last three of 18 characters are a checksum of the case of the
    others (https://help.salesforce.com/s/articleView?id=000385585)."""
    if not re.fullmatch(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", text):
        return "an org id has 15 or 18 letters and digits and starts with 00D"
    if len(text) == 18 and text[15:].upper() != _checksum(text[:15]):
        return "its last three characters do not fit the others; a letter's case may have been lost"
    return None


def _checksum(id15: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(alphabet[sum(1 << bit for bit, c in enumerate(part) if c.isupper())] for part in parts)


_HARMLESS = re.compile(
    r"https://[A-Za-z0-9.-]+\.(salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)/?|http://(localhost|127\.0\.0\.1|\[::1\])"
    r"(:[0-9]{1,5})?/?|00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?"
)
"""What may be shown although it was read from the environment: it cannot be anything but the place or the id of an org."""


def as_written(org: Org, text: str) -> str:
    """Return a text with values from the environment replaced by what the project file has, `${env.NAME}`.

    A project file may name any variable, so what a refusal quotes may be any secret of the machine that runs us.
    """
    for value, written in org.filled.items():
        if not _HARMLESS.fullmatch(value):
            known = Redaction()
            for spelled in {value, value.lower()}:
                known.hold(spelled)
            text = known.redacted(text, written)
    return text


def as_written_error(org: Org, error: ReconcilerError) -> ReconcilerError:
    """Return the error with `as_written` applied to its texts. Its places quote the file, where nothing is filled in."""
    error.complaints = tuple(
        replace(
            one,
            message=as_written(org, one.message),
            mend=as_written(org, one.mend),
            quote=as_written(org, one.quote),
        )
        for one in error.complaints
    )
    error.args = ("; ".join(one.message for one in error.complaints),)
    return error


class Filling:
    """Fills in what one org reads from the environment, and looks at the values that may come from there."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.wrong: list[tuple[RawPath, str, str]] = []
        self.filled: dict[str, str] = {}

    def org(self, org: Org) -> Org:
        filled = replace(
            org,
            instance_url=self.text(org.instance_url, ("instance_url",)).rstrip("/"),
            org_id=self.text(org.org_id, ("org_id",)),
            login={
                key: self.text(value, ("login", key)) if isinstance(value, str) else value
                for key, value in org.login.items()
            },
            variables={name: self.text(value, ("variables", name)) for name, value in org.variables.items()},
        )
        if not self.wrong:
            self.wrong += value_problems(filled)
        return replace(filled, filled=self.filled)

    def text(self, text: str, path: RawPath) -> str:
        return TOKEN.sub(lambda token: self._token(token, path), text)

    def _token(self, token: re.Match[str], path: RawPath) -> str:
        if token[0] == "$${":
            return "${"
        name = ENV.fullmatch(token[1] or "")
        if name is None:
            return token[0]
        value = self._environment.get(name[1])
        if value is None:
            near = suggestion(name[1], self._environment)
            mend = f"set it where this runs{f'; {near}' if near else ''}"
            self.wrong.append((path, f"the environment variable {name[1]} is not set", mend))
            return ""
        if not value.strip():
            # So arrives what a pipeline does not define: an org_id without text would be no pin at all.
            mend = "set it where this runs" if path[0] != "variables" else 'set it where this runs, or write "" here'
            self.wrong.append((path, f"the environment variable {name[1]} is empty", mend))
            return ""
        # As for secrets: `gh secret set` on Windows, or `echo … |`, leaves a line break at the end.
        value = value.removesuffix("\n").removesuffix("\r")
        if path[0] != "variables":
            self.filled[value] = token[0]
        return value


def value_problems(org: Org) -> list[tuple[RawPath, str, str]]:
    """What is wrong with the values of one org; those that are still to be filled in are left out."""
    found: list[tuple[RawPath, str, str]] = []
    if org.instance_url and "${" not in org.instance_url and not _URL.fullmatch(org.instance_url):
        found.append(
            (
                ("instance_url",),
                "this is not the address of an org",
                "write https:// and the host, without a path (http:// only for this machine)",
            )
        )
    if org.org_id and "${" not in org.org_id and (problem := org_id_problem(org.org_id)) is not None:
        # Without the value, which may be any variable of the environment.
        found.append((("org_id",), f"this is not the id of an org: {problem}", "it is shown in Setup"))
    return found
