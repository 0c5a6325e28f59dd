"""jsforce: a few lines of a script, run by Node."""

import json
from collections.abc import Mapping
from typing import Any

from tests.interop import installed

_SCRIPT = """
const jsforce = require("@jsforce/jsforce-node");
const conn = %(line)s;
conn.version = "64.0";
conn.metadata.pollInterval = 20;
(async () => { %(lines)s })()
  .then((value) => console.log(JSON.stringify(value ?? null)))
  .catch((error) => { console.log(JSON.stringify({ name: error.name, code: error.errorCode, message: error.message })); process.exitCode = 1; });
"""


class Jsforce:
    """`jsforce("return …")` gives what the lines return; `conn` is a connection, `given` what the keywords say."""

    def __init__(self, line: str, env: Mapping[str, str]) -> None:
        self._line, self._env = line, env

    def __call__(self, lines: str, **given: Any) -> Any:
        """Lines that have to succeed."""
        found = self._run(lines, given)
        assert found.code == 0, found.said
        return found.json

    def refused(self, lines: str, **given: Any) -> Any:
        """Lines that have to throw: name, code and message of the error."""
        found = self._run(lines, given)
        assert found.code == 1, found.said
        return found.json

    def _run(self, lines: str, given: Mapping[str, Any]) -> installed.Answer:
        script = _SCRIPT % {"line": self._line, "lines": f"const given = {json.dumps(given)};\n{lines}"}
        return installed.run("node", "--eval", script, cwd=installed.HERE, env=self._env)
