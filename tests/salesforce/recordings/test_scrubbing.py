"""What nobody may keep is taken out, wherever it stands; and what looks like a mark of ours in an org is none."""

import base64
import json
import re

import pytest

from providers.salesforce.files.archive import read_zip, write_zip
from providers.salesforce.recordings.marks import MARK, Pseudonyms, pieces
from providers.salesforce.recordings.scrubbing import GONE, Scrubber, is_secret_name

CANARY = "canaryOfTheScrubber0123456789"
KEY = b"a key for tests"
APP = "unpackaged/connectedApps/Portal.connectedApp"
CODE = "unpackaged/classes/Handler.cls"
NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def scrubber(*choices: str) -> Scrubber:
    return Scrubber(frozenset(choices), Pseudonyms(KEY))


def scrubbed_json(content: object, *choices: str, path: str = "/services/data/v63.0/query/") -> object:
    return json.loads(scrubber(*choices).answer(path, json.dumps(content).encode()))


def scrubbed_file(inside: str, *choices: str, path: str = APP) -> str:
    """One file of a retrieve, after it went through base64 and zip."""
    content = inside if path == CODE else f"<ConnectedApp {NAMESPACE}>{inside}</ConnectedApp>"
    packed = base64.b64encode(write_zip({path: content.encode()})).decode()
    answer = scrubber(*choices).answer("/services/Soap/m/63.0", f"<a><zipFile>{packed}</zipFile></a>".encode())
    found = re.search(rb"<zipFile>([^<]*)</zipFile>", answer)
    assert found
    return dict(read_zip(base64.b64decode(found[1])))[path].decode()


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "refresh_token", "id_token", "signature", "assertion", "client_secret", "password", "sessionId",
        "consumerSecret", "serverUrl", "securityToken", "privateKey", "Set-Cookie", "Authorization", "newClientSecret",
    ],
)  # fmt: skip
def test_what_is_called_like_a_secret_is_gone(name: str) -> None:
    """Whoever finds a recording logs in with what is in it."""
    found = json.dumps(scrubbed_json({name: CANARY, "list": [{name: {"deeper": CANARY}}], "number": {name: 31337}}))

    assert (0, 3) == (found.count(CANARY), found.count(GONE))
    assert "31337" not in found


@pytest.mark.parametrize(
    "name",
    ["isSecretRequiredForTokenExchange", "idTokenConfig", "isConsumerSecretOptional", "consumerKey", "isTokenExchangeEnabled",
     "isAccessTokenSupported", "description", "lastModifiedByName"],
)  # fmt: skip
def test_what_only_sounds_like_a_secret_stays(name: str) -> None:
    """A setting that is missing from the recording is planned as a change, or not found by a rule."""
    assert not is_secret_name(name)


def test_a_switch_called_like_a_secret_stays() -> None:
    """`shouldRotateConsumerSecret` is a command that a rule warns of."""
    assert "<shouldRotateConsumerSecret>true<" in scrubbed_file(
        "<shouldRotateConsumerSecret>true</shouldRotateConsumerSecret>"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"00D000000000001!{CANARY}",
        f"00D000000000001%21{CANARY}",
        f"eyJhbGciOiJSUzI1NiJ9.{CANARY}.{CANARY}",
        f"x_eyJhbGciOiJSUzI1NiJ9.{CANARY}.{CANARY}",
        f"force://PlatformCLI:{CANARY}:token@acme.my.salesforce.com",
        f"5Aep861{CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"https://x/?client_secret={CANARY}&a=b",
        f"grant_type=password&password={CANARY}",
        f"/secur/frontdoor.jsp?sid={CANARY}",
        f"https://deploy:{CANARY}@idp.acme.example/keys",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
    ],
)
def test_what_looks_like_a_secret_is_gone_from_every_text(text: str) -> None:
    """People paste tokens into descriptions."""
    told = [
        json.dumps(scrubbed_json({"Description": f"see {text} there", f"key {text}": 1})),
        scrubbed_file(f"<description>see {text.replace('&', '&amp;')} there</description>"),
        scrubbed_file(f"<unheardOf a='{text.replace('&', '&amp;')}'/>"),
        scrubbed_file(f"class A {{ }} // {text}", path=CODE),
    ]

    assert [] == [one for one in told if CANARY in one]
    assert "see " in told[0]


