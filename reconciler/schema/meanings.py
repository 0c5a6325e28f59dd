"""What a change of a field means for the clients and users of an app, for fields that several kinds share."""

from reconciler.schema.marks import Means

# --- who may use an app, and what for --------------------------------------------------------------------------------

PERMITTED_USERS = Means(
    "Every user of the org can now let the app in by themselves, without an admin's approval.",
    "Users whom no admin has pre-authorized can no longer use the app.",
)
PREAUTHORIZED = Means(
    "More users than before are now let into the app without being asked.",
    "Users who had access through what was taken out can no longer use the app.",
)
SCOPES = Means(
    "Tokens of the app now open more of Salesforce than before.",
    "Clients that need a scope that was taken out are refused from now on.",
)
CUSTOM_SCOPES = Means(
    "Tokens of the app can now carry a further custom scope, and APIs outside Salesforce that ask for it let them in.",
    "APIs outside Salesforce that ask for the custom scope that was taken out refuse the app's tokens from now on.",
)
INTROSPECTION = Means(
    "The app can now look into the tokens of every other app in the org.",
    "The app can no longer check tokens of other apps.",
)

# --- where logins end up, and what clients have to prove -------------------------------------------------------------

CALLBACK_URL = Means(
    "Salesforce now sends login codes to a further address: whoever controls it can get in as a user of the app.",
    "Logins that return to the address that was taken out fail from now on.",
)
SECRET_FOR_TOKEN_EXCHANGE = Means(
    "Anybody who learns the client id can now exchange tokens without the secret.",
    "Clients that exchange tokens without the secret are refused from now on.",
)
SECRET_FOR_REFRESH = Means(
    "A stolen refresh token now works without the app's secret.",
    "Clients that refresh their tokens without the secret are refused from now on.",
)
SECRET_OPTIONAL = Means(
    "Anybody who learns the client id can now log users in without the secret.",
    "Clients that send no secret are refused from now on.",
)
PKCE = Means(
    "An intercepted login code can now be redeemed by somebody else than the client that asked for it.",
    "Clients that do not use PKCE can no longer log users in.",
)
CERTIFICATE = Means(
    "Clients that sign with the former key are locked out, and whoever holds the key of the present certificate gets in.",
)
CONSUMER_KEY = Means("The app has another client id: clients that use the former one get invalid_client_id.")
DPOP = Means(
    "A stolen token now works for anybody: clients no longer prove that it is theirs.",
    "Clients that cannot prove with DPoP that a token is theirs are refused from now on.",
)
MUTUAL_TLS = Means(
    "Clients no longer have to show their certificate.",
    "Clients that show no certificate are refused from now on.",
)
IP_BINDING = Means(
    "A stolen token now works from other addresses than the one it was issued to.",
    "Tokens that are used from another address than the one they were issued to are refused from now on.",
)

# --- flows -----------------------------------------------------------------------------------------------------------

TOKEN_EXCHANGE = Means(
    "Clients of the app are now allowed to exchange tokens of other issuers for Salesforce tokens.",
    "Clients that exchange tokens of other issuers get no Salesforce token from now on.",
)
CLIENT_CREDENTIALS = Means(
    "Whoever knows the app's key and secret is now allowed to get a token without any user logging in.",
    "Clients that log in with key and secret alone are refused from now on.",
)
CLIENT_CREDENTIALS_USER = Means(
    "Clients that log in with key and secret alone now act as another user, with all that this user may do.",
)
DEVICE_FLOW = Means(
    "Users can now be talked into letting a stranger's device in: the app takes logins by device code.",
    "Devices that log in by code are refused from now on.",
)
CODE_CREDENTIALS = Means(
    "Clients may now ask users for their Salesforce password on pages of their own.",
    "Clients that log users in on pages of their own are refused from now on.",
)
NAMED_USER_JWT = Means(
    "The app may now issue access tokens as JWTs: whoever gets hold of one can read it, and SOAP calls refuse it.",
    "Clients that rely on JWT access tokens get opaque ones from now on.",
)

# --- how long tokens and sessions live, and from where they work -----------------------------------------------------

REFRESH_TOKEN_LIFETIME = Means(
    "Refresh tokens of the app now work for longer, stolen ones too.",
    "Users have to log in again sooner, and clients that run unattended may lose access.",
)
REFRESH_TOKEN_ROTATION = Means(
    "A stolen refresh token stays good: using it no longer replaces it.",
    "Clients that keep their first refresh token instead of the latest one lose access.",
)
REFRESH_TOKEN_LIMIT = Means(
    "A refresh token that nobody uses any more is no longer made to expire, and stays worth stealing.",
    "Clients that use their refresh tokens rarely have to log in again.",
)
SESSION_TIMEOUT = Means(
    "Sessions of the app now last longer, also on a device that was left open or stolen.",
    "Users of the app are logged out sooner than before.",
)
JWT_TIMEOUT = Means(
    "Access tokens of the app now work for longer, stolen ones too.",
    "Access tokens of the app expire sooner: clients have to ask for new ones more often.",
)
ID_TOKEN_VALIDITY = Means(
    "ID tokens of the app are now good for longer, stolen ones too.",
    "ID tokens of the app expire sooner: services that check them late refuse them.",
)
ASSET_TOKEN_VALIDITY = Means(
    "Asset tokens of connected devices now work for longer, stolen ones too.",
    "Connected devices have to renew their asset tokens sooner.",
)
SESSION_LEVEL = Means(
    "Users can now use the app with a weaker login than before.",
    "Users without the stronger login that is now asked for can no longer use the app.",
)
POLICY_ACTION = Means(
    "Users whose login is too weak are no longer blocked or asked for a stronger one.",
    "Users whose login is too weak are now blocked or asked for a stronger one.",
)
IP_RELAXATION = Means(
    "Users can now get into the app from addresses that were refused or challenged before.",
    "Users outside the trusted addresses are refused or challenged from now on.",
)
IP_RANGES = Means(
    "The app is now trusted at addresses where it was not before.",
    "Users and clients at addresses that are no longer in the list may be refused from now on.",
)

# --- code that decides -----------------------------------------------------------------------------------------------

LOGIN_CODE = Means("Other code than before now decides how users get into the app.")
LOGIN_CODE_USER = Means(
    "The code that lets users into the app now runs as another user, with all that this user may do."
)
