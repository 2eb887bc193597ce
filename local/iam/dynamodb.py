"""What a DynamoDB request does: actions, tables and indexes, and the leading keys of all items that it names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.iam.evaluator import Request, context
from local.iam.message import Unreadable

Keys = Mapping[str, str]
"""The partition keys of a table, that of the table itself under "", and of each index under its name."""

_PREFIX = "arn:aws:dynamodb:"
_ONE_ITEM = {"GetItem": "Key", "PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}
_IN_TRANSACTION = {
    "ConditionCheck": ("ConditionCheckItem", "Key"),
    "Delete": ("DeleteItem", "Key"),
    "Get": ("GetItem", "Key"),
    "Put": ("PutItem", "Item"),
    "Update": ("UpdateItem", "Key"),
}
_WORDS = re.compile(r"[#:]?[\w.\-]+|<>|<=|>=|[=<>(),]")


@dataclass(frozen=True)
class Tables:
    """The tables of an account and a region, as far as they are known."""

    region: str
    account: str
    keys: Mapping[str, Keys]

    def arn(self, table: str, index: str = "") -> str:
        """The ARN of a table or an index; a request may name a table by its ARN too."""
        own = table if table.startswith(_PREFIX) else f"{_PREFIX}{self.region}:{self.account}:table/{table}"
        return f"{own}/index/{index}" if index else own

    def partition_key(self, table: str, index: str = "") -> str:
        """The attribute that the leading key stands in."""
        found = self.keys.get(table_name(table), {}).get(index)
        if found is None:
            raise Unreadable("a table or an index that does not exist")
        return found


def table_name(named: str) -> str:
    """The name of a table that is named by its name or its ARN."""
    return named.partition(":table/")[2] if named.startswith(_PREFIX) else named


def tables_of(body: Mapping[str, Any]) -> set[str]:
    """The names of all tables that a request names."""
    named = [body.get("TableName"), *body.get("RequestItems", ())]
    named += [each.get("TableName") for item in body.get("TransactItems", ()) for each in item.values()]
    return {table_name(each) for each in named if each}


def requests(operation: str, body: Mapping[str, Any], tables: Tables) -> list[Request]:
    """Everything that IAM is asked about an operation."""
    return list(_requests(operation, body, tables))


def _requests(operation: str, body: Mapping[str, Any], tables: Tables) -> Iterator[Request]:
    if operation in _ONE_ITEM:
        yield _one(tables, operation, body["TableName"], [body[_ONE_ITEM[operation]]])
    elif operation == "Query":
        index = body.get("IndexName", "")
        key = _equal_to(tables.partition_key(body["TableName"], index), body)
        asked = context(**{"dynamodb:LeadingKeys": [key]})
        yield Request("dynamodb:Query", tables.arn(body["TableName"], index), asked)
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for table, listed in body["RequestItems"].items():
            yield _one(tables, operation, table, list(_batched(operation, listed)))
    elif operation in {"TransactGetItems", "TransactWriteItems"}:
        for item in body["TransactItems"]:
            ((kind, given),) = item.items()
            action, member = _IN_TRANSACTION[kind]
            enclosed = {"dynamodb:EnclosingOperation": operation}
            yield _one(tables, action, given["TableName"], [given[member]], **enclosed)
    elif operation in {"Scan", "DescribeTable"}:  # whatever they return, they name no item
        yield Request(f"dynamodb:{operation}", tables.arn(body["TableName"], body.get("IndexName", "")))
    else:
        raise Unreadable(f"{operation} is not known here")


def _one(tables: Tables, operation: str, table: str, items: list[Mapping[str, Any]], **more: str) -> Request:
    name = tables.partition_key(table)
    keys = [_scalar(item[name]) for item in items]
    return Request(f"dynamodb:{operation}", tables.arn(table), context(**{"dynamodb:LeadingKeys": keys}, **more))


def _batched(operation: str, listed: Any) -> Iterator[Mapping[str, Any]]:
    if operation == "BatchGetItem":
        yield from listed["Keys"]
        return
    for each in listed:
        ((kind, given),) = each.items()
        yield given[{"PutRequest": "Item", "DeleteRequest": "Key"}[kind]]


def _equal_to(name: str, body: Mapping[str, Any]) -> str:
    """The value that a Query's condition asks of the partition key: it has to do so exactly once."""
    if "KeyConditions" in body:
        condition = body["KeyConditions"][name]
        ((value,), operator) = condition["AttributeValueList"], condition["ComparisonOperator"]
        if operator != "EQ" or "KeyConditionExpression" in body:
            raise Unreadable("a Query of more than one partition")
        return _scalar(value)
    names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]
    words = _WORDS.findall(body["KeyConditionExpression"])
    found = [
        values[right]
        for left, operator, right in zip(words, words[1:], words[2:], strict=False)
        if operator == "=" and names.get(left, left) == name
    ]
    if len(found) != 1:
        raise Unreadable("a Query of more or less than one partition")
    return _scalar(found[0])


def _scalar(value: Mapping[str, str]) -> str:
    ((kind, text),) = value.items()
    if kind not in {"S", "N", "B"} or not isinstance(text, str):
        raise Unreadable("a key that is none")
    return text
