"""IAM policies as statements, whichever way the code writes them: JSON, `jsonencode` or a policy document."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from code_graph import referred

_DOCUMENT = "aws_iam_policy_document"


@dataclass(frozen=True)
class Statement:
    """What a policy allows: actions on resources, to whom (nobody in a role's own policy), under conditions by key."""

    actions: list[str]
    resources: list[str]
    principals: list[str]
    condition_keys: frozenset[str]


def allowed(policy: Any, graph: Any, address: str) -> list[Statement] | None:
    """Return what a policy allows, or None if that is not known: an expression that only a plan evaluates."""
    value = _only(policy)
    if isinstance(value, str) and f"{_DOCUMENT}." in value and not value.lstrip().startswith("{"):
        return _of_documents(referred(graph, _DOCUMENT, value.strip("${} "), address))
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, dict) or "Statement" not in value:
        return None
    statements = [each for each in _list(value["Statement"]) if isinstance(each, dict)]
    return [_of_json(each) for each in statements if each.get("Effect") != "Deny"]


def _of_json(statement: dict[str, Any]) -> Statement:
    principal = "*" if "NotPrincipal" in statement else statement.get("Principal", [])
    tests = [keys for keys in dict(statement.get("Condition") or {}).values() if isinstance(keys, dict)]
    return Statement(
        # Everything but a few is everything.
        actions=["*"] if "NotAction" in statement else _strings(statement.get("Action")),
        resources=["*"] if "NotResource" in statement else _strings(statement.get("Resource")),
        principals=[each for part in _values(principal) for each in _strings(part)],
        condition_keys=frozenset(key.lower() for keys in tests for key in keys),
    )


def _of_documents(documents: list[dict[str, Any]]) -> list[Statement] | None:
    found = [each for document in documents for each in _blocks(document.get("statement"))]
    return [_of_block(each) for each in found if _only(each.get("effect")) != "Deny"] if documents else None


def _of_block(statement: dict[str, Any]) -> Statement:
    conditions = [_only(each.get("variable")) for each in _blocks(statement.get("condition"))]
    return Statement(
        actions=["*"] if _strings(statement.get("not_actions")) else _strings(statement.get("actions")),
        resources=["*"] if _strings(statement.get("not_resources")) else _strings(statement.get("resources")),
        principals=["*"] if any(_blocks(statement.get("not_principals"))) else _identifiers(statement),
        condition_keys=frozenset(str(key).lower() for key in conditions),
    )


def _identifiers(statement: dict[str, Any]) -> list[str]:
    return [who for each in _blocks(statement.get("principals")) for who in _strings(each.get("identifiers"))]


def _blocks(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in _list(value) if isinstance(each, dict))


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _strings(value: Any) -> list[str]:
    """Flatten what checkov wraps into lists of lists."""
    nested = [_strings(each) if isinstance(each, list) else [each] for each in _list(value)]
    return [each for part in nested for each in part if isinstance(each, str)]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
