"""The table of a plan, filled from objects as Athena would: by its template, its projections and its SerDe alone."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_SCALARS = {"string": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN"}


class Table:
    """One `aws_glue_catalog_table` as planned."""

    def __init__(self, planned: Mapping[str, Any]) -> None:
        (self._storage,) = planned["storage_descriptor"]
        self._parameters = planned["parameters"]
        self.columns = {each["name"]: each["type"] for each in self._storage["columns"]}
        self.partition_keys = [each["name"] for each in planned["partition_keys"]]

    def place(self, bucket: str, key: str) -> dict[str, str] | None:
        """The partition that an object lies in; None when no query can come upon it."""
        parts = re.split(r"\$\{(\w+)\}", self._parameters["storage.location.template"])
        pattern = "".join(f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        found = re.match(pattern, f"s3://{bucket}/{key}")
        if found is None or not all(self._projects(name, value) for name, value in found.groupdict().items()):
            return None
        return found.groupdict()

    def _projects(self, name: str, value: str) -> bool:
        if self._parameters[f"projection.{name}.type"] == "injected":
            return True
        first, last = self._parameters[f"projection.{name}.range"].split(",")
        assert (self._parameters[f"projection.{name}.format"], last) == ("yyyy-MM-dd", "NOW+1DAYS")
        days = (datetime.now(UTC).date() + timedelta(days=1) - date.fromisoformat(first)).days
        return value in {str(date.fromisoformat(first) + timedelta(days=n)) for n in range(days + 1)}

    def create(self, connection: duckdb.DuckDBPyConnection, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Make the table `episodes` of what lies in a bucket."""
        columns = {name: _duckdb(kind) for name, kind in self.columns.items()}
        columns |= dict.fromkeys(self.partition_keys, "VARCHAR")
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"CREATE TABLE episodes ({described})")
        marks = ", ".join("?" for _ in columns)
        rows = list(self._rows(bucket, objects))
        connection.executemany(f"INSERT INTO episodes VALUES ({marks})", rows)  # noqa: S608 - question marks only

    def _rows(self, bucket: str, objects: Mapping[str, bytes]) -> Iterator[list[Any]]:
        (serde,) = self._storage["ser_de_info"]
        assert serde["serialization_library"] == _SERDE
        for key, content in objects.items():
            place = self.place(bucket, key)
            if place is None:
                continue
            assert key.endswith(".gz")  # how Hive's text input knows what to undo
            for line in gzip.decompress(content).decode().split("\n")[:-1]:
                # It compares names in lower case.
                said = {name.lower(): value for name, value in json.loads(line).items()}
                values = [_value(kind, said.get(name)) for name, kind in self.columns.items()]
                yield [*values, *(place[name] for name in self.partition_keys)]


def _duckdb(kind: str) -> str:
    if inner := re.fullmatch(r"array<(.+)>", kind):
        return f"{_duckdb(inner[1])}[]"
    if inner := re.fullmatch(r"struct<(.+)>", kind):
        fields = [field.split(":") for field in inner[1].split(",")]
        return f"STRUCT({', '.join(f'{name} {_duckdb(field)}' for name, field in fields)})"
    return _SCALARS[kind]


def _value(kind: str, said: Any) -> Any:
    """A string column takes whatever there is: a string as it is, anything else as JSON."""
    return said if kind != "string" or said is None or isinstance(said, str) else json.dumps(said)
