"""JSON in, the same JSON out: strict parsing, and numbers that keep the digits they were written with.

Python's own parser would turn 1e2 into 100.0 and -0 into 0, and would accept NaN and repeated keys.
"""

import json
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any

from agent_memory.domain.times import format_time
from agent_memory.errors import InvalidRequest

MAX_DEPTH = 100
_CHECKED = (str, dict, list)  # a body may hold a million numbers: they need no second look
_MAX_INT_DIGITS = 4000  # CPython refuses to convert more than 4,300 (sys.int_info)


_WORDS = {None: "null", True: "true", False: "false"}


class JsonNumber(float):
    """A number that Python cannot hold exactly; `literal` is how it was written."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> "JsonNumber":
        """Keep the text beside the nearest float."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class RawJson(str):
    """JSON that has been written already; `dumps` takes it over as it is."""

    __slots__ = ()


def parse(text: str, field: str = "body") -> Any:
    """Parse strict JSON.

    Raises:
        InvalidRequest: malformed, NaN or Infinity, a repeated key, a lone surrogate, or nested over 100 deep.
    """
    try:
        value = json.loads(
            text,
            parse_float=JsonNumber,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_duplicates,
        )
    except RecursionError:
        raise InvalidRequest.of(field, f"must not be nested over {MAX_DEPTH} deep") from None
    except json.JSONDecodeError as exc:
        raise InvalidRequest.of(field, f"must be JSON (line {exc.lineno}, column {exc.colno})") from None
    except _NotStrictError as exc:
        raise InvalidRequest.of(field, str(exc)) from None
    _check(value, MAX_DEPTH, field)
    return value


def dumps(value: Any) -> str:
    """Write compact JSON; `JsonNumber` keeps its literal and `datetime` becomes RFC 3339 in UTC."""
    out: list[str] = []
    _write(value, out)
    return "".join(out)


def memory_of(value: Any) -> int:
    """About how many bytes a parsed value takes in memory: of many small parts some twenty times those of its JSON."""
    if isinstance(value, str):
        return 50 + len(value)
    if isinstance(value, dict):
        return 64 + sum(100 + len(key) + memory_of(member) for key, member in value.items())
    if isinstance(value, list):
        return 56 + sum(8 + memory_of(member) for member in value)
    return 32


class _NotStrictError(ValueError):
    """Something the JSON module allows and this API does not."""


def _integer(literal: str) -> int | JsonNumber:
    if literal == "-0" or len(literal) > _MAX_INT_DIGITS:
        return JsonNumber(literal)
    return int(literal)


def _refuse_constant(name: str) -> None:
    msg = f"must not hold {name}"
    raise _NotStrictError(msg)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "must not repeat a key within an object"
        raise _NotStrictError(msg)
    return value


def _check(value: Any, depth: int, field: str) -> None:
    if isinstance(value, str):
        if not value.isascii():
            _check_unicode(value, field)
    elif isinstance(value, dict | list):
        if depth == 0:
            raise InvalidRequest.of(field, f"must not be nested over {MAX_DEPTH} deep")
        for key in value if isinstance(value, dict) else ():
            _check_unicode(key, field)
        for member in value.values() if isinstance(value, dict) else value:
            if type(member) in _CHECKED:
                _check(member, depth - 1, field)


def _check_unicode(value: str, field: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest.of(field, "must not hold a lone surrogate") from None


def _write(value: Any, out: list[str]) -> None:
    if isinstance(value, str):
        out.append(value if isinstance(value, RawJson) else encode_basestring(value))
    elif isinstance(value, dict):
        _write_object(value, out)
    elif isinstance(value, list | tuple):
        _write_array(value, out)
    else:
        out.append(_scalar(value))


def _scalar(value: Any) -> str:
    if type(value) is int:
        return repr(value)
    if isinstance(value, JsonNumber):
        return value.literal
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, datetime):
        return f'"{format_time(value)}"'
    return json.dumps(value, allow_nan=False)


def _write_object(value: dict[str, Any], out: list[str]) -> None:
    out.append("{")
    for position, (key, member) in enumerate(value.items()):
        if position:
            out.append(",")
        out.append(encode_basestring(key))
        out.append(":")
        _write(member, out)
    out.append("}")


def _write_array(value: "list[Any] | tuple[Any, ...]", out: list[str]) -> None:
    out.append("[")
    for position, member in enumerate(value):
        if position:
            out.append(",")
        _write(member, out)
    out.append("]")
