"""The part `login:` of an org in the project file: which keys each way to log in has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import suggestion
from reconciler.project.section import Notes, Section, as_it_is
from reconciler.schema.values import SecretRef
from reconciler.yaml.events import RawPath

Login = Mapping[str, str | int | bool | SecretRef]


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to log in. Texts may be references to secrets too; secrets must be."""

    about: str
    texts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    """Texts that may be left out."""
    maybe_secrets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """True or false, or left out."""
    plain: tuple[str, ...] = ()
    """Texts that are no secrets: they are looked at before it is known where anything goes."""
    finds_org: bool = True
    """Whether it works without instance_url: the login itself tells which org it is for."""

    @property
    def needed(self) -> tuple[str, ...]:
        return (*self.texts, *self.secrets)

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.needed, *self.maybe, *self.maybe_secrets, *self.flags)

    def example(self, name: str) -> str:
        """Return an example of this way to log in, as it is written in the project file."""
        written = [f"{key}: …" for key in self.texts] + [f"{key}: {{secret: {{env: …}}}}" for key in self.secrets]
        return f"login: {{{', '.join([f'flow: {name}', *written])}}}"


FLOWS: Mapping[str, Flow] = {
    "token": Flow("an access token", secrets=("access_token",), finds_org=False),
    "sfdx_url": Flow("an SFDX auth URL", secrets=("auth_url",)),
    "sf": Flow("an org that the Salesforce CLI has logged in to", texts=("alias",), plain=("alias",)),
    "jwt": Flow(
        "JWT bearer",
        texts=("client_id", "username"),
        secrets=("private_key",),
        maybe=("audience",),
        flags=("sandbox",),
        plain=("audience",),
    ),
    "client_credentials": Flow("client credentials", texts=("client_id",), secrets=("client_secret",), finds_org=False),
    "password": Flow(
        "username and password",
        texts=("username",),
        secrets=("password",),
        maybe_secrets=("security_token",),
        flags=("sandbox",),
    ),
}
MOCK = Flow("a user of the mock org", maybe=("username",))


def finds_org(raw: Any) -> bool:
    """Whether an org with this `login:` may leave out instance_url."""
    flow = FLOWS.get(str(raw.get("flow"))) if isinstance(raw, dict) else None
    return flow is not None and flow.finds_org


def check(login: Mapping[str, Any], found: Login, at: RawPath, notes: Notes, *, mock: bool) -> None:
    """Note what is wrong with the keys of a login.

    `login` is what is written, `found` what could be read of it: of the rest it was noted already.
    """
    name = login.get("flow")
    if mock:
        flow, keys = MOCK, MOCK.keys
        what = "the login of a mock org"
    else:
        if name is None:
            notes(at, "login has no flow", f"add flow: {', '.join(FLOWS)}, as in {FLOWS['token'].example('token')}")
            return
        if not isinstance(name, str) or name not in FLOWS:
            notes((*at, "flow"), f"{name!r} is no way to log in", suggestion(str(name), FLOWS, every=True))
            return
        flow = FLOWS[name]
        keys, what = ("flow", *flow.keys), f"login by {name}"
    for key in Section(what, dict.fromkeys(keys, as_it_is)).known(found, at, notes):
        if (key in flow.flags) != isinstance(found[key], bool):
            form = "true or false" if key in flow.flags else "a text"
            notes(
                (*at, key), f"{key} must be {form}", f"write {key}: true" if key in flow.flags else "put it in quotes"
            )
        elif key in flow.plain and isinstance(found[key], SecretRef):
            notes((*at, key), f"{key} is no secret", "write it as a text")
        elif isinstance(found[key], str) and not str(found[key]).strip():
            notes((*at, key), f"{key} is empty", f"write it, as in {flow.example(str(name))}")
        elif key in (*flow.secrets, *flow.maybe_secrets) and not isinstance(found[key], SecretRef):
            notes((*at, key), f"{key} is a secret and cannot stand in a file", f"write {key}: {{secret: {{env: …}}}}")
    for key in flow.needed:
        if key not in login:
            notes(at, f"login: {key} is missing", f"write it, as in {flow.example(str(name))}")
