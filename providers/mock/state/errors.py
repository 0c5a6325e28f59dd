"""What can go wrong in the mock org.

MockOrgError     a person's mistake in the Python interface: an unknown address, field or user, a missing file
Refusal          the org says no to one component, in Salesforce's words; becomes a DeployMessage or an Error of CRUD
├── WarningRefusal
└── FileRefusal  the same with a place in the file
Fault            the org says no to a whole call; becomes a SOAP fault or an HTTP error
"""

from __future__ import annotations


class MockOrgError(ValueError):
    """The mock org cannot do what a person asked for. The message is one line and says what to do, if that is known."""


class Refusal(Exception):  # noqa: N818 (it is an answer of the org, not a failure of ours)
    """One component is not accepted; `code` is a value of the WSDL's `StatusCode`."""

    line, column = 0, 0
    severity = "Error"

    def __init__(self, text: str, code: str = "FIELD_INTEGRITY_EXCEPTION") -> None:
        super().__init__(text)
        self.text, self.code = text, code

    @property
    def problem(self) -> str:
        """The text as a DeployMessage shows it."""
        return self.text


class WarningRefusal(Refusal):
    """A warning that the deployment did not ask to ignore: it counts as an error and is shown as a warning."""

    severity = "Warning"


class FileRefusal(Refusal):
    """A file does not fit its type; `line` and `column` (from 1) are where a pull parser stands: after the start tag.

    Some of Salesforce's texts carry the place in brackets and some begin "Error parsing file:"; `template` says how.
    """

    def __init__(self, text: str, line: int, column: int, template: str = "{text}") -> None:
        super().__init__(text, "INVALID_FIELD")
        self.line, self.column, self._template = line, column, template

    @property
    def problem(self) -> str:
        return self._template.format(text=self.text, line=self.line, column=self.column)


class Fault(Exception):  # noqa: N818 (the word of SOAP)
    """A whole call is not accepted: `code` is what follows `sf:` in a SOAP fault or is the `errorCode` of REST."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.status = code, text, status
