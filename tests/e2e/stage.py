"""A project that is applied once for many tests, and people who change its org over HTTP, behind the files' back."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests
from lxml import etree

from tests.e2e.project import Project
from tests.e2e.served import served
from tests.mock.wire import NS, Wire, apex

Value = str | bool | int | list[str] | list[dict[str, str]] | None
"""What an element holds, as the wire has it: a list repeats the element, `None` leaves it out."""
_X = f"{{{NS}}}"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DML, _HANDLER = "OauthTokenExchHandlerApp", "OauthTokenExchangeHandler"


def copy_org(source: Path, target: Path) -> None:
    """Copy the file of an org that others may hold open: what is in its write-ahead log counts."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


class Stage(Project):
    """A project that goes back to how it was saved. Its org stands at `url`."""

    url = ""

    def save(self) -> None:
        """What the project is now is what it goes back to."""
        self._saved = self.root.with_name(f"{self.root.name}-saved")
        self._saved.mkdir()
        copy_org(self.database, self._saved / "org")
        shutil.copytree(self.root / "desired", self._saved / "desired")
        shutil.copytree(self.root / ".reconciler" / "baselines", self._saved / "baselines")
        shutil.copy(self.root / "reconciler.yaml", self._saved)

    def restore(self) -> None:
        """Files, baseline and org as they were saved."""
        self.org.close()
        for beside in ("-wal", "-shm"):
            Path(f"{self.database}{beside}").unlink(missing_ok=True)
        # A file of its own, so that nobody who still holds the old one open writes into it.
        fresh = self.database.with_suffix(".new")
        shutil.copy(self._saved / "org", fresh)
        fresh.replace(self.database)
        shutil.rmtree(self.root / "desired")
        shutil.rmtree(self.root / ".reconciler" / "baselines")
        shutil.copytree(self._saved / "desired", self.root / "desired")
        shutil.copytree(self._saved / "baselines", self.root / ".reconciler" / "baselines")
        shutil.copy(self._saved / "reconciler.yaml", self.root)

    def person(self, username: str, *, version: str = "66.0") -> "Person":
        """Somebody with a session of their own, at the org's URL."""
        return Person(self.org, username, version, requests.Session(), self.url)

    def findings(self, *arguments: str) -> list[dict[str, Any]]:
        """What a drift check says."""
        found = self.run("drift", "--output", "json", *arguments)
        assert found.code in (0, 2), found.said
        return list(found.json["findings"])

    def accept(self, address: str) -> None:
        """Take what is there now as what should be."""
        found = self.run("baseline", "accept", address)
        assert found.code == 0, found.said


@contextmanager
def staged(root: Path, org: Path, prepare: Callable[[Stage], object]) -> Iterator[Stage]:
    """A project as `prepare` leaves it, and its org over a socket."""
    root.mkdir(parents=True)
    stage = Stage(root, org)
    try:
        prepare(stage)
        stage.save()
        with served(stage.org) as stage.url:
            yield stage
    finally:
        stage.org.close()