def test_a_secret_behind_references_and_cdata_is_gone() -> None:
    """Text is searched as a reader of the XML sees it, not as it was spelled."""
    spelled = "".join(f"&#{ord(char)};" for char in CANARY)

    found = scrubbed_file(
        f"<consumerSecret>{spelled}</consumerSecret><x><![CDATA[client_secret={CANARY}]]></x><!-- {CANARY} --><?x {CANARY}?>"
    )

    assert CANARY not in found
    assert f"<consumerSecret>{GONE}</consumerSecret>" in found


def test_the_literals_of_apex_are_masked_and_the_rest_stays() -> None:
    """Hard-coded secrets are the most common leak in handlers, and the code around them is what reviewers read."""
    source = f"class A {{\n  String clientSecret = '{CANARY}';\n  String issuer = 'https://idp.acme.example';\n}}\n"

    assert source.replace(CANARY, GONE) == scrubbed_file(source, path=CODE)


def test_of_consumer_credentials_only_what_is_known_to_be_harmless_is_kept() -> None:
    """A field that Salesforce adds to that resource next year is a secret until somebody has looked."""
    path = "/services/data/v66.0/apps/oauth/credentials/0xI1/888/staged"
    slot = {"id": "888", "state": "rotated", "expirationDate": "2030-01-01", "secret": "s", "next": "t", "more": ["u"]}

    found = scrubbed_json({"stagedCredentials": [slot]}, path=path)

    kept = {"id": "888", "state": "rotated", "expirationDate": "2030-01-01"}
    assert {"stagedCredentials": [{**kept, "secret": GONE, "next": GONE, "more": [GONE]}]} == found


def test_a_refusal_stays_in_the_words_of_the_org() -> None:
    """A replay would say that something else is missing than the org did."""
    refused = [{"message": "not enabled", "errorCode": "FUNCTIONALITY_NOT_ENABLED"}]

    assert refused == scrubbed_json(refused, path="/services/data/v66.0/apps/oauth/credentials/0xI1")


@pytest.mark.parametrize(
    "body",
    [
        f"<html>{CANARY}",
        f'<!DOCTYPE a [<!ENTITY x "{CANARY}">]><a>&x;</a>',
        f"{{'a': '{CANARY}'",
        f"plain {CANARY}",
        f"<a><zipFile>{base64.b64encode(CANARY.encode()).decode()}</zipFile></a>",
        f"<a><zipFile>{base64.b64encode(b'PK' + bytes([3, 4]) + CANARY.encode()).decode()}</zipFile></a>",
    ],
)
def test_what_cannot_be_understood_is_left_out_as_a_whole(body: str) -> None:
    """Nobody can tell where in it the secret stands."""
    found = scrubber().answer("/services/Soap/m/63.0", body.encode())

    assert CANARY.encode() not in found
    assert CANARY.encode() not in b"".join(base64.b64decode(one) for one in re.findall(rb"<zipFile>([^<]*)<", found))


def test_files_that_nobody_reads_are_left_out() -> None:
    """A retrieve may bring a static resource with a key store in it."""
    data = scrubber().package(write_zip({"unpackaged/staticresources/Keys.resource": CANARY.encode(), APP: b"<a"}))

    assert {APP: b"(scrubbed: no XML)"} == dict(read_zip(data))


@pytest.mark.parametrize("tag", ["zipFile", "zipFile ", "zipFile a='b'", "m:zipFile"])
def test_a_zip_is_opened_however_its_element_is_written(tag: str) -> None:
    """A proxy that writes XML in its own way is no reason to publish what is in it."""
    inside = f"<a><consumerSecret>{CANARY}</consumerSecret></a>".encode()
    packed = base64.b64encode(write_zip({APP: inside})).decode()
    body = f"<a xmlns:m='m'><{tag}>{packed}</{tag.split(maxsplit=1)[0]}></a>"

    found = scrubber().answer("/services/Soap/m/63.0", body.encode())

    (text,) = re.findall(rb"<[\w:]*zipFile[^>]*>([^<]*)</", found)
    assert b"<consumerSecret>(scrubbed)<" in dict(read_zip(base64.b64decode(text)))[APP]


