"""Schemas of arguments: what is refused when one is put, what is said of arguments, and how long that may take."""

import contextlib
import socket
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agent_memory.domain.argument_schema import check_arguments, check_schema
from agent_memory.domain.json_document import parse
from agent_memory.errors import InvalidRequest

REFUND: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "order": {"type": "string", "minLength": 3, "format": "anything"},
        "lines": {"type": "array", "maxItems": 2, "uniqueItems": True, "items": {"$ref": "#/$defs/line"}},
        "reason": {"enum": ["broken", "late"]},
        "pattern": {"type": "boolean"},
    },
    "required": ["order"],
    "additionalProperties": False,
    "$defs": {
        "line": {"type": "object", "required": ["sku"], "properties": {"count": {"type": "integer", "minimum": 1}}}
    },
}


def faults(arguments: Any, schema: Any = None) -> dict[str, str]:
    schema = REFUND if schema is None else schema
    check_schema(schema)
    with pytest.raises(InvalidRequest) as refused:
        check_arguments(arguments, schema)
    return {each["field"]: each["rule"] for each in refused.value.details}  # type: ignore[attr-defined]


def test_arguments_as_the_schema_says_pass() -> None:
    check_schema(REFUND)
    check_arguments({"order": "A-17", "lines": [{"sku": 1, "count": 2}, {"sku": 1}], "pattern": True}, REFUND)
    check_arguments({"anything": ["goes"]}, None)


def test_each_fault_names_its_path_and_its_rule() -> None:
    told = faults({"lines": [{"count": 0}, {"sku": 1, "count": "2"}], "reason": "because", "extra": 1})

    assert told == {
        "arguments.order": "must be given",
        "arguments.lines.0.sku": "must be given",
        "arguments.lines.0.count": "must be as minimum says: 1",
        "arguments.lines.1.count": 'must be as type says: "integer"',
        "arguments.reason": 'must be as enum says: ["broken","late"]',
        "arguments.extra": "is not known to input_schema",
    }


def test_no_fault_repeats_what_was_given() -> None:
    secret = "the-secret-9"
    for schema in (
        {"properties": {"a": {"type": "integer"}}},
        {"properties": {"a": {"maxLength": 2}}},
        {"properties": {"a": {"const": "other"}}},
        {"properties": {"a": {"anyOf": [{"type": "null"}, {"minLength": 99}]}}},
        {"properties": {"a": {"not": {"type": "string"}}}},
        {"properties": {"a": False}},
        {"properties": {"a": {"oneOf": [True, {"type": "string"}]}}},
    ):
        assert secret not in str(faults({"a": secret}, schema))
        assert secret not in str(faults({"a": {"b": [secret]}}, {"properties": {"a": {"maxProperties": 0}}}))


