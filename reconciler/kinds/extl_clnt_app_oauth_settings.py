"""ExtlClntAppOauthSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ExtlClntAppOauthSettings."""

from typing import Annotated, ClassVar

from reconciler.schema import meanings
from reconciler.schema.comparisons import IP, PERHAPS_CERTIFICATE, SCOPE
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Commas, Default, Keyed, OrgBound, Owner, Ref, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean, Int, String


class ExtlClntAppOauthSettingsAttribute(Struct):
    """A custom attribute that tokens carry."""

    formula: String
    key: String


class ExtlClntAppOauthIpRange(Struct):
    """A range of addresses that the app trusts."""

    description: String | None = None
    endIpAddress: Annotated[String, IP]
    startIpAddress: Annotated[String, IP]


class ExtlClntAppOauthSettings(Kind):
    """What an external client app may ask for: scopes, custom attributes, asset tokens, trusted addresses."""

    folder: ClassVar[str] = "extlClntAppOauthSettings"
    suffix: ClassVar[str] = "ecaOauth"
    since: ClassVar[float] = 59
    section: ClassVar[str] = "oauthSettings"
    record: ClassVar[str] = "{app}_oauth"
    appeared: ClassVar[str] = "The app's clients can now ask for scopes that nobody reviewed here."
    gone: ClassVar[str] = "The app has no scopes any more: its clients get no tokens."

    areAttributesIncludedInAssetToken: Annotated[Boolean | None, Since(61)] = None
    areCustomPermsIncludedInAssetToken: Annotated[Boolean | None, Since(61)] = None
    assetTokenAudiences: Annotated[String | None, Since(61)] = None
    assetTokenSigningCertificate: Annotated[String | None, Since(61), Ref("Certificate")] = None
    assetTokenValidity: Annotated[
        Int | None, Since(61), Weaker.when_longer(Severity.MEDIUM), meanings.ASSET_TOKEN_VALIDITY
    ] = None
    clientAssertionCertificate: Annotated[
        String | None, PERHAPS_CERTIFICATE, Weaker.when_changed(Severity.CRITICAL), meanings.CERTIFICATE
    ] = None
    commaSeparatedCustomScopes: Annotated[
        list[String] | None, Commas(), Ref("OauthCustomScope"), Weaker.when_added(Severity.HIGH), meanings.CUSTOM_SCOPES
    ] = None
    commaSeparatedOauthScopes: Annotated[
        list[String] | None,
        Commas(),
        SCOPE,
        Weaker.when_added(Severity.HIGH, {"Full": Severity.CRITICAL}),
        meanings.SCOPES,
    ] = None
    customAttributes: Annotated[list[ExtlClntAppOauthSettingsAttribute] | None, Keyed(("key",))] = None
    externalClientApplication: Annotated[String, Ref("ExternalClientApplication"), Owner()]
    isFirstPartyAppEnabled: Annotated[Boolean | None, Default(False)] = None
    label: String | None = None
    oauthLink: Annotated[String | None, OrgBound(prefixed=True)] = None
    singleLogoutUrl: String | None = None
    trustedIpRanges: Annotated[
        list[ExtlClntAppOauthIpRange] | None,
        Keyed(("startIpAddress", "endIpAddress")),
        Weaker.when_wider(Severity.HIGH),
        meanings.IP_RANGES,
    ] = None
