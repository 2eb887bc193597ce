"""Filter patterns of event source mappings, as EventBridge matches them.

A pattern is an object of fields; a field is a list of rules, of which one has to hold. DynamoDB's numbers are strings
on the wire, so that the rule `numeric` never holds for them; as with AWS.
"""

from collections.abc import Callable
from typing import Any

Pattern = dict[str, Any]
_MISSING = object()


def matches(pattern: Pattern, record: Any) -> bool:
    """Whether every field of the pattern holds."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(each, record) for each in wanted):
                return False
            continue
        value = record.get(name, _MISSING) if isinstance(record, dict) else _MISSING
        if isinstance(wanted, dict):
            if not matches(wanted, {} if value is _MISSING else value):
                return False
        elif not any(_holds(rule, value) for rule in wanted):
            return False
    return True


def _holds(rule: Any, value: Any) -> bool:
    if not isinstance(rule, dict):
        return value is not _MISSING and not isinstance(value, dict) and type(rule) is type(value) and rule == value
    (name, wanted), *_ = rule.items()
    if name == "exists":
        # Only leaves exist: a pattern that asks for an object's existence never holds.
        return bool(wanted) == (value is not _MISSING and not isinstance(value, dict))
    return value is not _MISSING and _RULES[name](wanted, value)


def _anything_but(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return not _holds(wanted, value)
    return value not in (wanted if isinstance(wanted, list) else [wanted])


def _numeric(wanted: list[Any], value: Any) -> bool:
    if not isinstance(value, int | float):
        return False
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    return all(_COMPARED[sign](value, bound) for sign, bound in pairs)


_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_RULES: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda wanted, value: isinstance(value, str) and value.startswith(wanted),
    "suffix": lambda wanted, value: isinstance(value, str) and value.endswith(wanted),
    "equals-ignore-case": lambda wanted, value: isinstance(value, str) and value.lower() == wanted.lower(),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
