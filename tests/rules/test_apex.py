"""The rules about handler classes: what they find, what they leave alone, and what they do not pretend to know."""

from datetime import date
from pathlib import Path

import pytest

from reconciler.apex.code import MOST
from reconciler.model.address import Address
from reconciler.model.finding import Finding, Unchecked
from reconciler.rules import all_rules, judge
from reconciler.rules.examples import HANDLER_CLASS
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body
from reconciler.world.world import World

RULES = [rule for id, rule in all_rules().items() if id.startswith("AX") or id in ("TX12", "TX16")]
HEURISTICS = [id for id in all_rules() if id.startswith("AX") and id not in ("AX08", "AX10")] + ["TX16"]
CLASS = Address("ApexClass", "Partner")
HANDLER = Address("OauthTokenExchangeHandler", "PartnerIdp")

VERIFIED = "Auth.JWT jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'Partner_IdP');"
CLAIMS = """
    if (jwt.getIss() != 'https://idp' || jwt.getAud() != 'us') { return no(); }
    if (late(jwt.getAdditionalClaims().get('exp'))) { return no(); }
"""
YES = "return new Auth.TokenValidationResult(true, null, null, incomingToken, tokenType, null);"
NOBODY = "return null;"


def partner(validate: str, members: str = "", *, user: str = NOBODY, head: str = "public with sharing class") -> str:
    """A handler class whose method bodies are these."""
    return f"""
{head} Partner extends Auth.Oauth2TokenExchangeHandler {{
    {members}
    public override Auth.TokenValidationResult validateIncomingToken(
        String app, Auth.IntegratingAppType appType, String incomingToken, Auth.OAuth2TokenExchangeType tokenType
    ) {{
        {validate}
    }}
    public override User getUserForTokenSubject(
        Id networkId, Auth.TokenValidationResult result, Boolean canCreateUser, String app, Auth.IntegratingAppType type
    ) {{
        {user}
    }}
    private static Auth.TokenValidationResult no() {{ return new Auth.TokenValidationResult(false); }}
    private static Boolean late(Object exp) {{ return Decimal.valueOf('' + exp) * 1000 < Datetime.now().getTime(); }}
}}
"""


def judged(
    source: str | None,
    *,
    others: dict[str, str] | None = None,
    complete: bool = True,
    handlers: tuple[str, ...] = ("PartnerIdp",),
    apex: str = "Partner",
    version: float | None = 63.0,
    live: bool = False,
) -> tuple[list[Finding], list[Unchecked]]:
    """What the rules say of an org with one handler class."""
    bodies: dict[Address, Body] = {Address(HANDLER.kind, one): {"tokenHandlerApex": apex} for one in handlers}
    for name, text in {**({"Partner": source} if source is not None else {}), **(others or {})}.items():
        bodies[Address("ApexClass", name)] = {"content": text, "apiVersion": version, "status": "Active"}
    world = World(bodies, complete=complete, today=date(2026, 11, 22), live=bodies if live else {})
    findings, unchecked = judge(world, rules=RULES)
    return list(findings), list(unchecked)


def ids(source: str | None, **how: object) -> list[str]:
    return sorted(found.id for found in judged(source, **how)[0])  # type: ignore[arg-type]


# -- what is in order --------------------------------------------------------------------------------------------------

