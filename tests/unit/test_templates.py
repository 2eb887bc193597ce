"""Templates: what they write, what they refuse, and what no template and no argument gets out of the cage."""

import contextlib
import json
import time
from typing import Any

import pystache
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain import templates
from agent_memory.domain.json_document import parse
from agent_memory.domain.templates import MAX_RENDERED_BYTES, TemplateError, TooLarge, check
from agent_memory.errors import InvalidRequest

ORDER: dict[str, Any] = {
    "customer": {"name": "Ana & <Noor>", "vip": True, "notes": None},
    "items": [{"name": "tea", "count": 2}, {"name": "milk", "count": 1}],
    "tags": ["a", "b"],
    "empty": [],
    "total": 12.5,
}


def render(template: str, arguments: dict[str, Any] | None = None, schema: Any = None) -> str:
    check(template)
    return templates.render(template, ORDER if arguments is None else arguments, schema)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Greet {{customer.name}}.", "Greet Ana & <Noor>."),
        ("{{{customer.name}}} {{& customer.name }}", "Ana & <Noor> Ana & <Noor>"),
        ("{{#items}}{{count}} x {{name}}; {{/items}}", "2 x tea; 1 x milk; "),
        ("{{#tags}}<{{.}}>{{/tags}}{{^empty}}none{{/empty}}{{#empty}}some{{/empty}}", "<a><b>none"),
        ("{{#customer}}{{name}} of {{total}}{{/customer}}", "Ana & <Noor> of 12.5"),
        ("{{#customer.vip}}very {{/customer.vip}}important{{! nobody sees this }}", "very important"),
        ("[{{customer.notes}}] {{tags}} {{customer.vip}}", '[] ["a","b"] true'),
        ("{{#items}}\n- {{name}}\n{{/items}}\nend", "- tea\n- milk\nend"),
        ("{ no tag } and }} neither", "{ no tag } and }} neither"),
    ],
)
def test_a_template_writes_its_arguments(template: str, text: str) -> None:
    assert render(template) == text


def test_numbers_are_written_as_they_came() -> None:
    arguments = parse('{"a": 1.0, "b": 100000000000000000000000, "c": 1e2, "d": -0, "e": [2.50]}')

    assert render("{{a}} {{b}} {{c}} {{d}} {{e}}", arguments) == "1.0 100000000000000000000000 1e2 -0 [2.50]"


@pytest.mark.parametrize(
    "template",
    [
        "{{#a}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}", "{{a", "{{}}", "{{ }}", "{{a b}}", "{{#a b}}{{/a b}}", "{{{a}}",
        "{{> partial}}", "{{=<% %>=}}", "{{a.}}", "{{.a}}", "{{a..b}}", "{{" + "a" * 300 + "}}", "{{{{a}}}}", "{{^a}}",
        "{{#a}}" * 17 + "{{/a}}" * 17, "{{a}}" * 1001, "x" * 65_537, " " * 201, "{{ {a} }}", "{{!" + "x" * 300 + "}}",
    ],
)  # fmt: skip
def test_what_cannot_be_rendered_is_refused_when_it_is_put(template: str) -> None:
    with pytest.raises(TemplateError):
        check(template)


@pytest.mark.parametrize(
    "template", ["{{nobody}}", "{{customer.nobody}}", "{{#nobody}}x{{/nobody}}", "{{^nobody}}{{/nobody}}"]
)
def test_a_name_that_nobody_knows_is_refused_by_name(template: str) -> None:
    with pytest.raises(InvalidRequest, match=r"arguments\.(customer\.)?nobody"):
        render(template)


def test_what_the_schema_names_may_be_left_out() -> None:
    who = {"type": "object", "properties": {"name": {"type": "string", "default": "somebody"}, "age": {}}}
    schema = {
        "properties": {"who": {"$ref": "#/$defs/who"}, "all": {"items": {"$ref": "#/$defs/who"}}, "note": True},
        "$defs": {"who": who},
    }

    assert render("[{{note}}{{#note}}x{{/note}}{{^note}}-{{/note}}]", {}, schema) == "[-]"
    assert render("{{who.name}} {{who.age}}", {"who": {}}, schema) == "somebody "
    assert render("[{{who.name}}]", {}, schema) == "[]"
    assert (
        render("{{#all}}{{name}}/{{age}};{{/all}}", {"all": [{"age": 3}, {"name": "Bo"}]}, schema) == "somebody/3;Bo/;"
    )
    with pytest.raises(InvalidRequest, match="other"):
        render("{{#all}}{{other}}{{/all}}", {"all": [{}]}, schema)


REACHES = [
    "__class__", "__class__.__mro__", "x.__class__", "x.__class__.__init__.__globals__", "x.literal", "x.real", "x.hex",
    "x.is_integer", "s.upper", "s.format", "s.__len__", "l.0", "l.append", "l.pop", "d.keys", "d.items", "d.__class__",
    "d.clear", "b.bit_length", "n.__class__",
]  # fmt: skip


