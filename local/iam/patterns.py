"""Wildcards and policy variables (AWS IAM user guide, "IAM policy elements: Variables and tags")."""

import re
from collections.abc import Mapping
from functools import lru_cache, partial

Context = Mapping[str, tuple[str, ...]]
"""Condition keys of a request, names in lower case. A key that is absent is not in it; none has no values."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_LITERAL = {"*", "?", "$"}
_DEFAULT = re.compile(r"([^,\s]+)\s*,\s*'([^']*)'")


class UnclearPolicy(Exception):
    """A policy, or a policy with this request, whose meaning is not known here: nobody may guess what AWS says."""


class Unresolved(Exception):
    """A variable whose key the request does not have, and that has no default."""


def matches(pattern: str, value: str, context: Context) -> bool:
    """Whether a value is what a pattern with `*`, `?` and variables describes."""
    if "${" in pattern:
        return re.fullmatch(_resolved(pattern, context), value, re.DOTALL) is not None
    return _compiled(pattern).fullmatch(value) is not None


def arn_matches(pattern: str, value: str, context: Context) -> bool:
    """Whether an ARN is meant: its six parts are compared one by one, for a wildcard does not reach over a colon."""
    if pattern == "*":
        return True
    patterns, parts = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(parts) and all(map(partial(matches, context=context), patterns, parts))


@lru_cache(maxsize=4096)
def action_matches(pattern: str, action: str) -> bool:
    """Whether an action is meant, in whatever case it is written."""
    return _compiled(pattern.lower()).fullmatch(action.lower()) is not None


def literal(text: str, context: Context) -> str:
    """A text with its variables filled in, for comparisons that know no wildcards."""
    return _VARIABLE.sub(lambda found: _value(found[1], context), text)


def _resolved(pattern: str, context: Context) -> str:
    """The regular expression of a pattern; what a variable stands for is taken as it is, wildcards and all."""
    done, parts = 0, []
    for found in _VARIABLE.finditer(pattern):
        parts += [_expression(pattern[done : found.start()]), re.escape(_value(found[1], context))]
        done = found.end()
    return "".join([*parts, _expression(pattern[done:])])


def _value(variable: str, context: Context) -> str:
    if variable in _LITERAL:
        return variable
    with_default = _DEFAULT.fullmatch(variable)
    name = with_default[1] if with_default else variable
    values = context.get(name.lower())
    if values is None:
        if with_default:
            return with_default[2]
        raise Unresolved(name)
    if len(values) != 1:
        raise UnclearPolicy(f"a variable stands for one value, and {name} has {len(values)}")
    if "*" in values[0] or "?" in values[0]:
        raise UnclearPolicy(f"{name} holds a wildcard: whether it would act as one is not for us to say")
    return values[0]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_expression(pattern), re.DOTALL)


def _expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in pattern)
