"""Asks the mock org's file, in a process of its own: `calls ORG` counts its API calls, `zips ORG FOLDER` writes what
retrieves of all apps bring, in as many zip files as the platform's limit asks for, `set ORG true|false APP…` is an admin
who switches the refresh token's secret of some apps on or off."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.apps import KINDS
from providers.mock import Org, open_org
from providers.mock.metadata.retrieve import Request, retrieve

_FILES = 9_900
_VERSION = 66


def calls(org: Org) -> int:
    """API calls of all operations. Calls that write are counted twice by the org, once as `write:…`."""
    return sum(count for operation, count in org.calls.items() if not operation.startswith("write:"))


def zips(org: Org, folder: Path) -> None:
    """Write `0.zip`, `1.zip` … with all records of the apps' kinds."""
    folder.mkdir(exist_ok=True)
    with org.reading() as world:
        wanted = [(kind, component.name) for kind in KINDS.values() for component in world.components(kind)]
        for number, types in enumerate(_parts(wanted)):
            parcel = retrieve(world, Request(types=types, version=_VERSION, single_package=True))
            (folder / f"{number}.zip").write_bytes(parcel.zip)


def _parts(wanted: list[tuple[str, str]]) -> Iterator[dict[str, list[str]]]:
    for start in range(0, len(wanted), _FILES):
        part: dict[str, list[str]] = {}
        for kind, name in wanted[start : start + _FILES]:
            part.setdefault(kind, []).append(name)
        yield part


if __name__ == "__main__":
    asked, file, *more = sys.argv[1:]
    if asked == "calls":
        sys.stdout.write(f"{calls(open_org(file, create=False))}\n")
    elif asked == "set":
        org = open_org(file, create=False)
        for app in more[1:]:
            address = f"{KINDS['globalOauthSettings']}/{app}"
            org.set(address, {"isSecretRequiredForRefreshToken": more[0]}, as_user=org.admin_username)
    else:
        zips(open_org(file, create=False), Path(more[0]))
