"""What a configuration promises of token introspection: an app gets answers about its own tokens only.

Source: Salesforce Help, "Enable OAuth Settings for API Integration", step 15; "OpenID Connect Token Introspection"
(https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oidc_token_introspection_endpoint.htm).
"""

from collections.abc import Iterator

from reconciler.schema.severity import Severity
from reconciler.verify.probe import AnothersToken, Flow, Probe, Refused
from reconciler.verify.subject import Subject
from reconciler.world.apps import INTROSPECT_ALL

INACTIVE = "inactive"
"""What an answer that tells nothing about a token counts as: no error of Salesforce's, but as good as one."""


def introspection(of: Subject) -> Iterator[Probe]:
    """Yield the probe that the app learns nothing about a token of another app."""
    if of.says(INTROSPECT_ALL) is False and of.off is None:
        yield of.probe(
            Flow.INTROSPECTION,
            "introspection.anothers",
            "of a token of another app",
            Refused(frozenset({INACTIVE, "invalid_token"})),
            {**of.credentials(), "token": AnothersToken()},
            "isIntrospectAllTokens is false",
            Severity.HIGH,
            INTROSPECT_ALL,
        )
