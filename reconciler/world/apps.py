"""Connected apps and external client apps side by side: where each keeps the same setting."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.model.address import Address
from reconciler.schema.body import entries
from reconciler.schema.paths import field_at, get
from reconciler.schema.values import Path

if TYPE_CHECKING:
    from reconciler.world.world import World

EXTERNAL = "ExternalClientApplication"
GLOBAL = "ExtlClntAppGlobalOauthSettings"
OAUTH = "ExtlClntAppOauthSettings"
OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies"
POLICY = "ExtlClntAppConfigurablePolicies"


class Setting(NamedTuple):
    """A setting that both sorts of apps have: its path in a connected app; its satellite and path in an external client app.

    Empty where that sort of app has no such setting.
    """

    connected: str
    kind: str = ""
    external: str = ""


class Spot(NamedTuple):
    """Where a value stands: an address and a path."""

    address: Address
    path: Path


REFRESH_POLICY = Setting("oauthPolicy.refreshTokenPolicy", OAUTH_POLICY, "refreshTokenPolicyType")
TOKEN_EXCHANGE = Setting("oauthConfig.isTokenExchangeEnabled", GLOBAL, "isTokenExchangeEnabled")
TOKEN_EXCHANGE_POLICY = Setting("oauthPolicy.isTokenExchangeFlowEnabled", OAUTH_POLICY, "isTokenExchangeFlowEnabled")
TOKEN_EXCHANGE_SECRET = Setting(
    "oauthConfig.isSecretRequiredForTokenExchange", GLOBAL, "isSecretRequiredForTokenExchange"
)
REFRESH_SECRET = Setting("oauthConfig.isSecretRequiredForRefreshToken", GLOBAL, "isSecretRequiredForRefreshToken")
SECRET_OPTIONAL = Setting("oauthConfig.isConsumerSecretOptional", GLOBAL, "isConsumerSecretOptional")
PKCE = Setting("oauthConfig.isPkceRequired", GLOBAL, "isPkceRequired")
ROTATION = Setting("oauthConfig.isRefreshTokenRotationEnabled", GLOBAL, "isRefreshTokenRotationEnabled")
INTROSPECT_ALL = Setting("oauthConfig.isIntrospectAllTokens", GLOBAL, "isIntrospectAllTokens")
CLIENT_CREDENTIALS = Setting("oauthConfig.isClientCredentialEnabled", GLOBAL, "isClientCredentialsFlowEnabled")
CLIENT_CREDENTIALS_POLICY = Setting("", OAUTH_POLICY, "isClientCredentialsFlowEnabled")
CLIENT_CREDENTIALS_USER = Setting("oauthConfig.oauthClientCredentialUser", OAUTH_POLICY, "clientCredentialsFlowUser")
CODE_CREDENTIALS = Setting("oauthConfig.isCodeCredentialEnabled", GLOBAL, "isCodeCredFlowEnabled")
DEVICE_FLOW = Setting("oauthConfig.isDeviceFlowEnabled", GLOBAL, "isDeviceFlowEnabled")
NAMED_USER_JWT = Setting("oauthConfig.isNamedUserJwtEnabled", GLOBAL, "isNamedUserJwtEnabled")
CALLBACKS = Setting("oauthConfig.callbackUrl", GLOBAL, "callbackUrl")
CERTIFICATE = Setting("oauthConfig.certificate", GLOBAL, "certificate")
CONSUMER_KEY = Setting("oauthConfig.consumerKey", GLOBAL, "consumerKey")
ID_TOKEN = Setting("oauthConfig.idTokenConfig", GLOBAL, "idTokenConfig")
SCOPES = Setting("oauthConfig.scopes", OAUTH, "commaSeparatedOauthScopes")
CUSTOM_SCOPES = Setting("", OAUTH, "commaSeparatedCustomScopes")
SINGLE_LOGOUT = Setting("oauthConfig.singleLogoutUrl", OAUTH, "singleLogoutUrl")
PERMISSION_SETS = Setting("permissionSetName", OAUTH_POLICY, "commaSeparatedPermissionSet")
PROFILES = Setting("profileName", OAUTH_POLICY, "commaSeparatedProfile")
PERMITTED_USERS = Setting("oauthConfig.isAdminApproved", OAUTH_POLICY, "permittedUsersPolicyType")
ADMIN_APPROVED = (True, "AdminApprovedPreAuthorized")
"""The value of `PERMITTED_USERS`, for each sort of app, when only those may use it whom an admin has approved."""
IP_RELAXATION = Setting("oauthPolicy.ipRelaxation", OAUTH_POLICY, "ipRelaxationPolicyType")


@dataclass(frozen=True)
class App:
    """A connected app or an external client app, looked at alike."""

    world: "World"
    address: Address

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def is_connected(self) -> bool:
        return self.address.kind == "ConnectedApp"

    def has(self, setting: Setting) -> bool:
        """Whether this kind of app (connected or external) has the setting at all."""
        return bool(setting.connected if self.is_connected else setting.external)

    def spot(self, setting: Setting) -> Spot:
        """Where this app keeps a setting."""
        if self.is_connected:
            return Spot(self.address, tuple(setting.connected.split(".")))
        return Spot(Address(setting.kind, self.name), tuple(setting.external.split(".")))

    def value(self, setting: Setting) -> Any:
        """Return the setting's value in canonical form; `None` where there is nothing, UNKNOWN where it is not known."""
        return self.world.value(*self.spot(setting)) if self.has(setting) else None

    def records(self, *settings: Setting, but: Address) -> tuple[Address, ...]:
        """The records that hold these settings, without one of them."""
        found = dict.fromkeys(self.spot(setting).address for setting in settings if self.has(setting))
        return tuple(address for address in found if address != but)

    def write(self, setting: Setting, value: str) -> str:
        """What to write in a file, and where: `"isPkceRequired: true under oauthConfig"`."""
        address, path = self.spot(setting)
        section = ".".join(path[:-1]) or address.schema.section
        return f"{path[-1]}: {value}" + (f" under {section}" if section else "")

    @cached_property
    def exchanges_tokens(self) -> bool | None:
        """Whether the app promises the token exchange flow: a handler is enabled for it, or one of the two switches is
        on. `None` where that is not known."""
        if self.world.enablements_of(self.address):
            return True
        switches = (self.value(TOKEN_EXCHANGE), self.value(TOKEN_EXCHANGE_POLICY))
        if True in switches:
            return True
        return False if False in switches or None in switches else None

    @property
    def custom_scopes(self) -> Any:
        """Return the names of the app's custom scopes, if any; UNKNOWN where they are not known.

        Custom scopes name the connected apps that have them; an external client app names its own scopes.
        """
        if not self.is_connected:
            return self.value(CUSTOM_SCOPES)
        scopes = self.world.of_kind("OauthCustomScope")
        name = self.name.casefold()
        assigned = {one: self.world.body(one).get("assignedTo", ()) for one in scopes}
        found = [one.name for one, apps in assigned.items() if name in map(str.casefold, apps)]
        other = self.world.has(Address("OauthCustomScope", ""))
        return found or (None if other is False else other)

    def satellite(self, kind: str) -> Address:
        """The address of one of its records: the app itself for a connected app, which is one record."""
        return self.address if self.is_connected else Address(kind, self.name)

    def value_of(self, kind: str, *path: str) -> Any:
        """A field of an external client app's satellite (or of the app itself)."""
        return self.world.value(self.satellite(kind), path)

    def written(self, setting: Setting) -> list[str]:
        """The entries of a set as they were written: repetitions and letter case are still there."""
        if not self.has(setting):
            return []
        address, path = self.spot(setting)
        value = get(address.struct, self.world.bodies.get(address, {}), path)
        return entries(list(field_at(address.struct, path))[-1], value) if value else []

    def elsewhere(self, setting: Setting, *others: Setting) -> tuple[Address, ...]:
        """The other records that a verdict on a setting depends on: a change there may have brought it about."""
        here = self.spot(setting).address
        return tuple(dict.fromkeys(one for other in others if (one := self.spot(other).address) != here))
