"""zeep, strict, with the WSDL that simple-salesforce ships."""

from collections.abc import Callable
from typing import Any

import requests
import zeep
from lxml import etree

from providers.mock.metadata import schema

NS = "http://soap.sforce.com/2006/04/metadata"
VERSION = 63.0
"""The WSDL's."""
_OPTIONS = {
    **dict.fromkeys(
        ("allowMissingFiles", "autoUpdatePackage", "checkOnly", "ignoreWarnings", "performRetrieve"), False
    ),
    "purgeOnDelete": False,
    "rollbackOnError": True,
    "singlePackage": True,
    "testLevel": "NoTestRun",
}
"""The WSDL leaves out none of them."""
_XS = "http://www.w3.org/2001/XMLSchema"


class Strict:
    """A client that was generated from the WSDL. Every answer is held against the WSDL's own schema too."""

    def __init__(self, line: str, token: str) -> None:
        self.session = requests.Session()
        self.session.hooks["response"].append(self._hear)
        transport = zeep.Transport(session=self.session)
        client = zeep.Client(str(schema.wsdl()), transport=transport, settings=zeep.Settings(strict=True))
        self.make = client.type_factory(NS)
        self._service = eval(line)  # noqa: S307 (what `mock serve` says)
        self._headers = {"SessionHeader": {"sessionId": token}}
        (types,) = etree.parse(str(schema.wsdl())).getroot().iter(f"{{{_XS}}}schema")
        # On its own again, the schema keeps the prefixes that the WSDL around it declares.
        self._schema = etree.XMLSchema(etree.fromstring(etree.tostring(types)))
        self.operations = {str(name) for name in self._service._operations}
        self.asked: set[str] = set()
        self.wrong: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*arguments: Any, **headers: Any) -> Any:
            self.asked.add(operation)
            return getattr(self._service, operation)(*arguments, _soapheaders={**self._headers, **headers})

        return call

    def _hear(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        body = etree.fromstring(answer.content).find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
        if answer.status_code == 200 and not self._schema.validate(body[0]):
            self.wrong += [f"{etree.QName(body[0]).localname}: {error.message}" for error in self._schema.error_log]

    def start(self, data: bytes, **options: Any) -> Any:
        """A deployment that has begun."""
        return self.deploy(data, {**_OPTIONS, **options})

    def outcome(self, started: Any) -> Any:
        """The result of a deployment, with its details. The answer declares a header, so there is a body too."""
        return self.checkDeployStatus(started.id, True).body.result
