"""Condition operators (AWS IAM user guide, "Condition operators", "Set operators for multivalued context keys").

Only the operators that are written below are known: any other one is refused loudly, never taken for a match.
"""

from collections.abc import Callable, Iterable

from local.iam.patterns import Context, UnclearPolicy, Unresolved, arn_matches, literal, matches

Conditions = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Each an operator, the name of a key in lower case, and the values of which one has to fit."""

_Compare = Callable[[str, str, Context], bool]


_OPERATORS: dict[str, _Compare] = {
    "stringequals": lambda value, wanted, context: value == literal(wanted, context),
    "stringequalsignorecase": lambda value, wanted, context: value.lower() == literal(wanted, context).lower(),
    "stringlike": lambda value, wanted, context: matches(wanted, value, context),
    "arnlike": lambda value, wanted, context: arn_matches(wanted, value, context),
    "arnequals": lambda value, wanted, context: arn_matches(wanted, value, context),
    "bool": lambda value, wanted, context: value.lower() == literal(wanted, context).lower(),
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotlike": "arnlike",
    "arnnotequals": "arnequals",
}
_SETS = ("forallvalues:", "foranyvalue:")


def parse(condition: dict[str, dict[str, object]]) -> Conditions:
    """Read a Condition element; UnclearPolicy for an operator that is not known."""
    parsed = []
    for operator, keys in condition.items():
        _check(operator)
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            parsed.append((operator.lower(), key.lower(), tuple(_text(value) for value in listed)))
    return tuple(parsed)


def hold(conditions: Conditions, context: Context) -> bool:
    """Whether all of them hold."""
    return all(_holds(operator, context.get(key), values, context) for operator, key, values in conditions)


def _holds(operator: str, actual: tuple[str, ...] | None, wanted: tuple[str, ...], context: Context) -> bool:
    if operator == "null":
        return any((actual is None) == (one.lower() == "true") for one in wanted)
    prefix, name, if_exists = _split(operator)
    if actual is None:
        # No value is at odds with what all values have to be, and none equals what it must not be.
        return if_exists or prefix == _SETS[0] or (not prefix and name in _NEGATED)
    fits = (_fits(name, value, wanted, context) for value in actual)
    return _combined(prefix, name, actual, fits)


def _combined(prefix: str, name: str, actual: tuple[str, ...], fits: Iterable[bool]) -> bool:
    if prefix == _SETS[0]:
        return all(fits)
    if prefix == _SETS[1] or len(actual) == 1:
        return any(fits)
    raise UnclearPolicy(f"{name} without ForAllValues or ForAnyValue meets {len(actual)} values")


def _fits(name: str, value: str, wanted: tuple[str, ...], context: Context) -> bool:
    """One value against all that are listed: one of them, or with a negated operator none of them, has to match."""
    if name in _NEGATED:
        compare = _OPERATORS[_NEGATED[name]]
        try:
            return not any(compare(value, one, context) for one in wanted)
        except Unresolved as unresolved:
            raise UnclearPolicy(f"{name} with a variable that has no value: {unresolved}") from None
    return any(_compare(_OPERATORS[name], value, one, context) for one in wanted)


def _compare(compare: _Compare, value: str, wanted: str, context: Context) -> bool:
    try:
        return compare(value, wanted, context)
    except Unresolved:
        return False


def _split(operator: str) -> tuple[str, str, bool]:
    """The set operator, the operator itself, and whether an absent key will do."""
    prefix = next((one for one in _SETS if operator.startswith(one)), "")
    name = operator.removeprefix(prefix)
    return prefix, name.removesuffix("ifexists"), name.endswith("ifexists")


def _check(operator: str) -> None:
    name = _split(operator.lower())[1]
    if operator.lower() != "null" and name not in _OPERATORS and name not in _NEGATED:
        raise UnclearPolicy(f"the condition operator {operator} is not known here")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
