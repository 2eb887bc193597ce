"""Parameters and results between the service's JSON and PostgreSQL's text format."""

import base64
from typing import Any

from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq.abc import PGresult

from local.json_service import ServiceError
from local.rds_data.errors import bad_request

Field = dict[str, Any]

_BOOL, _BYTEA, _FLOAT8, _INT8, _VARCHAR = 16, 17, 701, 20, 1043
_HINTS = {"DATE": 1082, "DECIMAL": 1700, "JSON": 3802, "TIME": 1083, "TIMESTAMP": 1114, "UUID": 2950}
_CARRIED = (
    *("bool", "bytea", "int2", "int4", "int8", "oid", "float4", "float8", "numeric"),
    *("text", "varchar", "bpchar", "name", "uuid", "json", "jsonb", "inet"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
)
_OIDS = {types[name].oid for name in _CARRIED} | {types[name].array_oid for name in _CARRIED}


def parameter(given: Field) -> tuple[int, bytes | None]:
    """The type and text of one parameter. A string without a hint is a varchar, and PostgreSQL holds one to that."""
    field = given.get("value", {})
    if field.get("isNull"):
        return 0, None
    ((kind, value),) = field.items()
    match kind:
        case "booleanValue":
            return _BOOL, b"true" if value else b"false"
        case "longValue":
            return _INT8, str(value).encode()
        case "doubleValue":
            return _FLOAT8, repr(float(value)).encode()
        case "stringValue":
            return _HINTS.get(given.get("typeHint", ""), _VARCHAR), value.encode()
        case "blobValue":
            return _BYTEA, b"\\x" + base64.b64decode(value).hex().encode()
    raise bad_request("Array parameters are not supported")


def records(result: PGresult) -> list[list[Field]]:
    """Every row, or the service's refusal of a type that it does not carry."""
    for column in range(result.nfields):
        if result.ftype(column) not in _OIDS:
            known = types.get(result.ftype(column))
            name = known.name if known else str(result.ftype(column))
            raise ServiceError(
                "UnsupportedResultException", f"The result contains the unsupported data type {name.upper()}."
            )
    reader = Transformer()
    reader.set_pgresult(result)
    rows = (reader.load_row(row, tuple) or () for row in range(result.ntuples))
    return [
        [_field(value, result.get_value(row, column)) for column, value in enumerate(values)]
        for row, values in enumerate(rows)
    ]


def metadata(result: PGresult) -> list[Field]:
    """Names of the columns."""
    names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
    return [{"name": name, "label": name} for name in names]


def _field(value: Any, text: bytes | None) -> Field:
    if value is None:
        return {"isNull": True}
    if isinstance(value, bytes):
        return {"blobValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": _array(value)}
    kind = {bool: "booleanValue", int: "longValue", float: "doubleValue"}.get(type(value))
    return {kind: value} if kind else {"stringValue": (text or b"").decode()}


def _array(values: list[Any]) -> Field:
    kinds = {bool: "booleanValues", int: "longValues", float: "doubleValues", list: "arrayValues"}
    kind = kinds.get(type(next((value for value in values if value is not None), "")), "stringValues")
    if kind == "arrayValues":
        return {kind: [_array(value) for value in values]}
    return {kind: [str(value) if kind == "stringValues" else value for value in values]}
