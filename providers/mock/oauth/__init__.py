"""The OAuth runtime: flows that really run on the org's stored configuration.

`endpoint` takes a token request and hands it to its flow: `exchange`, `client_credentials`, `jwt_bearer`, `refresh`,
`web_server` (which also answers authorize), `password`. A flow finds its `apps`, asks `admission` whether the user may
use the app, `scopes` what the app may ask for, and gets its `tokens`. `identity_provider` issues and checks the tokens
that are exchanged, and `handler_rule` is what stands in for Apex. `openid` tells who someone is; `revoke` and `introspect` are
what they are called.

Sources that comments name in short, all under help.salesforce.com: "flow errors" is remoteaccess_oauth_flow_errors,
"introspection" is remoteaccess_oidc_token_introspection_endpoint, "scopes" is remoteaccess_oauth_tokens_scopes, "token
exchange" is remoteaccess_token_exchange_configure. "S000" to "S004" are those of docs/semantics.md (Requirement documents).
Where no source quotes Salesforce's sentence, the comment says that it is ours.
"""
