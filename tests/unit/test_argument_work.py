"""Work of checking arguments: what a keyword is charged grows with what it looks at, however short the schema is."""

from typing import Any

import pytest

from agent_memory.domain import argument_validator
from agent_memory.domain.argument_schema import MAX_ARGUMENT_BYTES, check_arguments, check_schema
from agent_memory.domain.argument_validator import faults_of_arguments
from agent_memory.domain.argument_work import MAX_STEPS, Work
from agent_memory.domain.json_document import JsonNumber, dumps
from agent_memory.errors import InvalidRequest

NUMBERS = list(range(11_000))
MAP = {f"k{number}": 0 for number in range(5_000)}


def nested(value: Any, levels: int) -> Any:
    """A value that shows its size only to who goes down to its end."""
    for _ in range(levels):
        value = [{"a": value}]
    return value


def repeated(keyword: dict[str, Any], times: int, by: str = "allOf") -> dict[str, Any]:
    """A schema that says the same of a value many times, and is short all the same."""
    return {"$defs": {"k": keyword}, "properties": {"x": {by: [{"$ref": "#/$defs/k"}] * times}}}


@pytest.mark.parametrize(
    ("keyword", "by", "instance"),
    [
        ({"uniqueItems": True}, "allOf", NUMBERS),
        ({"uniqueItems": True}, "allOf", nested(NUMBERS, 20)),
        ({"const": {"a": [0] * 5_000}}, "anyOf", {"a": [0] * 4_999 + [1]}),
        ({"const": nested([0] * 5_000, 10)}, "anyOf", nested([0] * 4_999 + [1], 10)),
        ({"enum": [[0] * 999 + [last] for last in range(2)]}, "anyOf", [0] * 999 + [9]),
        ({"enum": [{"a": [0] * 5_000}]}, "anyOf", {"a": [0] * 4_999 + [1]}),
        ({"additionalProperties": False}, "anyOf", MAP),
        ({"additionalProperties": {}}, "allOf", MAP),
        ({"propertyNames": {}}, "allOf", MAP),
        ({"items": {}}, "allOf", NUMBERS),
        ({"contains": False}, "anyOf", NUMBERS),
        ({"type": "null"}, "anyOf", nested(NUMBERS, 10)),
        ({"anyOf": [False] * 2}, "anyOf", NUMBERS),
        ({"format": "date-time", "maxLength": 9}, "anyOf", "x" * 60_000),
    ],
)
def test_a_short_schema_cannot_have_a_long_value_looked_at_for_ever(
    keyword: dict[str, Any], by: str, instance: Any
) -> None:
    """The schema has some thousand keywords: a tenth of the steps would be enough if the value did not count."""
    schema = repeated(keyword, 300, by)
    check_schema(schema)

    with pytest.raises(InvalidRequest, match="too long"):
        faults_of_arguments({"x": instance}, schema, Work(MAX_STEPS // 10))


def test_what_is_hashed_is_bounded_whatever_the_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eleven million items that a thousand references ask about."""
    hashed = 0

    def counted(_: Any) -> int:
        nonlocal hashed
        hashed += 1
        return hashed

    monkeypatch.setattr(argument_validator, "value_key", counted)
    with pytest.raises(InvalidRequest, match="too long"):
        check_arguments({"x": NUMBERS}, repeated({"uniqueItems": True}, 1_000))

    assert 0 < hashed < 15 * len(NUMBERS)


@pytest.mark.parametrize(
    ("word", "said", "small", "large"),
    [
        ("uniqueItems", True, NUMBERS[:1_000], NUMBERS[:10_000]),
        ("uniqueItems", True, nested(["x" * 6_000], 5), nested(["x" * 60_000], 5)),
        ("const", [0] * 9_999, [0] * 1_000, [0] * 9_999),
        ("enum", [[0] * 9_999], [0] * 999, [0] * 9_999),
        ("additionalProperties", False, {str(n): 0 for n in range(1_000)}, {str(n): 0 for n in range(10_000)}),
        ("format", "uri", "x" * 60_000, "x" * 600_000),
        ("type", "null", [10**3_000] * 10, [10**3_000] * 100),
        ("type", "null", [JsonNumber("0." + "1" * 6_000)] * 10, [JsonNumber("0." + "1" * 6_000)] * 100),
    ],
)  # fmt: skip
def test_ten_times_the_value_is_about_ten_times_the_work(word: str, said: Any, small: Any, large: Any) -> None:
    work = Work()

    assert 7 < work.cost(word, said, large) / work.cost(word, said, small) < 13


def test_what_differs_in_size_is_compared_no_further_than_the_shorter_goes() -> None:
    work = Work()

    assert work.cost("const", NUMBERS, [1]) < 20
    assert work.cost("const", [1], NUMBERS) < 20
    assert work.cost("const", NUMBERS, "x" * 60_000) < 40, "texts are compared at once"
    assert work.cost("uniqueItems", False, NUMBERS) < 20


ROW = {"sku": "A-17", "tags": ["new", "blue"], "count": 3, "at": "2026-11-20T09:30:00Z"}
ROWS: dict[str, Any] = {
    "type": "object",
    "properties": {"rows": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/row"}}},
    "additionalProperties": False,
    "$defs": {
        "row": {
            "type": "object",
            "required": ["sku", "count"],
            "additionalProperties": False,
            "properties": {
                "sku": {"type": "string", "maxLength": 9},
                "tags": {"type": "array", "uniqueItems": True, "items": {"enum": ["new", "old", "blue"]}},
                "count": {"type": "integer", "minimum": 0},
                "at": {"type": "string", "format": "date-time"},
                "note": {"type": "string"},
            },
        }
    },
}


def test_large_arguments_of_an_ordinary_schema_are_far_from_the_end_of_it() -> None:
    check_schema(ROWS)
    rows = [ROW | {"note": f"row {number} {'-' * 300}"} for number in range(160)]
    work = Work()

    assert MAX_ARGUMENT_BYTES * 0.9 < len(dumps({"rows": rows})) < MAX_ARGUMENT_BYTES
    assert faults_of_arguments({"rows": rows}, ROWS, work) == []
    assert work.spent < MAX_STEPS / 2


def test_a_long_text_with_a_format_is_checked_as_often_as_a_schema_of_its_own_says() -> None:
    fields = {f"f{number}": {"type": "string", "format": "uri", "maxLength": 60_000} for number in range(300)}
    schema = {"properties": fields, "anyOf": [{"required": [name]} for name in fields]}
    check_schema(schema)

    check_arguments({"f7": "x" * 60_000, "f8": "http://example.com/"}, schema)


def test_faults_are_still_told_of_a_long_value() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_arguments({"x": NUMBERS}, {"properties": {"x": {"maxItems": 3}}})

    assert refused.value.details == [{"field": "arguments.x", "rule": "must be as maxItems says: 3"}]
