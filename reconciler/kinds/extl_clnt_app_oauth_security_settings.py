"""ExtlClntAppOauthSecuritySettings. Newer than Salesforce's WSDL v63; source: npm package `@salesforce/types` 1.9.0, whose
API version is not stated. Whether the API may create the record or only change what Setup made is not documented."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema.comparisons import IP
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Keyed, Means, Owner, Ref, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import String

T19 = "@salesforce/types 1.9.0"


class ExtlClntAppOauthSecurityTokenIpRange(Struct):
    """A range of addresses that refresh tokens may be used from."""

    description: Annotated[String | None, Since(64, T19)] = None
    endIpAddress: Annotated[String, Since(64, T19), IP]
    startIpAddress: Annotated[String, Since(64, T19), IP]


class ExtlClntAppOauthSecuritySettings(Kind):
    """Where an external client app's refresh tokens may be used from, and how its client proves itself by certificate."""

    folder: ClassVar[str] = "extlClntAppOauthSecuritySettings"
    suffix: ClassVar[str] = "ecaOauthSecurity"
    since: ClassVar[float] = 64
    source: ClassVar[str] = T19
    section: ClassVar[str] = "oauthSecuritySettings"
    record: ClassVar[str] = "{app}_oauthSecurity"
    appeared: ClassVar[str] = "Where refresh tokens work is now decided by a record that nobody reviewed here."
    gone: ClassVar[str] = "Refresh tokens of the app now work from everywhere, stolen ones too."

    externalClientApplication: Annotated[String, Since(64, T19), Ref("ExternalClientApplication"), Owner()]
    label: Annotated[String | None, Since(64, T19)] = None
    tlsClientAuthCertParamType: Annotated[
        Literal[
            "tls_client_auth_subject_dn",
            "tls_client_auth_san_dns",
            "tls_client_auth_san_uri",
            "tls_client_auth_san_ip",
            "tls_client_auth_san_email",
            "tls_client_auth_san_spiffe",
        ]
        | None,
        Since(64, T19),
    ] = None
    tlsClientAuthCertParamValue: Annotated[
        String | None,
        Since(64, T19),
        Weaker.when_changed(Severity.CRITICAL),
        Means("A client with another certificate is now taken for the app's, and the former one is refused."),
    ] = None
    tokenIpRanges: Annotated[
        list[ExtlClntAppOauthSecurityTokenIpRange] | None,
        Since(64, T19),
        Keyed(("startIpAddress", "endIpAddress")),
        Weaker.when_wider(Severity.HIGH),
        Means(
            "Refresh tokens now work at more addresses, stolen ones too.",
            "Refresh tokens that are used outside the listed addresses are refused from now on.",
        ),
    ] = None
