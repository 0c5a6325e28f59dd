"""An org that the Salesforce CLI has logged in to: the CLI is asked for the token, and renews it itself.

Its files are encrypted, and its own affair (https://github.com/forcedotcom/cli/issues/939). Newer CLIs show the token only by
`sf org auth show-access-token`
(https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_secrets.htm).

The project file names an alias and nothing else. Which program runs is not its to say: `sf` from a folder of PATH that is
absolute and outside of the repository that we work in, or what the environment variable RECONCILER_SF names. It runs without a
shell, in the user's home, where no file of the project has a say, and not for ever.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.keys import Given
from providers.salesforce.login.place import Access, is_login_host, org_at
from providers.salesforce.wire.session import token_of
from reconciler.errors import Complaint, InputError, NotAllowedError, ReconcilerError, UnreachableError
from reconciler.redaction import hold

PROGRAM = "RECONCILER_SF"
"""The environment variable that names the CLI where it is not on PATH."""
SECONDS = 120.0
"""The CLI needs one or two; more where it renews a login or updates itself."""
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,254}")
"""An alias or a username: never an option of the CLI, nor a token, which it takes in the same place."""
_QUIET = {
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_JSON_TO_STDOUT": "true",
    "NO_COLOR": "1",
}
_LONGEST = 1_000_000

Run = Callable[[Sequence[str]], Mapping[str, Any]]


def sf(given: Given, instance_url: str, _door: Door, run: Run | None = None) -> Callable[[], Access]:
    """Logs in as whom the Salesforce CLI knows by `alias`, which is an alias or a username."""
    given.need("alias")
    alias = given.text("alias")
    if not _ALIAS.fullmatch(alias):
        # Without the value, which may be any variable of the environment.
        raise InputError(
            Complaint("login: alias holds no alias of the Salesforce CLI", mend="`sf org list` shows them")
        )
    pinned = "" if is_login_host(instance_url) else instance_url

    def log_in() -> Access:
        ask = run or _asking(_program())
        shown = ask(["org", "display", "--target-org", alias, "--json"])
        place = org_at(str(shown.get("instanceUrl") or ""), pinned or str(shown.get("instanceUrl") or ""), pinned)
        token = shown.get("accessToken")
        if not isinstance(token, str) or "[" in token or not token:
            token = ask(["org", "auth", "show-access-token", "--target-org", alias, "--json"]).get("accessToken")
        return Access(token_of(hold(str(token or "")), "what the Salesforce CLI says"), place)

    return log_in


def _program() -> str:
    """The CLI's own file. Raises InputError where there is none that we may run."""
    chosen = os.environ.get(PROGRAM, "")
    if chosen:
        if not Path(chosen).is_absolute() or not os.access(chosen, os.X_OK):
            raise InputError(Complaint(f"{PROGRAM} names no program", mend="give the absolute path of sf"))
        return chosen
    here = _here()
    folders = [folder for folder in os.get_exec_path() if Path(folder).is_absolute()]
    # A pull request can put a file named sf anywhere into the repository, and npm puts such folders on PATH.
    outside = [folder for folder in folders if not Path(folder).resolve().is_relative_to(here)]
    found = shutil.which("sf", path=os.pathsep.join(outside)) if outside else None
    if found is None or Path(found).resolve().is_relative_to(here):
        raise InputError(
            Complaint(
                "the login asks the Salesforce CLI, and there is no sf on PATH outside of this folder",
                mend=f"install it (npm install --global @salesforce/cli), or name it by {PROGRAM}=/path/to/sf",
            )
        )
    return found


def _here() -> Path:
    """The folder of the Git repository that we run in; the current folder, where there is none."""
    folder = Path.cwd().resolve()
    # People who keep their home in Git have their programs there, too.
    home = Path(os.environ.get("HOME") or "/").resolve()
    return next((one for one in (folder, *folder.parents) if one != home and (one / ".git").exists()), folder)


def _asking(program: str) -> Run:
    def ask(arguments: Sequence[str]) -> Mapping[str, Any]:
        try:
            done = subprocess.run(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
                cwd=Path.home(),
                env={**os.environ, **_QUIET},
            )
        except subprocess.TimeoutExpired:
            raise UnreachableError(
                Complaint(
                    f"the Salesforce CLI gave no answer within {SECONDS:.0f} seconds", mend=f"run: {_line(arguments)}"
                )
            ) from None
        except (OSError, RuntimeError):
            raise InputError(
                Complaint("the Salesforce CLI cannot be run", mend=f"try it: {_line(arguments)}")
            ) from None
        return _result(done.stdout, arguments)

    return ask


def _result(output: bytes, arguments: Sequence[str]) -> Mapping[str, Any]:
    try:
        answer = json.loads(output[output.index(b"{") :]) if len(output) <= _LONGEST else {}
    except (ValueError, RecursionError):
        answer = {}
    result = answer.get("result") if isinstance(answer, Mapping) else None
    if isinstance(result, Mapping) and answer.get("status") == 0:
        return result
    raise _refusal(answer if isinstance(answer, Mapping) else {}, arguments)


def _refusal(answer: Mapping[str, Any], arguments: Sequence[str]) -> ReconcilerError:
    name, said = str(answer.get("name") or ""), str(answer.get("message") or "")
    mend = "log in with it: sf org login web --alias …; `sf org list` shows whom it knows"
    if "show-access-token" in arguments and "not" in said and "command" in said:
        mend = "update it: sf update"
    return NotAllowedError(
        Complaint(
            f"the Salesforce CLI gives no login: {_line(arguments)}",
            mend=mend,
            quote=f"{name}: {said}" if name else said,
        )
    )


def _line(arguments: Sequence[str]) -> str:
    return f"sf {' '.join(arguments)}"
