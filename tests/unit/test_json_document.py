"""JSON comes back as it was written, and only strict JSON comes in."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.adapters.dynamodb_item import document, read_document
from agent_memory.domain.json_document import RawJson, dumps, memory_of, parse
from agent_memory.errors import InvalidRequest

FAITHFUL = [
    "0", "-0", "-0.0", "0.0", "1.0", "1.00", "1", "1e2", "1E+2", "1e300", "1e400", "-1e-400", "0.1", "1.5e-07",
    "12345678901234567890123", "-12345678901234567890123", "9" * 5000, "-" + "9" * 4300, "0." + "1" * 5000,
    '""', '"a"', '"\\u0000"', '"é"', '"👩‍🚀"', '"שלום"', '"\\\\ \\" \\n \\u001f"', "true", "false", "null",
    "[]", "{}", '{"":null}', '{"a":{"b":null,"c":[null,{}]}}', '[1,1.0,"1"]', '{"b":1,"a":2}',
]  # fmt: skip


def test_numbers_and_strings_come_back_as_they_were_written() -> None:
    assert [dumps(parse(text)) for text in FAITHFUL] == FAITHFUL


def test_a_store_gives_back_what_was_written() -> None:
    stored = [{"value": document(parse(text))} for text in FAITHFUL]

    assert [dumps(read_document(item, "value")) for item in stored] == FAITHFUL


number = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
string = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: json.dumps(text, ensure_ascii=False))
scalar = st.one_of(number, string, st.sampled_from(["true", "false", "null"]))


def _object(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}:{value}" for name, value in members.items()) + "}"


documents = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.lists(inner).map(lambda values: "[" + ",".join(values) + "]"),
        st.dictionaries(string, inner).map(_object),
    ),
)


def _tokens(text: str) -> Any:
    """The document with every number as its literal and every object as its pairs."""
    return json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=lambda pairs: ("object", pairs))


@given(documents)
def test_any_document_keeps_every_literal(text: str) -> None:
    assert _tokens(dumps(parse(text))) == _tokens(text)


@given(documents)
def test_compressed_or_not_a_stored_document_is_the_same(text: str) -> None:
    long = f'["{"x" * 2000}",{text}]'

    for written in (text, long):
        assert dumps(read_document({"value": document(parse(written))}, "value")) == dumps(parse(written))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "[1,]", "{'a':1}", "01", "+1", ".5", "1.", "0x10", "nul", '"\n"', '"\\x"', "[1] 2", "\ufeff{}",
        "NaN", "[Infinity]", '{"a":-Infinity}', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"x":{"a":1,"a":2}}]',
        '"\\ud800"', '["\\udc00x"]', '{"\\ud83d":1}', '"\ud800"',
    ],
)  # fmt: skip
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(text)

    assert refused.value.details


def test_a_surrogate_pair_is_one_character() -> None:
    assert dumps(parse('"\\ud83d\\ude00"')) == '"😀"'


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_one_hundred_levels_are_taken_and_no_more(opening: str, closing: str) -> None:
    hundred = opening * 99 + "[]" + closing * 99
    parse(hundred)

    with pytest.raises(InvalidRequest, match="nested over 100 deep"):
        parse(opening + hundred + closing)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_a_hundred_thousand_brackets_are_refused_like_one_too_many(opening: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(opening * 100_000)


def test_a_refusal_does_not_quote_the_document() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse('{"secret": hunter2}')

    assert "hunter2" not in f"{refused.value.message} {refused.value.details}"


def test_raw_json_is_taken_over_inside_other_json() -> None:
    assert dumps({"a": [RawJson("1.0"), "1.0"]}) == '{"a":[1.0,"1.0"]}'


@pytest.mark.parametrize(
    "value",
    [
        "a" * 100_000,
        [str(n) for n in range(50_000)],
        [[]] * 100_000,
        [{"a": 1}] * 20_000,
        {str(n): n for n in range(20_000)},
    ],
)
def test_the_memory_of_a_value_is_known_roughly(value: Any) -> None:
    text = dumps(value)
    tracemalloc.start()
    try:
        parsed = parse(text)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0.4 < memory_of(parsed) / held < 2.5