SOUND = {
    "verified, and every claim compared": VERIFIED + CLAIMS + YES,
    "a mark that the catch block sets": """
        Boolean good = false; Auth.JWT jwt;
        try { jwt = Auth.JWTUtil.validateJWTWithKey(incomingToken, 'MIIBIjANBg'); good = true; }
        catch (Exception e) { good = false; }
        if (!good) { return no(); }"""
    + CLAIMS
    + YES,
    "a result that stays null": """
        Auth.JWT jwt = null;
        try { jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); } catch (Exception e) { System.debug(e); }
        if (jwt == null) return no();"""
    + CLAIMS
    + YES,
    "a catch block that throws": """
        Auth.JWT jwt;
        try { jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); } catch (Exception e) { throw new Bad(); }"""
    + CLAIMS
    + YES,
    "the success inside the try block": "try { "
    + VERIFIED
    + CLAIMS
    + YES
    + " } catch (Exception e) { System.debug(e); } return no();",
    "decoded by hand once it is verified": """
        Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c');
        Map<String, Object> said = (Map<String, Object>) JSON.deserializeUntyped(
            EncodingUtil.base64Decode(incomingToken.split('\\\\.')[1]).toString());
        Claims jwt = (Claims) JSON.deserialize(JSON.serialize(said), Claims.class);
        if (jwt.iss == 'https://idp' && jwt.aud == 'us' && jwt.exp > 5) { """
    + YES
    + " } return no();",
    "decoded for its key, then verified, on every way": """
        Blob head = EncodingUtil.base64Decode(incomingToken.substringBefore('.'));
        if (tokenType != Auth.OAuth2TokenExchangeType.JWT) { return no(); }
        else { Auth.JWTUtil.validateJWTWithKey(incomingToken, keyFor(head)); }
        Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"""
    + CLAIMS
    + YES,
    "verified, or left": """
        if (tokenType == Auth.OAuth2TokenExchangeType.JWT) { Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); }
        else { return no(); }
        Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"""
    + CLAIMS
    + YES,
    "by hand, with the right one of many keys": """
        Blob signature = EncodingUtil.base64Decode(incomingToken.substringAfterLast('.'));
        Boolean good = false;
        for (Blob key : keys()) {
            if (key.size() > 0) { good = good || Crypto.verify('RSA-SHA256', Blob.valueOf(incomingToken), signature, key); }
        }
        if (!good) { return no(); }
        Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"""
    + CLAIMS
    + YES,
    "asked of the identity provider": """
        HttpRequest question = new HttpRequest();
        question.setBody('token=' + EncodingUtil.urlEncode(incomingToken, 'UTF-8'));
        HttpResponse answer = new Http().send(question);
        if (answer.getStatusCode() != 200) { return no(); } """
    + YES,
    "issuers looked up, audiences in a set": VERIFIED
    + """
        String iss = jwt.getIss(); Set<String> known = new Set<String>{ 'us' };
        if ([SELECT COUNT() FROM Issuer__mdt WHERE Url__c = :iss] == 0) { return no(); }
        if (!known.contains(jwt.getAud())) { return no(); }
        if (late(jwt.getAdditionalClaims().get('exp'))) { return no(); }"""
    + YES,
    "one condition for each type of token, and a mark": """
        Boolean good = false;
        if (tokenType == Auth.OAuth2TokenExchangeType.JWT || tokenType == Auth.OAuth2TokenExchangeType.ID_TOKEN) {
            try { Auth.JWT jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); """
    + CLAIMS
    + """ good = true; } catch (Exception e) { good = false; }
        } else if (tokenType == Auth.OAuth2TokenExchangeType.SAML_2) { good = false; } else { good = false; }
        if (good) { """
    + YES
    + """ } else { return new Auth.TokenValidationResult(good); }""",
    "one branch for each type of token": """
        switch on tokenType {
            when JWT, ID_TOKEN { Auth.JWT jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); """
    + CLAIMS
    + YES
    + """ }
            when ACCESS_TOKEN {
                HttpRequest r = new HttpRequest(); r.setHeader('Authorization', 'Bearer ' + incomingToken);
                HttpResponse answer = new Http().send(r);
                if (answer.getStatusCode() == 200) { """
    + YES
    + """ } return no();
            }
            when else { return no(); }
        }""",
    "a mark that is set in one branch only": """
        Boolean good = false;
        if (tokenType == Auth.OAuth2TokenExchangeType.JWT) {
            try { Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); good = true; } catch (Exception e) { good = false; }
        }
        if (!good) { return no(); }
        Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"""
    + CLAIMS
    + YES,
    "claims whose names are constants": VERIFIED
    + """
        Map<String, Object> said = jwt.getAdditionalClaims();
        if (said.get(ISSUER_CLAIM) != 'https://idp' || said.get(AUDIENCE_CLAIM) != 'us') { return no(); }
        if (late(said.get(EXPIRY_CLAIM))) { return no(); }"""
    + YES,
    "an issuer that is looked up by a variable": VERIFIED
    + """
        String issuer = ''; issuer = jwt.getIss();
        if (known().get(issuer) == null || jwt.getAud() != 'us') { return no(); }
        if (late(jwt.getAdditionalClaims().get('exp'))) { return no(); }"""
    + YES,
    "a SAML assertion": """
        String xml = EncodingUtil.base64Decode(incomingToken).toString();
        Dom.Document doc = new Dom.Document(); doc.load(xml);
        Dom.XmlNode root = doc.getRootElement();
        Blob signature = EncodingUtil.base64Decode(root.getChildElement('Signature', 'x').getText());
        if (!Crypto.verifyWithCertificate('RSA-SHA256', Blob.valueOf(xml), signature, 'IdP')) { return no(); }
        String issuer = root.getChildElement('Issuer', NS).getText();
        Dom.XmlNode limits = root.getChildElement('Conditions', NS);
        String ends = limits.getAttribute('NotOnOrAfter', null);
        String audience = limits.getChildElement('Audience', NS).getText();
        if (issuer != 'https://idp' || audience != 'us' || late(ends)) { return no(); }"""
    + YES,
    "asked of the identity provider in a method of its own": """
        Map<String, Object> answer = introspect(incomingToken);
        if (answer == null || answer.get('active') != true) { return no(); }"""
    + YES,
    "the exception goes on": """
        Auth.JWT jwt;
        try { jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); }
        catch (Auth.JWTValidationException e) { System.debug(e); throw e; } finally { System.debug('done'); }"""
    + CLAIMS
    + YES,
    "errors that are collected": """
        List<String> errors = new List<String>(); Auth.JWT jwt;
        try { jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); } catch (Exception e) { errors.add('' + e); }
        if (errors.isEmpty() && jwt.getIss() != 'https://idp') { errors.add('iss'); }
        if (errors.isEmpty() && jwt.getAud() != 'us') { errors.add('aud'); }
        if (errors.isEmpty() && late(jwt.getAdditionalClaims().get('exp'))) { errors.add('exp'); }
        return new Auth.TokenValidationResult(errors.isEmpty(), null, null, incomingToken, tokenType, '' + errors);""",
    "a short way for Apex tests": "if (Test.isRunningTest()) { " + YES + " } " + VERIFIED + CLAIMS + YES,
    "a handler that never accepts": "return new Auth.TokenValidationResult(false);",
    "a handler that is not written yet": "return null;",
}
MEMBERS = """
    class Claims { String iss; String aud; Long exp; }
    class Bad extends Exception {}
    static List<Blob> keys() { return null; }
    static String keyFor(Blob head) { return ''; }
    static Map<String, String> known() { return null; }
    private static final String ISSUER_CLAIM = 'iss', AUDIENCE_CLAIM = 'aud', EXPIRY_CLAIM = 'exp';
    private static final String NS = 'urn:oasis:names:tc:SAML:2.0:assertion';
    private Map<String, Object> introspect(String token) {
        HttpRequest question = new HttpRequest();
        question.setEndpoint('callout:IdP/introspect');
        question.setBody('token=' + EncodingUtil.urlEncode(token, 'UTF-8'));
        try {
            HttpResponse answer = new Http().send(question);
            return answer.getStatusCode() == 200 ? (Map<String, Object>) JSON.deserializeUntyped(answer.getBody()) : null;
        } catch (CalloutException e) { return null; }
    }
"""


