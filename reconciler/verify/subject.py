"""One app as a probe sees it: what the files say of it, what the org holds, what is given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from reconciler.kinds import ENABLEMENT, HANDLER
from reconciler.model.address import Address
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path, SecretRef
from reconciler.verify.inputs import Given
from reconciler.verify.probe import Flow, Granted, Part, Probe, Refused, Secret
from reconciler.world.apps import (
    CONSUMER_KEY,
    GLOBAL,
    NAMED_USER_JWT,
    POLICY,
    REFRESH_POLICY,
    SCOPES,
    TOKEN_EXCHANGE,
    App,
    Setting,
)
from reconciler.world.world import UNKNOWN, Enablement

CONSUMER_SECRET = Setting("oauthConfig.consumerSecret", GLOBAL, "consumerSecret")

# What Salesforce answers is listed in Salesforce Help, "OAuth 2.0 Authorization Errors"
# (https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm), and not which refusal brings
# which error. What was seen of it: `invalid_grant` for most things, `invalid_app_access` for users who are not approved
# (https://github.com/forcedotcom/cli/issues/3260). So each set is wide, and leaves out what would prove nothing.
GRANT = frozenset(
    {"invalid_grant", "invalid_request", "invalid_token", "unauthorized_client", "access_denied"}
    | {"unsupported_grant_type", "unsupported_token_type", "invalid_target"}
)
"""The subject token, the handler, the refresh token or the flow is refused."""
SECRET = frozenset({"invalid_client", "invalid_client_credentials", "invalid_request", "invalid_grant"})
"""The client did not show who it is."""
PAST_THE_FLOW = frozenset({"invalid_app_access", "OAUTH_APP_ACCESS_DENIED"})
"""No one is refused for not being approved before the flow has found out which user it is."""
SCOPE = frozenset({"invalid_scope", "invalid_request"})
USER = GRANT | PAST_THE_FLOW
"""The user may not use the app."""
NEVER_ASKED = "hasn't approved this consumer"
"""In the description of `invalid_grant`: the user has not let the app in yet, which an app that is open to all users waits
for too (https://help.salesforce.com/s/articleView?id=001121341), and an org says it of a user whom it does not have."""
APP_OFF = GRANT | {"invalid_client_id", "invalid_client", "invalid_app_access", "OAUTH_APP_BLOCKED", "app_blocked"}
"""There is no such app any more. What a wrong secret brings is among them: an app that is off has no secret to be right."""


@dataclass(frozen=True)
class Subject:
    """An app whose promises are wanted."""

    app: App
    """As the files declare it. What they do not say is UNKNOWN."""
    live: App
    """As the org has it."""
    given: Given

    # -- who it is ----------------------------------------------------------------------------------------------------

    @cached_property
    def consumer_key(self) -> str:
        """The app's consumer key; empty if the org does not tell."""
        value = self.live.value(CONSUMER_KEY)
        return value if isinstance(value, str) else ""

    @cached_property
    def blocked(self) -> str:
        """Return why no call can be made for the app at all; empty if calls can be made."""
        if self.consumer_key:
            return ""
        address = self.live.spot(CONSUMER_KEY).address
        reason = self.live.world.reason_unreadable(address)
        if reason is not None:
            return f"{address} could not be read: {reason}"
        return "the org does not have it" if self.live.world.has(address) is False else "the org tells no consumer key"

    @property
    def has_secret(self) -> bool:
        return "client_secret" in self.given.secrets

    def credentials(self, *, secret: bool = True) -> dict[str, Part]:
        """The parameters of a call that say which client asks: key and secret."""
        found: dict[str, Part] = {"client_id": self.consumer_key}
        return {**found, "client_secret": Secret("client_secret")} if secret else found

    # -- what the files say -------------------------------------------------------------------------------------------

    def says(self, setting: Setting) -> Any:
        """The declared value of a setting; UNKNOWN where the files say nothing."""
        return self.app.value(setting) if self.app.has(setting) else UNKNOWN

    def switched(self, *settings: Setting) -> bool | None:
        """Whether a flow is declared on, or off; `None` where no file says."""
        values = [self.says(setting) for setting in settings]
        if any(value is False for value in values):
            return False
        return True if any(value is True for value in values) else None

    def manages(self, setting: Setting) -> bool:
        """Whether the files have a say in the section that holds the setting: then nothing is in it unseen."""
        address, path = self.app.spot(setting)
        body = self.app.world.bodies.get(address)
        return body is not None and (len(path) == 1 or bool(body.get(path[0])))

    @cached_property
    def off(self) -> tuple[Address, Path] | None:
        """The switch that turns the whole app off, if the files have one there."""
        if not self.app.is_connected:
            for field in ("isEnabled", "isOauthPluginEnabled"):
                if self.app.value_of(POLICY, field) is False:
                    return Address(POLICY, self.app.name), (field,)
        return None

    @cached_property
    def scopes(self) -> frozenset[str] | None:
        """Return the scopes that the files declare; `None` where no file says."""
        value = self.says(SCOPES)
        return None if value is UNKNOWN or not isinstance(value, frozenset) else value

    @property
    def refreshable(self) -> bool | None:
        """Whether the declared scopes bring refresh tokens; `None` where no file says."""
        return None if self.scopes is None else not self.scopes.isdisjoint({"RefreshToken", "OfflineAccess"})

    @property
    def refresh_ends_at_once(self) -> bool:
        """Whether the declared policy is that refresh tokens expire immediately."""
        value = self.says(REFRESH_POLICY)
        return isinstance(value, str) and value.casefold() == "zero"

    @cached_property
    def granted(self) -> Granted:
        """The scopes that a token of the app may have, whatever the flow."""
        custom, known = self.app.custom_scopes, self.live.world.of_kind("OauthCustomScope")
        jwt = self.says(NAMED_USER_JWT)
        jwt = jwt if isinstance(jwt, bool) else None
        if self.scopes is None or custom is UNKNOWN:
            return Granted(scopes=self.scopes, jwt=jwt)
        return Granted(
            scopes=self.scopes,
            jwt=jwt,
            custom_scopes=frozenset(custom or ()),
            known_scopes=frozenset(address.name for address in known),
        )

    @cached_property
    def enablements(self) -> tuple[Enablement, ...]:
        """The enablements that the files declare for the app."""
        return self.app.world.enablements_of(self.app.address)

    # -- handlers -----------------------------------------------------------------------------------------------------

    @cached_property
    def handlers(self) -> tuple[str, ...]:
        """Names of all handlers, declared or in the org."""
        worlds = (self.app.world, self.live.world)
        return tuple(sorted({address.name for world in worlds for address in world.of_kind(HANDLER)}))

    def of_handler(self, name: str, field: str) -> Any:
        """A field of a handler: as the files have it, else as the org has it."""
        value = self.app.world.value(Address(HANDLER, name), (field,))
        return self.live.world.value(Address(HANDLER, name), (field,)) if value is UNKNOWN else value

    def handler_parameter(self, name: str) -> str:
        """What `token_handler` holds for a handler.

        Salesforce Help and the Object Reference disagree: the handler's name, or that of its Apex class
        (https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtokenexchhandlerapp.htm).
        """
        if self.given.text("token_handler") != "class":
            return name
        value = self.of_handler(name, "tokenHandlerApex")
        return value if isinstance(value, str) else name

    # -- probes -------------------------------------------------------------------------------------------------------

    def probe(
        self,
        flow: Flow,
        id: str,
        what: str,
        expects: Granted | Refused,
        form: Mapping[str, Part],
        because: str,
        severity: Severity,
        at: Setting | tuple[Address, Path],
        **more: Any,
    ) -> Probe:
        """A probe of the app. `at` is what promises it."""
        address, path = self.app.spot(at) if isinstance(at, Setting) else at
        more.setdefault("blocked", self.blocked)
        return Probe(
            self.app.address, flow, id, what, expects, form, because, severity, address=address, path=path, **more
        )

    def without(self, form: Mapping[str, Part], *names: str, **others: Part) -> dict[str, Part]:
        """Parameters of a call with some left out and some replaced."""
        return {name: part for name, part in {**form, **others}.items() if name not in names}


def enablement_address(handler: str, app: str) -> Address:
    return Address(HANDLER, handler, f"{ENABLEMENT}/{app}")


def with_declared_secret(app: App, given: Given) -> Given:
    """What is given, and the files' own reference to the consumer secret where the project gives no other."""
    declared = app.value(CONSUMER_SECRET)
    if "client_secret" in given.secrets or not isinstance(declared, SecretRef):
        return given
    return replace(given, secrets={**given.secrets, "client_secret": declared})


__all__ = ["TOKEN_EXCHANGE", "Subject", "enablement_address", "with_declared_secret"]
