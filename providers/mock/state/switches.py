"""Documented or disputed behaviours of Salesforce that a test or a demo can choose."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from providers.mock.catalog import AFTER_63, BY_NAME
from providers.mock.columns import TABLES
from providers.mock.state.errors import MockOrgError

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "certificate_readback": ("returned", "omitted"),
    "certificate_omitted_on_update": ("wiped", "kept"),
    "profile_locale": ("en_US", "ja", "nl_NL"),
}


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches of one org. Each is kept in the org's file, so that every process sees it. Salesforce's default comes first.

    allow_connected_app_creation       Spring '26 refuses new connected apps; Support or a package may still bring them
    certificate_readback               whether a retrieve gives `certificate` back: reports disagree
    certificate_omitted_on_update      "wiped": leaving `certificate` out clears it and locks JWT clients out (a report)
    pkce_forced_on_eca                 an external client app's `isPkceRequired` is true whatever is sent (reports)
    contact_email_required             an external client app needs `contactEmail`, which no schema says (a report)
    consumer_secret_api_access         `enableConsumerSecretApiAccess` may give secrets back; off since it is deprecated
    client_credentials_user_api_only   the run-as user must be an API Only user: the guide says so, no report confirms
    enablement_requires_flow           an app must be configured for token exchange before a handler takes it
    security_settings_creatable        the API may create ExtlClntAppOauthSecuritySettings: disputed
    unreadable_kinds                   types for which retrieve and list say INSUFFICIENT_ACCESS
    unreadable_objects                 sObjects that queries do not know, as for a user without permission for them
    daily_api_requests                 how many API requests a day may have before REQUEST_LIMIT_EXCEEDED
    query_page                         how many rows a query answers at a time
    soap_login_enabled                 SOAP login() works (API versions up to 64); new orgs have it off
    deploy_polls, retrieve_polls       how many status calls find the job unfinished
    profile_locale                     the language profiles are named in: en_US, ja, nl_NL
    rest_deploy_refused, soap_deploy_refused   one of the two ways to deploy is closed
    propagation_seconds                how long a new or changed app is not yet known to the token endpoint (reports: minutes)
    propagation_calls                  the same, counted in token requests instead of time
    token_exchange_policy_enforced     an external client app's policy must allow token exchange too: no source says it for them
    token_exchange_needs_preauthorization   an app that lets users authorize themselves exchanges nothing (the guides)
    token_handler_by_class_name        `token_handler` may also be the handler's Apex class: pages disagree
    scope_parameter_refused            only authorize and token exchange take `scope`, the other grants refuse it (reports)
    security_token_required            a password needs the security token behind it, as from an address that is not trusted
    my_domain_audience_in_sandbox      JWT bearer in a sandbox takes the org's own URL as audience: reports disagree
    identity_scope_required            userinfo and the identity URL need one of id, openid, full
    jwt_tokens                         access tokens are JWTs, which SOAP refuses and REST takes
    audit_names_fields                 entries of the audit trail say which fields changed: their wording is not documented
    after_63_since                     the API version in which additions begin that are only known to be newer than 63
    """

    allow_connected_app_creation: bool = False
    certificate_readback: str = "returned"
    certificate_omitted_on_update: str = "wiped"
    pkce_forced_on_eca: bool = True
    contact_email_required: bool = True
    consumer_secret_api_access: bool = False
    client_credentials_user_api_only: bool = False
    enablement_requires_flow: bool = False
    security_settings_creatable: bool = True
    unreadable_kinds: frozenset[str] = frozenset()
    unreadable_objects: frozenset[str] = frozenset()
    daily_api_requests: int = 15_000
    query_page: int = 2000
    soap_login_enabled: bool = True
    deploy_polls: int = 0
    retrieve_polls: int = 0
    profile_locale: str = "en_US"
    rest_deploy_refused: bool = False
    soap_deploy_refused: bool = False
    propagation_seconds: int = 0
    propagation_calls: int = 0
    token_exchange_policy_enforced: bool = True
    token_exchange_needs_preauthorization: bool = True
    token_handler_by_class_name: bool = False
    scope_parameter_refused: bool = True
    security_token_required: bool = True
    my_domain_audience_in_sandbox: bool = False
    identity_scope_required: bool = False
    jwt_tokens: bool = False
    audit_names_fields: bool = False
    after_63_since: int = AFTER_63

    def having(self, name: str, value: object) -> Switches:
        """Return these switches with one changed; raises `MockOrgError` for an unknown name or value."""
        known = {one.name: one for one in dataclasses.fields(self)}
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
            raise MockOrgError(f"no switch is called {name}{hint}")
        changed: dict[str, Any] = {name: _value(name, type(getattr(self, name)), value)}
        return dataclasses.replace(self, **changed)

    def dump(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True, default=sorted)

    @classmethod
    def load(cls, text: str) -> Switches:
        return _loaded(text)


# Every transaction reads them, and they rarely change.
@lru_cache(maxsize=16)
def _loaded(text: str) -> Switches:
    values: dict[str, Any] = json.loads(text)
    sets = {name: frozenset(each) for name, each in values.items() if isinstance(each, list)}
    return Switches(**{**values, **sets})


def _value(name: str, wanted: type, value: object) -> object:
    if wanted is frozenset:
        names = frozenset(
            [value] if isinstance(value, str) else value if isinstance(value, (set, frozenset, list, tuple)) else ()
        )
        what, known = _named(name)
        unknown = sorted(str(each) for each in names if each not in known)
        if unknown:
            raise MockOrgError(f"{name} takes {what}; {unknown[0]} is none of {', '.join(known)}")
        return names
    if type(value) is not wanted or (wanted is int and isinstance(value, int) and value < 0):
        raise MockOrgError(f"switch {name} takes a {wanted.__name__}, not {value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise MockOrgError(f"switch {name} is one of {', '.join(_CHOICES[name])}, not {value!r}")
    return value


def _named(switch: str) -> tuple[str, Collection[str]]:
    if switch == "unreadable_kinds":
        return "metadata types", BY_NAME
    return "sObjects", TABLES