@pytest.mark.parametrize("validate", SOUND.values(), ids=SOUND.keys())
def test_sound_classes_are_left_alone(validate: str) -> None:
    """A team that verifies in its own way would switch the rules off."""
    assert [] == ids(partner(validate, MEMBERS))


@pytest.mark.parametrize("change", [str.upper, str.lower], ids=["capitals", "small"])
def test_apex_ignores_case_and_so_do_we(change: object) -> None:
    """Whoever writes keywords in capitals is told nonsense."""
    source = partner(SOUND["verified, and every claim compared"]).replace("'exp'", "§")
    assert [] == ids(change(source).replace("§", "'exp'"))  # type: ignore[operator]


def test_the_example_of_this_project_is_in_order() -> None:
    """Its signature check stands behind an interface, so that tests can replace it: ours would be the first false alarm."""
    source = Path("desired/apex/PartnerIdpTokenHandler.cls").read_text(encoding="utf-8")
    assert ([], []) == judged(source)


# -- what is not -------------------------------------------------------------------------------------------------------

BY_HAND = "Blob said = EncodingUtil.base64Decode(incomingToken.split('x')[1]);"
TRIED = "Auth.JWT jwt; try { jwt = Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); } "
UNSOUND = {
    "nothing verifies": ("TX16", YES),
    "verified in a comment and in a text": (
        "TX16",
        "// "
        + VERIFIED
        + "\n String s = 'Auth.JWTUtil.validateJWTWithCert(incomingToken)'; /* "
        + VERIFIED
        + " */"
        + YES,
    ),
    "verified in a method that nobody calls": ("TX16", "if (app == null) { return no(); } " + YES),
    "taken apart by hand only": ("TX16", BY_HAND + YES),
    "the answer of Crypto.verify dropped": ("TX16", "Crypto.verify('RSA', Blob.valueOf(incomingToken), s, k); " + YES),
    "a callout that does not carry the token": ("TX16", "HttpResponse r = new Http().send(new HttpRequest()); " + YES),
    "the answer of Crypto.verify never looked at": (
        "TX16",
        "Boolean unseen = Crypto.verify('RSA', Blob.valueOf(incomingToken), s, k); " + YES,
    ),
    "a callout whose answer nobody looks at": (
        "TX16",
        "HttpRequest q = new HttpRequest(); q.setBody(incomingToken); HttpResponse unseen = new Http().send(q); " + YES,
    ),
    "one type of token verified, all accepted": (
        "AX01",
        "if (tokenType == Auth.OAuth2TokenExchangeType.JWT) { " + VERIFIED + CLAIMS + " } " + YES,
    ),
    "one branch verifies, the other accepts": (
        "AX01",
        "switch on tokenType { when JWT { " + VERIFIED + CLAIMS + YES + " } when else { " + YES + " } }",
    ),
    "one of two conditions verifies, the other accepts": (
        "AX01",
        "if (tokenType == Auth.OAuth2TokenExchangeType.JWT) { " + VERIFIED + CLAIMS + YES + " }"
        "else if (tokenType == Auth.OAuth2TokenExchangeType.ACCESS_TOKEN) { " + YES + " } return no();",
    ),
    "a way around for those who ask for it": (
        "AX01",
        "if (Test.isRunningTest() || Debug__c.getInstance().Skip__c) { " + YES + " } " + VERIFIED + CLAIMS + YES,
    ),
    "a claim that is only read under its constant": (
        "AX03",
        VERIFIED
        + CLAIMS.replace("jwt.getIss() != 'https://idp' ||", "")
        + "Object seen = jwt.getAdditionalClaims().get(ISSUER_CLAIM);"
        + YES,
    ),
    "verified only if the token says so": (
        "AX01",
        BY_HAND + "if (said.size() > 5) { Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); }"
        "Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);" + CLAIMS + YES,
    ),
    "a failure only logged": ("AX02", TRIED + "catch (Exception e) { System.debug(e); }" + "String i = 'x';" + YES),
    "a failure answered with yes": ("AX02", TRIED + "catch (Exception e) { " + YES + " } return no();"),
    "a failure answered by decoding": (
        "AX02",
        TRIED
        + "catch (Exception e) { jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken); }"
        + CLAIMS
        + YES,
    ),
    "a mark that was there before": (
        "AX02",
        "Auth.JWT jwt = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"
        + TRIED.removeprefix("Auth.JWT jwt;")
        + "catch (Exception e) { System.debug(e); } if (jwt == null) { return no(); }"
        + CLAIMS
        + YES,
    ),
    "a helper that forgets the failure": ("AX02", "forgets(incomingToken); " + YES),
    "the issuer only copied": (
        "AX03",
        VERIFIED + CLAIMS.replace("jwt.getIss() != 'https://idp' ||", "") + "String from_x = jwt.getIss();" + YES,
    ),
    "the keys fetched from wherever the token says": (
        "AX03",
        "Auth.JWT raw = Auth.JWTUtil.parseJWTFromStringWithoutValidation(incomingToken);"
        "Auth.JWT jwt = Auth.JWTUtil.validateJWTWithKeysEndpoint(incomingToken, raw.getIss() + '/jwks', true);"
        + CLAIMS.replace("jwt.getIss() != 'https://idp' ||", "")
        + YES,
    ),
    "the issuer only asked for": ("AX03", VERIFIED + CLAIMS.replace("'https://idp'", "null") + YES),
    "the audience only logged": (
        "AX04",
        VERIFIED + "System.debug(jwt.getAud());" + CLAIMS.replace("|| jwt.getAud() != 'us'", "") + YES,
    ),
    "an expiry that must only be there": (
        "AX05",
        VERIFIED
        + CLAIMS.replace("late(jwt.getAdditionalClaims().get('exp'))", "!jwt.getAdditionalClaims().containsKey('exp')")
        + YES,
    ),
}
UNCALLED = """
    private static final String ISSUER_CLAIM = 'iss';
    static void uncalled(String incomingToken) { Auth.JWTUtil.validateJWTWithCert(incomingToken, 'c'); }
"""
FORGETFUL = """
    static void forgets(String token) {
        try { Auth.JWTUtil.validateJWTWithCert(token, 'c'); } catch (Exception e) { System.debug(e); }
    }
"""


