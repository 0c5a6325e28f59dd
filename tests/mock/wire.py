"""A client made of bytes: envelopes and zips written by hand, so that nothing of ours stands between test and org."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from lxml import etree

from providers.mock import Org, mount

NS = "http://soap.sforce.com/2006/04/metadata"
_X = f"{{{NS}}}"
FOLDERS = {
    "ApexClass": ("classes", "cls"),
    "ConnectedApp": ("connectedApps", "connectedApp"),
    "ExternalClientApplication": ("externalClientApps", "eca"),
    "ExtlClntAppGlobalOauthSettings": ("extlClntAppGlobalOauthSets", "ecaGlblOauth"),
    "ExtlClntAppOauthSettings": ("extlClntAppOauthSettings", "ecaOauth"),
    "ExtlClntAppOauthConfigurablePolicies": ("extlClntAppOauthPolicies", "ecaOauthPlcy"),
    "ExtlClntAppConfigurablePolicies": ("extlClntAppPolicies", "ecaPlcy"),
    "ExtlClntAppOauthSecuritySettings": ("extlClntAppOauthSecuritySettings", "ecaOauthSecurity"),
    "OauthTokenExchangeHandler": ("oauthtokenexchangehandlers", "oauthtokenexchangehandler"),
    "OauthCustomScope": ("oauthcustomscopes", "oauthcustomscope"),
    "PermissionSet": ("permissionsets", "permissionset"),
    "Settings": ("settings", "settings"),
}
CLASS = "public class {name} extends Auth.Oauth2TokenExchangeHandler {{ }}"
CLASS_META = f'<ApexClass xmlns="{NS}"><apiVersion>63.0</apiVersion><status>Active</status></ApexClass>'


def file_of(kind: str, fields: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NS}">\n{fields}\n</{kind}>\n'


def fields(**values: str | bool | int | list[str]) -> str:
    """Elements in the order given; a list repeats the element; texts that begin with "<" go in as they are."""
    lines = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            text = str(each).lower() if isinstance(each, bool) else str(each)
            lines.append(f"    <{name}>{text}</{name}>")
    return "\n".join(lines)


@dataclass(frozen=True)
class Piece:
    """One component to deploy."""

    kind: str
    name: str
    body: str | bytes
    manifest: str = ""
    meta: str = ""

    @property
    def type_name(self) -> str:
        return self.manifest or self.kind

    @property
    def path(self) -> str:
        folder, suffix = FOLDERS[self.type_name]
        return f"{folder}/{self.name}.{suffix}"


def component(kind: str, name: str, **values: Any) -> Piece:
    return Piece(kind, name, file_of(kind, fields(**values)))


def setting(kind: str, name: str, **values: Any) -> Piece:
    return Piece(kind, name, file_of(kind, fields(**values)), "Settings")


def apex(name: str, source: str | None = None) -> Piece:
    return Piece("ApexClass", name, source or CLASS.format(name=name), meta=CLASS_META)


def app(name: str, **values: Any) -> Piece:
    values = {"contactEmail": "iam@acme.example", "label": name, **values}
    return component("ExternalClientApplication", name, **values)


def oauth(app_name: str, name: str = "", **values: Any) -> Piece:
    values = {"commaSeparatedOauthScopes": "Api, RefreshToken", "externalClientApplication": app_name, **values}
    return component("ExtlClntAppOauthSettings", name or f"{app_name}_oauth", **values)


def global_oauth(app_name: str, name: str = "", **values: Any) -> Piece:
    values = {"callbackUrl": "https://x.acme.example/cb", "externalClientApplication": app_name, **values}
    return component("ExtlClntAppGlobalOauthSettings", name or f"{app_name}_glbloauth", **values)


def oauth_policy(app_name: str, name: str = "", **values: Any) -> Piece:
    kind = "ExtlClntAppOauthConfigurablePolicies"
    return component(kind, name or f"{app_name}_oauthPlcy", externalClientApplication=app_name, **values)


def policy(app_name: str, name: str = "", **values: Any) -> Piece:
    kind = "ExtlClntAppConfigurablePolicies"
    values = {"isEnabled": True, **values}
    return component(kind, name or f"{app_name}_plcy", externalClientApplication=app_name, **values)


def whole(app_name: str) -> list[Piece]:
    return [app(app_name), oauth(app_name), global_oauth(app_name)]


def enablement(
    app_name: str, *, user: str = "integration@acme.example", default: bool = False, connected: bool = False
) -> str:
    name = "connectedApp" if connected else "externalClientApp"
    inner = fields(apexExecutionUser=user, **{name: app_name}, isDefault=default)
    return f"<enablements>{inner}</enablements>"


def handler(name: str, *enablements: str, **values: Any) -> Piece:
    flags = ("isAccessTokenSupported", "isEnabled", "isIdTokenSupported", "isJwtSupported", "isRefreshTokenSupported")
    all_values = {
        "description": "d",
        "developerName": name,
        **dict.fromkeys((*flags, "isSaml2Supported", "isUserCreationAllowed"), False),
        "masterLabel": name,
        "tokenHandlerApex": "Exchange",
        **values,
    }
    return Piece(
        "OauthTokenExchangeHandler",
        name,
        file_of("OauthTokenExchangeHandler", fields(**all_values) + "".join(enablements)),
    )


def manifest(types: Mapping[str, list[str]], version: str = "66.0", root: str = "Package") -> str:
    text = "".join(
        f"<types>{''.join(f'<members>{m}</members>' for m in members)}<name>{name}</name></types>"
        for name, members in types.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{NS}">{text}<version>{version}</version></{root}>'


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def package(
    *pieces: Piece, version: str = "66.0", prefix: str = "", extra: Mapping[str, str | bytes] | None = None
) -> bytes:
    types: dict[str, list[str]] = {}
    files: dict[str, str | bytes] = {}
    for piece in pieces:
        types.setdefault(piece.type_name, []).append(piece.name)
        files[prefix + piece.path] = piece.body
        if piece.meta:
            files[f"{prefix}{piece.path}-meta.xml"] = piece.meta
    files[f"{prefix}package.xml"] = manifest(types, version)
    return zipped({**files, **{prefix + name: content for name, content in (extra or {}).items()}})


@dataclass
class Deployed:
    """The JSON of a finished deployment."""

    result: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.result["status"])

    @property
    def problems(self) -> list[str]:
        return [each["problem"] for each in self.failures]

    @property
    def failures(self) -> list[dict[str, Any]]:
        return list(self.result["details"]["componentFailures"])

    @property
    def successes(self) -> dict[str, dict[str, Any]]:
        return {each["fullName"]: each for each in self.result["details"]["componentSuccesses"]}

    def state(self, name: str) -> str:
        message = self.successes[name]
        return next((word for word in ("created", "deleted", "changed") if message[word]), "unchanged")


@dataclass
class Retrieved:
    files: dict[str, bytes]
    properties: dict[str, dict[str, str]]
    messages: list[str]

    def element(self, path: str) -> etree._Element:
        return etree.fromstring(self.files[path])

    def text(self, path: str, *steps: str) -> str | None:
        found = self.element(path).find("/".join(_X + step for step in steps))
        return None if found is None else found.text or ""

    def texts(self, path: str, *steps: str) -> list[str]:
        return [each.text or "" for each in self.element(path).findall("/".join(_X + step for step in steps))]


@dataclass
class Wire:
    """Somebody who talks to an org over HTTP bytes, in this process."""

    org: Org
    username: str | None = None
    version: str = "66.0"
    session: requests.Session = field(default_factory=requests.Session)
    base: str = ""
    token: str = ""

    def __post_init__(self) -> None:
        self.base = self.base or mount(self.session, self.org)
        self.token = self.token or self.org.access_token(self.username)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **params: str) -> requests.Response:
        return self.session.get(f"{self.base}{path}", params=params, headers=self.bearer)

    def query(self, soql: str, *, tooling: bool = False, **params: str) -> requests.Response:
        return self.get(f"/services/data/v{self.version}/{'tooling/' if tooling else ''}query", q=soql, **params)

    def rows(self, soql: str, *, tooling: bool = False) -> list[dict[str, Any]]:
        answer = self.query(soql, tooling=tooling).json()
        return [{key: value for key, value in row.items() if key != "attributes"} for row in answer["records"]]

    def post_soap(self, body: str, *, path: str = "", headers: str = "", token: str | None = None) -> requests.Response:
        session = f'<SessionHeader xmlns="{NS}"><sessionId>{self.token if token is None else token}</sessionId></SessionHeader>'
        envelope = (
            '<?xml version="1.0" encoding="UTF-8"?><se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/">'
            f"<se:Header>{session}{headers}</se:Header><se:Body>{body}</se:Body></se:Envelope>"
        )
        return self.session.post(
            f"{self.base}{path or f'/services/Soap/m/{self.version}'}",
            data=envelope.encode(),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        )

    def soap(self, operation: str, inner: str = "", **more: str) -> etree._Element:
        """Return the result element(s)' parent, the operation's response."""
        answer = self.post_soap(f'<{operation} xmlns="{NS}">{inner}</{operation}>', **more)
        assert answer.status_code == 200, answer.text
        found = etree.fromstring(answer.content).find(f".//{_X}{operation}Response")
        assert found is not None
        return found

    def fault(self, operation: str, inner: str = "", **more: Any) -> str:
        answer = self.post_soap(f'<{operation} xmlns="{NS}">{inner}</{operation}>', **more)
        assert answer.status_code == 500, answer.text
        found = re.search(r"<faultcode>(.*)</faultcode><faultstring>(.*)</faultstring>", answer.text)
        assert found is not None
        return f"{found.group(1)} {found.group(2)}".replace("&apos;", "'")

    def start(self, data: bytes, **options: Any) -> str:
        described = json.dumps({"deployOptions": {"rollbackOnError": True, "singlePackage": True, **options}})
        answer = self.session.post(
            f"{self.base}/services/data/v{self.version}/metadata/deployRequest",
            headers=self.bearer,
            files={"json": ("", described, "application/json"), "file": ("p.zip", data, "application/zip")},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def poll(self, job: str) -> Deployed:
        answer = self.get(f"/services/data/v{self.version}/metadata/deployRequest/{job}", includeDetails="true")
        assert answer.status_code == 200, answer.text
        return Deployed(answer.json()["deployResult"])

    def result_status(self, job: str) -> str:
        """Look at a deployment without moving it on: the Tooling API's view."""
        (row,) = self.rows(f"SELECT Status FROM DeployRequest WHERE Id = '{job}'", tooling=True)
        return str(row["Status"])

    def deploy(
        self, *pieces: Piece, options: Mapping[str, Any] | None = None, version: str = "66.0", **more: Any
    ) -> Deployed:
        return self.poll(self.start(package(*pieces, version=version, **more), **(options or {})))

    def deployed(self, *pieces: Piece, **more: Any) -> Deployed:
        """Deploy what must succeed."""
        done = self.deploy(*pieces, **more)
        assert done.status == "Succeeded", done.problems
        return done

    def refused(self, *pieces: Piece, **more: Any) -> str:
        """Deploy what must fail, with one problem; return it."""
        done = self.deploy(*pieces, **more)
        assert done.status == "Failed", done.result
        (problem,) = done.problems
        return str(problem)

    def destroy(self, kind: str, *names: str, when: str = "", options: Mapping[str, Any] | None = None) -> Deployed:
        files = {"package.xml": manifest({}), f"destructiveChanges{when}.xml": manifest({kind: list(names)})}
        return self.poll(self.start(zipped(files), **(options or {})))

    def retrieve(self, types: Mapping[str, list[str]], *, version: str = "66.0", single: bool = True) -> Retrieved:
        listed = "".join(
            f"<types>{''.join(f'<members>{m}</members>' for m in members)}<name>{name}</name></types>"
            for name, members in types.items()
        )
        request = (
            f"<retrieveRequest><apiVersion>{version}</apiVersion><singlePackage>{str(single).lower()}</singlePackage>"
            f"<unpackaged>{listed}<version>{version}</version></unpackaged></retrieveRequest>"
        )
        job = self.soap("retrieve", request).findtext(f"{_X}result/{_X}id")
        result = self.soap("checkRetrieveStatus", f"<asyncProcessId>{job}</asyncProcessId>").find(f"{_X}result")
        assert result is not None
        assert result.findtext(f"{_X}status") == "Succeeded", etree.tostring(result)
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(result.findtext(f"{_X}zipFile") or "")))
        properties = {
            (each.findtext(f"{_X}fileName") or ""): {etree.QName(child).localname: child.text or "" for child in each}
            for each in result.findall(f"{_X}fileProperties")
        }
        messages = [each.findtext(f"{_X}problem") or "" for each in result.findall(f"{_X}messages")]
        return Retrieved({name: archive.read(name) for name in archive.namelist()}, properties, messages)

    def read(self, kind: str, name: str, *steps: str, version: str = "66.0", manifest: str = "") -> str | None:
        """Return one text of one component as a retrieve gives it."""
        type_name = manifest or kind
        folder, suffix = FOLDERS[type_name]
        return self.retrieve({type_name: [name]}, version=version).text(f"{folder}/{name}.{suffix}", *steps)