def test_twenty_faults_are_enough() -> None:
    assert len(faults({"a": ["x"] * 500}, {"properties": {"a": {"items": {"type": "integer"}}}})) == 20
    assert len(faults({str(each): 1 for each in range(500)}, {"additionalProperties": False})) == 20
    assert len(faults({}, {"required": [str(each) for each in range(500)]})) == 20


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "strin"}, "input_schema.type"),
        ({"properties": {"a": {"minLength": -1}}}, "input_schema.properties.a.minLength"),
        ({"properties": {"a": 3}}, "input_schema.properties.a"),
        ({"properties": []}, "input_schema.properties"),
        ({"allOf": {}}, "input_schema.allOf"),
        ({"required": "a"}, "input_schema.required"),
        ({"requierd": ["a"]}, "input_schema.requierd"),
        ({"pattern": "(a+)+$"}, "input_schema.pattern"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "input_schema.properties.a.pattern"),
        ({"patternProperties": {"(a+)+$": True}}, "input_schema.patternProperties"),
        ({"propertyNames": {"pattern": "x"}}, "input_schema.propertyNames.pattern"),
        ({"unevaluatedProperties": False}, "input_schema.unevaluatedProperties"),
        ({"$ref": "https://example.com/schema.json"}, "input_schema.$ref"),
        ({"$ref": "file:///etc/passwd"}, "input_schema.$ref"),
        ({"$ref": "other.json#/$defs/a", "$defs": {"a": True}}, "input_schema.$ref"),
        ({"$ref": "#"}, "input_schema.$ref"),
        ({"$ref": "#/$defs/b", "$defs": {"a": True}}, "input_schema.$ref"),
        ({"$ref": "#/properties/a", "properties": {"a": True}}, "input_schema.$ref"),
        ({"$ref": 3}, "input_schema.$ref"),
        ({"$dynamicRef": "#a"}, "input_schema.$dynamicRef"),
        ({"$id": "https://example.com/"}, "input_schema.$id"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "input_schema.$schema"),
        ({"items": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}, "input_schema.items.$schema"),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "input_schema.$defs.a"),
        (
            {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}},
            "input_schema.$defs.a",
        ),
        ({"items": {"$defs": {"a": True}}}, "input_schema.items.$defs"),
        ({"description": "x" * 40_000}, "input_schema"),
        ({"enum": "abc"}, "input_schema.enum"),
        ({"multipleOf": 0}, "input_schema.multipleOf"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_by_its_place(schema: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_schema(schema)

    assert refused.value.details[0]["field"] == field  # type: ignore[index]


def test_depth_is_bounded() -> None:
    schema: Any = {}
    for _ in range(40):
        schema = {"items": schema}
    with pytest.raises(InvalidRequest, match="nested"):
        check_schema(schema)


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for reference in ("http://127.0.0.1:1/x", "https://json-schema.org/draft/2020-12/schema", "urn:a", "//host/x"):
        with pytest.raises(InvalidRequest):
            check_schema({"properties": {"a": {"$ref": reference}}})
    check_schema(REFUND)
    faults({})


def doubling(levels: int) -> dict[str, Any]:
    """Each definition asks the next one twice."""
    defs: dict[str, Any] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": defs | {f"a{levels}": {"maxProperties": 99}}}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (doubling(28), {}),
        ({"properties": {"a": {"items": {"anyOf": [{"const": n} for n in range(1500)]}}}}, {"a": ["x"] * 10_000}),
        ({"properties": {"a": {"items": {"enum": list(range(5000))}}}}, {"a": ["x"] * 10_000}),
        ({"properties": {"a": {"items": {"oneOf": [{"maxItems": 0}] * 1000}}}}, {"a": [[0]] * 10_000}),
    ],
)
def test_what_would_take_for_ever_is_refused_in_time(schema: Any, arguments: Any) -> None:
    began = time.process_time()

    assert "too long" in faults(arguments, schema)["arguments"]
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [{"n": n} for n in range(6000)] + [{"n": 1}]}),
        ({"anyOf": [{"type": "null"}] * 1000}, {"a": "x" * 60_000}),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 1.0]}),
    ],
)
def test_large_arguments_take_no_time(schema: Any, arguments: Any) -> None:
    began = time.process_time()

    assert faults(arguments, schema)
    assert time.process_time() - began < 3


def test_numbers_that_no_float_holds_are_a_refusal_and_no_crash() -> None:
    for number in ("1e400", "-1e400", "9" * 3000, "1e-400"):
        for rule in (
            {"multipleOf": 0.5},
            {"multipleOf": 3},
            {"multipleOf": 1e-300},
            {"maximum": 1.5},
            {"type": "integer"},
        ):
            with contextlib.suppress(InvalidRequest):
                check_arguments(parse(f'{{"a": {number}}}'), {"properties": {"a": rule}})


def test_arguments_are_bounded() -> None:
    with pytest.raises(InvalidRequest, match="65536 bytes"):
        check_arguments({"a": "x" * 65_536}, None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "bc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.fixed_dictionaries({}, optional={
        "type": TYPES, "const": VALUES, "minLength": st.integers(0, 2), "maximum": st.integers(-2, 2),
        "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2), "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(), "enum": st.lists(VALUES, min_size=1, max_size=2), "multipleOf": st.integers(1, 3),
    }),
    lambda inner: st.fixed_dictionaries({}, optional={
        "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3), "items": inner, "not": inner,
        "additionalProperties": inner, "anyOf": st.lists(inner, min_size=1, max_size=2), "if": inner, "then": inner,
        "oneOf": st.lists(inner, min_size=1, max_size=2), "contains": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
    }),
    max_leaves=6,
)  # fmt: skip


@given(
    SCHEMAS.filter(lambda schema: isinstance(schema, dict)), st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
)
def test_arguments_pass_exactly_when_the_library_says_so(schema: Any, arguments: Any) -> None:
    check_schema(schema)
    try:
        check_arguments(arguments, schema)
        passed = True
    except InvalidRequest:
        passed = False

    assert passed == Draft202012Validator(schema).is_valid(arguments)