@pytest.mark.parametrize(("id", "validate"), UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_classes_are_found(id: str, validate: str) -> None:
    """Each of these lets somebody in who should not be, and each was seen in public code or follows from it."""
    members = FORGETFUL if "forgets" in validate else UNCALLED
    assert id in ids(partner(validate, members))


def test_a_finding_stands_at_the_line_and_column_of_the_class() -> None:
    """Nobody finds "somewhere in 400 lines"."""
    source = partner("String said;\n  said = EncodingUtil.base64Decode(incomingToken).toString();\n" + YES)
    (found,), _ = judged(source)
    lines = source.split("\n")
    assert found.position is not None
    line, column = found.position
    assert lines[line - 1][column - 1 :].startswith("base64Decode(")
    assert (CLASS, ("content",), "validateIncomingToken", (HANDLER,)) == (
        found.address,
        found.path,
        found.subject,
        found.also,
    )


def test_an_unverified_token_is_one_finding() -> None:
    """Issuer, audience and expiry of a token that anybody can write are worth nothing: five findings would hide the one."""
    assert ["TX16"] == ids(partner(BY_HAND + YES))


def test_a_user_is_made_only_where_that_is_asked() -> None:
    """`isUserCreationAllowed: false` would promise what the class does not keep."""
    sound = VERIFIED + CLAIMS + YES
    make = "static User made() { return new User(LastName = 'x'); }"
    assert ["AX06"] == ids(partner(sound, make, user="return made();"))
    assert [] == ids(partner(sound, make, user="return canCreateUser ? made() : null;"))
    assert [] == ids(partner(sound, user="return new User(Id = networkId);"))


@pytest.mark.parametrize(
    ("member", "secret"),
    [
        ("static final String CLIENT_SECRET = '§';", "h8Kq-22x!"),
        ("static Map<String, String> CONFIG = new Map<String, String>{ 'api_key' => '§' };", "a7d93kfi20"),
        ("static String body = 'client_id=abc&client_secret=§&x=1';", "71E147927ACB"),
        ("static String PEM = '-----BEGIN RSA PRIVATE KEY-----\\n§';", "MIIEowIBAAKCAQEA"),
        ("static String SIGN = '§';", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"),
        ("static String AUTHORIZATION = 'Basic §';", "aW50ZWdyYXRpb246cGFzcw=="),
        ("static String mixed = '§';", "Zx81Qp4LmN7vB2cD9eF6gH3jK5tR0wYs"),
        ("static String text = '''\npassword=§\n''';", "s3cr3tPa55"),
    ],
)
def test_secrets_are_found_and_never_shown(member: str, secret: str) -> None:
    """A report with the secret in it carries it to everybody who reads reports."""
    findings, _ = judged(partner(VERIFIED + CLAIMS + YES, member.replace("§", secret)))
    assert ["AX07"] == [found.id for found in findings]
    assert secret not in repr(findings)


def test_what_stands_before_a_secret_is_not_shown_either() -> None:
    """Of two secrets in one call the first must not become the name of the second."""
    member = "static Object pair = Pair.of('h8Kq22xZ', 'Zx81Qp4LmN7vB2cD9eF6gH3jK5tR0wYs');"
    findings, _ = judged(partner(VERIFIED + CLAIMS + YES, member))
    assert [("AX07", "literal")] == [(found.id, found.subject) for found in findings]
    assert "h8Kq22xZ" not in repr(findings)


@pytest.mark.parametrize(
    "member",
    [
        "static final String CLIENT_SECRET_PARAM = 'client_secret';",
        "static final String SECRET = 'Partner_IdP_Secret';",
        "static final String PASSWORD = '<your password 1>';",
        "static final String SECRET_URL = 'https://vault.acme.example/v1/secret';",
        "static final String CLIENT_ID = 'vtImy2fRiNOXszjLdks7KqiH4TC8Kfuc';",
        "static final String KEY = 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo';",
        "static final String LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';",
        "static final String ID = '80040ab0-138a-4eaa-8a1c-68e4f0465151';",
        "// password = 'h8Kq-22x!'",
    ],
)
def test_what_is_published_is_no_secret(member: str) -> None:
    """Public keys, client ids and names of settings belong in the source."""
    assert [] == ids(partner(VERIFIED + CLAIMS + YES, member))


def test_sharing_is_a_question_of_the_api_version() -> None:
    """From 67.0 on, a class that says nothing keeps to the sharing rules: a finding would be wrong."""
    silent = partner(VERIFIED + CLAIMS + YES, head="public class")
    assert ["AX09"] == ids(silent, version=66.0)
    assert [] == ids(silent, version=67.0)
    assert [] == ids(partner(VERIFIED + CLAIMS + YES, head="global WITHOUT Sharing class"))
    assert ["AX09"] == [one.id for one in judged(silent, version=None)[1]]


def test_a_method_with_other_parameters_overrides_nothing() -> None:
    """A handler copied from a page with an invented signature fails at every exchange."""
    source = HANDLER_CLASS.replace("Boolean canCreateUser,\n", "").replace("canCreateUser ?", "true ?")
    (found,), _ = judged(source)
    assert ("AX08", "getUserForTokenSubject", Severity.HIGH) == (found.id, found.subject, found.severity)
    assert "other parameters" in found.message


# -- the class itself --------------------------------------------------------------------------------------------------


def test_a_class_that_nobody_has_is_found_on_its_handler() -> None:
    """The handler would be deployed and refuse everybody."""
    (found,), _ = judged(None)
    assert ("TX12", HANDLER, ("tokenHandlerApex",), (CLASS,)) == (found.id, found.address, found.path, found.also)


def test_a_class_is_never_called_missing_without_proof() -> None:
    """Files alone do not tell what the org holds; and an org whose handler uses a class has it."""
    for how in ({"complete": False}, {"live": True}, {"apex": "acme__Partner"}):
        findings, unchecked = judged(None, **how)  # type: ignore[arg-type]
        assert [] == findings
        assert "TX12" in {one.id for one in unchecked}


def test_a_source_that_no_file_gives_is_not_held_against_it() -> None:
    """The org may have it."""
    findings, unchecked = judged("")
    assert ([], {rule.id for rule in RULES}) == (findings, {one.id for one in unchecked})


@pytest.mark.parametrize("source", ["(hidden)", "   "])
def test_a_hidden_source_is_not_judged(source: str) -> None:
    """Silence would be read as "fine"."""
    findings, unchecked = judged(source)
    assert [("AX10", Severity.MEDIUM)] == [(one.id, one.severity) for one in findings]
    assert {rule.id for rule in RULES} - {"AX10"} == {one.id for one in unchecked}


def test_a_class_is_found_whatever_its_case_and_once_for_all_its_handlers() -> None:
    """Two handlers with one class are two reasons to mend it, not two findings."""
    (found,), _ = judged(partner(YES), apex="PARTNER", handlers=("A", "B"))
    assert (CLASS, ("A", "B")) == (found.address, tuple(one.name for one in found.also))


def test_the_wrong_base_class_is_the_only_finding() -> None:
    """What such a class forgets besides is of no interest."""
    source = partner(BY_HAND + YES).replace("Auth.Oauth2TokenExchangeHandler", "Auth.RegistrationHandler")
    (found,), _ = judged(source)
    assert ("TX12", Severity.HIGH) == (found.id, found.severity)
    assert ["TX12"] == ids(source.replace("extends Auth.RegistrationHandler", ""))


def test_a_base_class_in_between_is_followed() -> None:
    """Teams share what their handlers have in common."""
    base = partner(VERIFIED + CLAIMS + YES).replace("class Partner", "virtual class Common")
    assert [] == ids("public with sharing class Partner extends Common {}", others={"Common": base})
    careless = base.replace("if (jwt", "if (false && jwt").replace("jwt.getAud() != 'us'", "false")
    (found,), _ = judged("public with sharing class Partner extends Common {}", others={"Common": careless})
    assert ("AX04", Address("ApexClass", "Common")) == (found.id, found.address)


def test_a_base_class_that_is_not_here_leaves_everything_open() -> None:
    """It may extend the right class, or verify what this one does not."""
    findings, unchecked = judged("public class Partner extends Common {}")
    assert [("AX10", Severity.MEDIUM)] == [(one.id, one.severity) for one in findings]
    assert {rule.id for rule in RULES} - {"AX10"} == {one.id for one in unchecked}


LEFT_TO_ANOTHER = partner("if (!TokenChecks.isGood(incomingToken)) { return no(); } " + YES)


def test_another_class_is_followed_where_it_is_here() -> None:
    """A shared validator is good practice, and a shared mistake is one."""
    good = f"public class TokenChecks {{ public static Boolean isGood(String incomingToken) {{ {VERIFIED} \
        return jwt.getIss() == 'i' && jwt.getAud() == 'a' && jwt.getAdditionalClaims().get('exp') > x; }} }}"
    assert [] == ids(LEFT_TO_ANOTHER, others={"TokenChecks": good})
    bad = "public class TokenChecks { public static Boolean isGood(String t) { return t != null; } }"
    assert ["TX16"] == ids(LEFT_TO_ANOTHER, others={"TokenChecks": bad})


def test_a_change_of_a_shared_class_counts_as_the_cause() -> None:
    """A validator that is weakened breaks the handler that nobody touched: a plan has to say so."""
    shared = "public class Checks { public static Boolean good(String token) { return true; } }"
    (found,), _ = judged(partner("if (!Checks.good(incomingToken)) { return no(); } " + YES), others={"Checks": shared})
    assert (CLASS, (HANDLER, Address("ApexClass", "Checks"))) == (found.address, found.also)


def test_shared_classes_are_read_up_to_a_limit() -> None:
    """A class that names every class of a big org would take minutes."""
    big = "public class Checks { public static void good(String token) {" + "a = b; " * (MOST // 5) + "} }"
    source = partner("Checks.good(incomingToken); Verifier.sound(incomingToken); " + YES)
    others = {"Checks": big, "Verifier": big.replace("Checks", "Verifier").replace("good", "sound")}
    findings, unchecked = judged(source, others=others)
    why = f"together with Verifier it has more than {MOST:,} words and symbols"
    assert {why} == {one.message for one in unchecked}
    (found,) = findings
    assert ("AX10", Severity.HIGH) == (found.id, found.severity)
    assert f"what Partner, the class of PartnerIdp, does with a token cannot be seen: {why}" == found.message


def test_another_class_that_is_not_here_is_named() -> None:
    """Neither "fine" nor "broken" would be true."""
    findings, unchecked = judged(LEFT_TO_ANOTHER)
    assert [("AX10", Severity.MEDIUM)] == [(one.id, one.severity) for one in findings]
    assert {"TX16", "AX02", "AX03", "AX04", "AX05"} == {one.id for one in unchecked}
    assert all("TokenChecks" in one.message for one in unchecked)


def test_only_the_classes_of_the_apps_in_question_are_read() -> None:
    """`--target` on one app must not bring the findings of all others."""
    enablement = Address(HANDLER.kind, HANDLER.name, "enablements/order_portal")
    bodies: dict[Address, Body] = {
        HANDLER: {"tokenHandlerApex": "Partner"},
        enablement: {"externalClientApp": "order_portal"},
        CLASS: {"content": partner(YES), "apiVersion": 63.0},
    }
    for only, expected in ((["order_portal"], ["TX16"]), (["help_desk"], []), (None, ["TX16"])):
        world = World(bodies, complete=True, today=date(2026, 11, 22), only=only)
        assert expected == [found.id for found in judge(world, rules=RULES)[0]]


def test_no_heuristic_stops_an_apply() -> None:
    """A guess over source text must not stand between a team and its mended app."""
    assert {Severity.MEDIUM} == {all_rules()[id].severity for id in HEURISTICS}


@pytest.mark.parametrize(
    "source",
    [
        "{" * 10_000,
        HANDLER_CLASS + "(" * 10_000,
        "{" * 999_999,
        HANDLER_CLASS.replace("Auth.JWT jwt;", "Auth.JWT jwt; " + "a<" * 300_000),
        HANDLER_CLASS.replace("Auth.JWT jwt;", "Auth.JWT jwt; " + "f(" * 5_000),
        HANDLER_CLASS + "/*" + "'" * 100_000,
        HANDLER_CLASS.replace("Auth.JWT jwt;", "x = a" + ".b(c)" * 4_000 + ";"),
        "class a " * 5_000,
        "'''\n" * 10_000,
        "}{)(][" * 3_000,
        "\x00\u202e\ud800 class \U0001f600 extends {",
        "a" * 1_000_001,
    ],
    ids=range(12),
)
def test_no_source_breaks_the_rules(source: str) -> None:
    """An org's classes are written by strangers; a run that dies on one judges nothing."""
    findings, _ = judged(source)
    assert all(len(found.message) < 300 and len(found.subject) <= 80 for found in findings)
