"""Policies as they are written, read into statements."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.iam import conditions
from local.iam.patterns import UnclearPolicy

_ELEMENTS = {"Action", "Condition", "Effect", "NotAction", "NotResource", "Principal", "Resource", "Sid"}
_VARIABLES_SINCE = "2012-10-17"


@dataclass(frozen=True)
class Statement:
    """One statement. Its name is that of its policy and its Sid, or its place where it has none."""

    name: str
    allows: bool
    actions: tuple[str, ...]
    but_actions: tuple[str, ...]
    resources: tuple[str, ...]
    but_resources: tuple[str, ...]
    conditions: conditions.Conditions
    principals: tuple[tuple[str, str], ...]

    def without(self, action: str) -> "Statement":
        """The statement as it is once an action is struck off; one without actions matches nothing."""
        return replace(self, actions=tuple(each for each in self.actions if each != action))


def parse(name: str, document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Read a policy; UnclearPolicy for whatever is not known here."""
    listed = document.get("Statement", [])
    statements = listed if isinstance(listed, list) else [listed]
    if document.get("Version") != _VARIABLES_SINCE and "${" in json.dumps(statements):
        raise UnclearPolicy(f"{name}: variables are plain text in a policy of another version than {_VARIABLES_SINCE}")
    return tuple(_statement(name, place, each) for place, each in enumerate(statements))


def _statement(policy: str, place: int, given: Mapping[str, Any]) -> Statement:
    name = f"{policy}.{given.get('Sid') or place}"
    unknown = given.keys() - _ELEMENTS
    if unknown or given.get("Effect") not in {"Allow", "Deny"}:
        raise UnclearPolicy(f"{name}: elements that are not known here: {sorted(unknown) or given.get('Effect')}")
    return Statement(
        name=name,
        allows=given["Effect"] == "Allow",
        actions=_list(given.get("Action")),
        but_actions=_list(given.get("NotAction")),
        resources=_list(given.get("Resource")),
        but_resources=_list(given.get("NotResource")),
        conditions=conditions.parse(given.get("Condition", {})),
        principals=_principals(given.get("Principal")),
    )


def _list(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list) else (given,)


def _principals(given: Any) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if given == "*":
        return (("AWS", "*"),)
    return tuple((kind, one) for kind, listed in given.items() for one in _list(listed))
