"""Metadata that searches can filter by: a hash of each top-level key and value; a filter is equality of hashes."""

import hashlib
import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from agent_memory.domain.json_document import JsonNumber, RawJson, dumps
from agent_memory.errors import InvalidRequest

MAX_FILTERABLE = 100
_HASH_BYTES = 16
_PLAIN_EXPONENT = 18  # characters; Python refuses to read integers of over 4,300
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)


def entries(metadata: dict[str, Any], field: str = "metadata") -> list[str]:
    """Hash each (key, value), in the order of the hashes; two are equal exactly when key and JSON value are.

    Numbers are equal by value, strings by their characters, arrays and objects as a whole whatever the order of keys.

    Raises:
        InvalidRequest: more keys than can be filtered by.
    """
    if len(metadata) > MAX_FILTERABLE:
        raise InvalidRequest.of(field, f"must have at most {MAX_FILTERABLE} keys")
    return sorted(_hash(dumps([key, _canonical(value)])) for key, value in metadata.items())


def value_key(value: Any) -> str:
    """Hash of a JSON value; two are equal exactly when the values are, whatever their spelling."""
    return _hash(dumps(_canonical(value)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).digest()[:_HASH_BYTES].hex()


def _canonical(value: Any) -> Any:
    """The same value in its one spelling."""
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_canonical(member) for member in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return RawJson(_number(value.literal if isinstance(value, JsonNumber) else repr(value)))
    return value


def _number(literal: str) -> str:
    """A number as its shortest digits and a power of ten, without ever writing the zeros between them."""
    match = _NUMBER.fullmatch(literal)
    if match is None:
        msg = "no number of JSON"  # an infinity that never came through `parse`
        raise ValueError(msg)
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", match.group(4) or "0"
    digits = (whole + fraction).lstrip("0")
    shortest = digits.rstrip("0")
    if not shortest:
        return "0"
    return f"{sign}{shortest}e{_sum(exponent, len(digits) - len(shortest) - len(fraction))}"


def _sum(exponent: str, shift: int) -> str:
    if len(exponent) <= _PLAIN_EXPONENT:
        return str(int(exponent) + shift)
    exact = Context(prec=len(exponent) + 20, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return f"{exact.add(Decimal(exponent), Decimal(shift)):f}"