@pytest.mark.parametrize("name", REACHES)
@pytest.mark.parametrize("tag", ["{{%s}}", "{{{%s}}}", "{{&%s}}", "{{#%s}}in{{/%s}}", "{{^%s}}out{{/%s}}"])
def test_no_name_reaches_into_python(name: str, tag: str) -> None:
    arguments = parse('{"x": 1.0, "s": "text", "l": [1], "d": {"k": 1}, "b": 3, "n": false}')
    template = tag.replace("%s", name)

    with pytest.raises(InvalidRequest, match="must be given"):
        render(template, arguments)
    assert arguments == {"x": 1.0, "s": "text", "l": [1], "d": {"k": 1}, "b": 3, "n": False}


def test_a_key_that_looks_like_python_is_a_key_like_any_other() -> None:
    assert render("{{__class__}} {{#d}}{{__init__}}{{/d}}", {"__class__": "c", "d": {"__init__": "i"}}) == "c i"


def test_an_argument_is_never_a_template() -> None:
    told = {"a": "{{b}} {{#b}}x{{/b}} {{> c}} {{=| |=}}", "b": "secret"}

    assert render("{{a}}{{#a}}{{a}}{{/a}}", told) == told["a"] * 2


def a_bomb(depth: int) -> str:
    return "{{#a}}" * depth + "{{a}}" + "{{/a}}" * depth


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        (a_bomb(16), {"a": ["x"] * 1000}),
        (a_bomb(3), {"a": list(range(1000))}),
        ("{{#a}}" + "x" * 60_000 + "{{/a}}", {"a": [1] * 5}),
        ("{{#a}}{{b}}{{/a}}", {"a": [1] * 1000, "b": "y" * 1000}),
        ("{{#a}}{{#a}}{{^a}}{{/a}}{{! nothing is written }}{{/a}}{{/a}}", {"a": [0] * 10_000}),
        ("{{#a}}" + "{{! nothing }}{{^a}}{{/a}}" * 300 + "{{/a}}", {"a": [0] * 10_000}),
        ("{{#a}}{{/a}}" * 400, {"a": [0] * 10_000}),
        ("{{#a}}" + "\u20ac" * 100 + "{{/a}}", {"a": [1] * 1000}),
    ],
)  # fmt: skip
def test_a_bomb_is_put_out_in_time(template: str, arguments: Any) -> None:
    began = time.process_time()
    with pytest.raises(TooLarge):
        render(template, arguments)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "template",
    [
        " " * 65_536, "{{" + " " * 65_000, ("{{" + " " * 300) * 200, "{{!" * 20_000, (" " * 200 + "x") * 300,
        "{{{" * 9000, ("{{" + " " * 120 + "a" + " " * 120 + "}}") * 250, ("{{!" + "- " * 120 + "}}") * 260,
    ],
)  # fmt: skip
def test_no_text_takes_long_to_look_at(template: str) -> None:
    began = time.process_time()
    with contextlib.suppress(TemplateError, InvalidRequest):
        render(template, {})
    assert time.process_time() - began < 2


def test_what_fits_is_rendered_to_the_last_byte() -> None:
    assert len(render("{{#a}}{{b}}{{/a}}", {"a": [1] * 256, "b": "y" * 1024})) == MAX_RENDERED_BYTES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab{}<&>", max_size=4),
    # A null within a list has members here, all null; pystache looks for their names further out.
    lambda inner: (
        st.lists(inner.filter(lambda member: member is not None), max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
PIECES = st.recursive(
    st.sampled_from(["{{a}}", "{{b}}", "{{c.a}}", "{{.}}", "{{! x }}", "text ", "\n", "  ", "{{{a}}}"]),
    lambda inner: st.tuples(st.sampled_from("#^"), st.sampled_from(["a", "b", "c"]), st.lists(inner, max_size=3)).map(
        lambda told: f"{{{{{told[0]}{told[1]}}}}}{''.join(told[2])}{{{{/{told[1]}}}}}"
    ),
    max_leaves=6,
)


@given(st.lists(PIECES, max_size=5).map("".join), st.fixed_dictionaries({"a": JSON, "b": JSON, "c": JSON}))
def test_what_is_rendered_is_what_pystache_renders(template: str, arguments: dict[str, Any]) -> None:
    """But for what is written of lists, objects, true, false and null, and for names that nobody knows."""
    try:
        ours = render(template, arguments)
    except InvalidRequest:
        return

    def plain(value: Any) -> Any:
        return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    renderer = pystache.Renderer(escape=str, missing_tags="strict")
    renderer.str_coerce = plain
    try:
        theirs = renderer.render(template, arguments)
    except pystache.context.KeyNotFoundError:
        return  # null has members here, and they are null
    assert ours == theirs


@given(st.text("{}#^/&!>=ab. \n", max_size=30))
def test_whatever_passes_the_check_is_rendered_or_refused_by_name(template: str) -> None:
    try:
        check(template)
    except TemplateError:
        return
    try:
        templates.render(template, {"a": {"b": [1, 2]}, "b": "x"}, None)
    except InvalidRequest as exc:
        assert "must be given" in str(exc)  # noqa: PT017 - both are fine
