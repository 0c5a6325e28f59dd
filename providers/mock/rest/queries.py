"""Queries and single records by REST, and what describe says of the objects that can be asked for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from providers.mock.columns import HIDDEN_FROM_TOOLING, NOT_FILTERABLE, TABLES, TOOLING_ONLY, relation, type_of
from providers.mock.org import Org
from providers.mock.rest.entry import Json, answered, enter, not_found
from providers.mock.rest.soql import no_such_column, not_shown, parse, select, shaped
from providers.mock.rest.soql_query import Aggregate, Query, Tables
from providers.mock.rest.tables import MOST_ROWS, ROWS_A_PAGE, rows, shown
from providers.mock.state import ids
from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World

# What each object takes besides queries (Object Reference, "Supported Calls").
CREATABLE = frozenset({"OauthTokenExchHandlerApp", "OauthTokenExchangeHandler", "PermissionSetAssignment"})
UPDATABLE = frozenset({"OauthTokenExchHandlerApp", "OauthTokenExchangeHandler"})
_LABELS = {"OauthTokenExchHandlerApp": "OAuth Token Exchange Handler App", "SetupAuditTrail": "Setup Audit Trail Entry"}
_STAMPED = frozenset({"Id", "CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate"})


def query(org: Org, request: Request, version: str, tooling: str | None) -> Response:
    return _page(org, request, version, tooling or "", request.args.get("q", ""), 0)


def query_more(org: Org, request: Request, version: str, tooling: str | None, locator: str) -> Response:
    """Answer with the next page of a query: a locator holds its query and how far it got, so nothing is kept in between."""
    asked, _, reached = locator.removeprefix("01g").rpartition("-")
    try:
        text, offset = base64.urlsafe_b64decode(asked).decode(), int(reached)
    except ValueError:
        raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator") from None
    return _page(org, request, version, tooling or "", text, offset)


def _page(org: Org, request: Request, version: str, tooling: str, text: str, offset: int) -> Response:
    user = enter(org, request, version, "query")
    with org.reading() as world:
        asked = parse(text, tooling=bool(tooling), now=datetime.fromisoformat(world.now))
        for table in sorted(asked.tables):
            if not shown(world, user, table):
                raise not_shown(text, table, tooling=bool(tooling))
        found = select(asked, Tables(lambda table: rows(world, table, user)))
        size = max(1, min(world.switches.query_page, ROWS_A_PAGE.get(asked.table, world.switches.query_page)))
    if request.args.get("columns") == "true":
        return answered({"columnMetadata": _columns(asked), "entityName": asked.table, "groupBy": bool(asked.groups)})
    if asked.count:
        return answered({"totalSize": found[0]["count"], "done": True, "records": []})
    found = found[: MOST_ROWS.get(asked.table)]
    base = f"/services/data/v{version}/{tooling}sobjects"
    records = [_record(asked, row, base) for row in found[offset : offset + size]]
    answer: Json = {"totalSize": len(found), "done": offset + size >= len(found), "records": records}
    if not answer["done"]:
        locator = f"01g{base64.urlsafe_b64encode(text.encode()).decode()}-{offset + size}"
        answer["nextRecordsUrl"] = f"/services/data/v{version}/{tooling}query/{locator}"
    return answered(answer)


def _record(asked: Query, row: Mapping[str, Any], base: str) -> Json:
    if asked.aggregated:
        return {"attributes": {"type": "AggregateResult"}, **row}
    return _attributed(shaped(asked.selected, row), asked.table, base)


def _attributed(found: Json, table: str, base: str) -> Json:
    """Add type and url to a record and to related ones in it; a related record whose fields are all null is null."""
    attributes: Json = {"type": table}
    if found.get("Id"):
        attributes["url"] = f"{base}/{table}/{found['Id']}"
    answer: Json = {"attributes": attributes}
    for name, value in found.items():
        leads_to = relation(table, name) if isinstance(value, dict) else None
        if leads_to is not None:
            answer[name] = None if _empty(value) else _attributed(value, leads_to[2], base)
        else:
            answer[name] = value
    return answer


def _empty(found: Json) -> bool:
    return all(_empty(value) if isinstance(value, dict) else value is None for value in found.values())


def _columns(asked: Query) -> list[Json]:
    """Describe the columns of an answer as the Salesforce CLI wants them: related ones nested."""
    found: list[Json] = []
    if asked.count:
        return [_column("count()", "int", aggregate=True)]
    for each in asked.selected:
        if isinstance(each, Aggregate):
            found.append(_column(each.alias, "int", aggregate=True))
            continue
        here, table = found, asked.table
        for step in each.name.split(".")[:-1]:
            holder = next((one for one in here if one["columnName"] == step), None)
            if holder is None:
                holder = _column(step, "reference")
                here.append(holder)
            here, table = holder["joinColumns"], (relation(table, step) or ("", "", table))[2]
        here.append(_column(each.column, type_of(table, each.column)))
    return found


def _column(name: str, kind: str, *, aggregate: bool = False) -> Json:
    number = kind in {"int", "double"}
    return {
        "aggregate": aggregate,
        "apexType": None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": False,
        "displayName": name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": number,
        "textType": kind == "string",
        "updatable": False,
    }


# -- records ---------------------------------------------------------------------------------------------------------


def record(org: Org, request: Request, version: str, tooling: str | None, kind: str, record_id: str) -> Response:
    user = enter(org, request, version, "record")
    wanted = [name.strip() for name in request.args.get("fields", "").split(",") if name.strip()]
    with org.reading() as world:
        table = _visible(world, user, kind, tooling)
        columns = [_named_column(table, name) for name in wanted] or list(TABLES[table])
        for row in rows(world, table, user):
            if str(row["Id"])[:15] == ids.short(record_id):
                flat = {name: row[name] for name in columns}
                url = f"/services/data/v{version}/{tooling or ''}sobjects/{table}/{row['Id']}"
                return answered({"attributes": {"type": table, "url": url}, **flat})
    if len(record_id) not in {15, 18}:
        text = f"Provided external ID field does not exist or is not accessible: {record_id}"
        raise Fault("NOT_FOUND", text, 404)
    raise not_found()


def _named_column(table: str, name: str) -> str:
    found = next((each for each in TABLES[table] if each.lower() == name.lower()), None)
    if found is None:
        raise Fault("INVALID_FIELD", no_such_column(name, table))
    return found


def _visible(world: World, user: User, kind: str, tooling: str | None) -> str:
    table = next((each for each in TABLES if each.lower() == kind.lower()), "")
    hidden = HIDDEN_FROM_TOOLING if tooling else TOOLING_ONLY
    if not table or table in hidden or not shown(world, user, table):
        raise not_found()
    return table


# -- describe --------------------------------------------------------------------------------------------------------


def objects(org: Org, request: Request, version: str, tooling: str | None) -> Response:
    """List the objects that the user may ask for."""
    user = enter(org, request, version, "describeGlobal")
    with org.reading() as world:
        hidden = HIDDEN_FROM_TOOLING if tooling else TOOLING_ONLY
        known = [table for table in TABLES if table not in hidden and shown(world, user, table)]
    base = f"/services/data/v{version}/{tooling or ''}sobjects"
    return answered({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(table, base) for table in known]})


def summary(org: Org, request: Request, version: str, tooling: str | None, kind: str) -> Response:
    user = enter(org, request, version, "describeSObject")
    with org.reading() as world:
        table = _visible(world, user, kind, tooling)
    base = f"/services/data/v{version}/{tooling or ''}sobjects"
    return answered({"objectDescribe": _summary(table, base), "recentItems": []})


def describe(org: Org, request: Request, version: str, tooling: str | None, kind: str) -> Response:
    """Describe one object: its fields, their types, and what they refer to."""
    user = enter(org, request, version, "describeSObject")
    with org.reading() as world:
        table = _visible(world, user, kind, tooling)
        prefix = next((str(row["Id"])[:3] for row in rows(world, table, user) if row["Id"]), None)
    base = f"/services/data/v{version}/{tooling or ''}sobjects"
    fields = [_field(table, column) for column in TABLES[table]]
    rest: Json = {"childRelationships": [], "fields": fields, "recordTypeInfos": [], "supportedScopes": []}
    return answered({**_summary(table, base), "keyPrefix": prefix, **rest})


def _label(name: str) -> str:
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name).strip()
    return _LABELS.get(name, spaced)


def _summary(table: str, base: str) -> Json:
    here = f"{base}/{table}"
    return {
        "createable": table in CREATABLE,
        "custom": False,
        "customSetting": False,
        "deletable": table in CREATABLE,
        "label": _label(table),
        "labelPlural": f"{_label(table)}s",
        "layoutable": False,
        "name": table,
        "queryable": True,
        "retrieveable": True,
        "searchable": False,
        "updateable": table in UPDATABLE,
        "urls": {"sobject": here, "describe": f"{here}/describe", "rowTemplate": f"{here}/{{ID}}"},
    }


def _field(table: str, column: str) -> Json:
    kind = type_of(table, column)
    stem = column.removesuffix("Id")
    leads_to = relation(table, stem) if kind == "reference" else None
    return {
        "aggregatable": kind != "boolean",
        "createable": table in CREATABLE and column not in _STAMPED,
        "custom": False,
        "filterable": column not in NOT_FILTERABLE.get(table, ()),
        "groupable": kind not in {"dateTime", "double"},
        "label": _label(column),
        "length": 18 if kind in {"id", "reference"} else 255 if kind == "string" else 0,
        "name": column,
        "nillable": column != "Id" and kind != "boolean",
        "picklistValues": [],
        "referenceTo": [leads_to[2]] if leads_to else [],
        "relationshipName": leads_to[0] if leads_to else None,
        "soapType": _SOAP.get(kind, f"xsd:{kind}"),
        "sortable": True,
        "type": "datetime" if kind == "dateTime" else kind,
        "unique": False,
        "updateable": table in UPDATABLE and column not in _STAMPED,
    }


_SOAP = {"id": "tns:ID", "reference": "tns:ID"}