class Person(Wire):
    """Somebody who changes an org with tools of their own: CRUD calls, deployments, plain REST DML."""

    @property
    def id(self) -> str:
        return next(user.id for user in self.org.users() if user.username == self.username)

    def held(self, address: str, path: str) -> Value:
        """What the org holds, in the form of `set`."""
        if address.startswith("ApexClass/"):
            with self.org.reading() as world:
                found = world.component("ApexClass", _name(address))
            return (found.content or b"").decode() if found is not None else None
        if "/enablements/" in address:
            row = self._row(address)
            return bool(row["is_default"]) if path == "isDefault" else str(row["run_as"])
        parts = path.split(".")
        found = [self.record(address)]
        for part in parts:
            found = found[0].findall(_X + part) if found else []
        if not found:
            return None
        if len(found[0]):
            return [{etree.QName(inner).localname: inner.text or "" for inner in one} for one in found]
        texts = [one.text or "" for one in found]
        return texts if len(texts) > 1 or parts[-1] in _REPEATED else texts[0]

    def set(self, address: str, path: str, value: Value) -> None:
        """Change one field and leave the rest as it is: an enablement by DML, a class by a deployment, others by CRUD."""
        self.set_all(address, {path: value})

    def set_all(self, address: str, values: Mapping[str, Value]) -> None:
        """Change several fields at once."""
        if address.startswith("ApexClass/"):
            (source,) = values.values()
            self.deployed(apex(_name(address), str(source)), version=self.version)
        elif "/enablements/" in address:
            self.patch(_DML, str(self._row(address)["id"]), self._as_columns(values))
        else:
            record = self.record(address)
            for path, value in values.items():
                _put(record, path.split("."), value)
            self.save("updateMetadata", record)

    # -- records by the Metadata API's CRUD calls ---------------------------------------------------------------------

    def record(self, address: str) -> etree._Element:
        """A record as the org gives it."""
        kind = address.partition("/")[0]
        asked = f"<type>{kind}</type><fullNames>{self.full_name(address)}</fullNames>"
        found = self.soap("readMetadata", asked).find(f"{_X}result/{_X}records")
        assert found is not None
        assert len(found), f"the org has no {address}"
        return found

    def save(self, operation: str, record: etree._Element) -> None:
        """Send a record back."""
        record.tag = f"{_X}metadata"
        if record.get(f"{{{_XSI}}}type") == "ConnectedApp":
            # An org refuses to be told the key that it has.
            _put(record, ["oauthConfig", "consumerKey"], None)
        self._succeed(operation, etree.tostring(record, encoding="unicode"))

    def create(self, kind: str, name: str, inside: str) -> None:
        """Make a new record of elements."""
        typed = f'<metadata xmlns:xsi="{_XSI}" xsi:type="{kind}"><fullName>{name}</fullName>{inside}</metadata>'
        self._succeed("createMetadata", typed)

    def delete(self, address: str) -> None:
        """Take a record away."""
        kind = address.partition("/")[0]
        self._succeed("deleteMetadata", f"<type>{kind}</type><fullNames>{self.full_name(address)}</fullNames>")

    def _succeed(self, operation: str, inside: str) -> None:
        result = self.soap(operation, inside).find(f"{_X}result")
        assert result is not None
        assert "true" == result.findtext(f"{_X}success"), result.findtext(f"{_X}errors/{_X}message")

    def full_name(self, address: str) -> str:
        """What the record at an address is called: a satellite's name is not its app's."""
        kind, _, name = address.partition("/")
        with self.org.reading() as world:
            found = world.satellite(kind, name) or world.component(kind, name)
        assert found is not None, f"the org has no {address}"
        return str(found.name)

    # -- rows by plain REST -------------------------------------------------------------------------------------------

    def enable(self, handler: str, app: str, *, user: str, default: bool = False) -> None:
        """Enable an external client app for a handler."""
        ids = {
            "OauthTokenExchangeHandlerId": self.id_of(_HANDLER, handler),
            "ExternalClientApplicationId": self.id_of("ExternalClientApplication", app),
            "ApexExecutionUserId": self._user(user),
        }
        answer = self.session.post(self._sobject(_DML), json={**ids, "IsDefault": default}, headers=self.bearer)
        assert 201 == answer.status_code, answer.text

    def disable(self, address: str) -> None:
        """Take an enablement away."""
        answer = self.session.delete(self._sobject(_DML, str(self._row(address)["id"])), headers=self.bearer)
        assert 204 == answer.status_code, answer.text

    def update_handler(self, name: str, **columns: Any) -> None:
        """Change columns of a handler's row."""
        self.patch(_HANDLER, self.id_of(_HANDLER, name), columns)

    def patch(self, table: str, row: str, columns: Mapping[str, Any]) -> None:
        """Change columns of a row."""
        answer = self.session.patch(self._sobject(table, row), json=dict(columns), headers=self.bearer)
        assert 204 == answer.status_code, answer.text

    def _sobject(self, *parts: str) -> str:
        return "/".join([f"{self.base}/services/data/v{self.version}/sobjects", *parts])

    def _as_columns(self, values: Mapping[str, Value]) -> dict[str, Any]:
        names = {"isDefault": "IsDefault", "apexExecutionUser": "ApexExecutionUserId"}
        return {names[k]: self._user(str(v)) if k == "apexExecutionUser" else v for k, v in values.items()}

    def _user(self, username: str) -> str:
        return next(user.id for user in self.org.users() if user.username == username)

    def id_of(self, kind: str, name: str) -> str:
        """The id of a record."""
        with self.org.reading() as world:
            found = world.component(kind, name)
        assert found is not None, f"the org has no {kind}/{name}"
        return str(found.id)

    def _row(self, address: str) -> dict[str, Any]:
        handler, _, app = address.removeprefix(f"{_HANDLER}/").partition("/enablements/")
        with self.org.reading() as world:
            asked = "SELECT * FROM enablement WHERE handler = ? AND app = ?"
            found = world.db.execute(asked, (handler, app)).fetchone()
        assert found is not None, f"the org has no {address}"
        return dict(found)


_REPEATED = ("scopes", "permissionSetName", "profileName")
"""Elements that are lists even where there is one."""


def _name(address: str) -> str:
    return address.partition("/")[2]


def _put(element: etree._Element, path: list[str], value: Value) -> None:
    name, *rest = path
    found = element.findall(_X + name)
    if rest:
        holder = found[0] if found else etree.SubElement(element, _X + name)
        _put(holder, rest, value)
        return
    for old in found:
        element.remove(old)
    for one in value if isinstance(value, list) else [] if value is None else [value]:
        made = etree.SubElement(element, _X + name)
        if isinstance(one, dict):
            for inner, text in one.items():
                etree.SubElement(made, _X + inner).text = text
        else:
            made.text = str(one).lower() if isinstance(one, bool) else str(one)


def elements(**values: str) -> str:
    """Texts as elements, in the order given."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