def test_an_org_that_writes_our_placeholder_gets_no_copy_of_a_zip() -> None:
    """A million of them would be a million zips in memory."""
    packed = base64.b64encode(write_zip({APP: b"<a/>" * 100})).decode()
    body = f"<a><zipFile>{packed}</zipFile>{'<x>(zip 0)</x><zipFile >(zip 0)</zipFile>' * 50}</a>"

    found = scrubber().answer("/services/Soap/m/63.0", body.encode())

    assert len(found) < 2 * len(body)
    assert 1 == found.count(b"<zipFile>UEsD")


# -- addresses and certificates ---------------------------------------------------------------------------------------


def test_addresses_stay_unless_they_are_asked_for() -> None:
    """Usernames are what enablements and audits are about."""
    assert {"Username": "ada@acme.example"} == scrubbed_json({"Username": "ada@acme.example"})


def test_one_address_has_one_pseudonym_everywhere() -> None:
    """Who changed what, and whose user is missing, can still be told apart."""
    told = [
        json.dumps(scrubbed_json({"Username": "Ada@acme.example"}, "emails")),
        json.dumps(scrubbed_json({"url": "/x?user=ada%40acme.example&y"}, "emails")),
        scrubbed_file("<contactEmail>ada@acme.example</contactEmail>", "emails"),
        scrubbed_file("<x>ask ada@ACME.example, or so</x>", "emails"),
        scrubbed_file("class A { String to = 'ada@acme.example'; }", "emails", path=CODE),
    ]

    marks = [MARK.findall(one) for one in told]
    assert [[Pseudonyms(KEY).address("ada@acme.example")]] * 5 == marks
    assert Pseudonyms(KEY).address("ada@acme.example") != Pseudonyms(b"another").address("ada@acme.example")


def test_certificates_get_pseudonyms_if_asked_for() -> None:
    """A certificate names people and machines; that it changed can still be seen with one key."""
    pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCARwCCQD\n-----END CERTIFICATE-----"
    inside = f"<oauthConfig><certificate>{pem}</certificate></oauthConfig><description>uses {pem}</description>"

    assert "MIIB" not in scrubbed_file(inside, "certificates")
    assert 1 == len(set(MARK.findall(scrubbed_file(inside, "certificates"))))
    assert "MIIB" in scrubbed_file(inside)


@pytest.mark.parametrize(
    "mark", [GONE, "(SCRUBBED)", Pseudonyms(KEY).address("a@b.cd"), Pseudonyms(KEY).certificate("x")]
)
def test_a_mark_in_an_org_is_no_mark_in_its_recording(mark: str) -> None:
    """Whoever writes our mark into a field would hide the change from every replay."""
    for choices in ((), ("emails", "certificates")):
        told = [
            str(scrubbed_json({"a": mark}, *choices)),
            scrubbed_file(f"<x>{mark}</x>", *choices),
            scrubbed_file(f"class A {{ String a = '{mark}'; }}", *choices, path=CODE),
        ]
        assert [] == [found for text in told for found in MARK.findall(text)]


@pytest.mark.parametrize("size", [1_000_000])
def test_a_long_text_without_an_address_costs_one_look(size: int) -> None:
    """An icon in base64 must not take a quarter of an hour: this finishes, or the test runs for ever."""
    text = "A" * size + "@" + "eyJ" * (size // 30) + "-" * size + "%" * size

    assert len(text) == len(str(scrubber("emails", "certificates").text(text)))


def test_what_is_left_of_a_text_is_what_stands_between_marks() -> None:
    """The code around a literal is compared, the literal is not."""
    assert ("a '", "' b ", " c") == pieces(f"a '{GONE}' b {Pseudonyms(KEY).address('x')} c")
    assert () == pieces("a scrubbed text")
