"""Templates: Mustache without logic, by pystache's parser, in a cage of our own.

What pystache would do with names is not used: it looks up attributes of objects and calls what can be called. Here a
name is a key of JSON objects and nothing else. Texts go to a model and not to a browser, so nothing is escaped.
Partials and other delimiters are refused. Every tag is looked at before pystache's regular expressions see the text,
which would take long over unusual ones.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.json_document import dumps
from agent_memory.errors import InvalidRequest

MAX_TEMPLATE_BYTES = 65_536
MAX_RENDERED_BYTES = 262_144
MAX_TAGS = 1000
MAX_DEPTH = 16
_MAX_NAME = 256
_MAX_BLANKS = 200
# Looks at names and passes through sections: empty ones write nothing and take time all the same.
_MAX_WORK = 50_000
_NAME = re.compile(r"\.|[^\s.{}#^/&!>=]+(?:\.[^\s.{}#^/&!>=]+)*")
_BLANKS = re.compile(rf"[ \t]{{{_MAX_BLANKS + 1}}}")


class TemplateError(ValueError):
    """What is wrong with a template, in words for its author."""


class TooLarge(ValueError):
    """The rendered text would be over its bound."""


def check(template: str) -> None:
    """Look whether a template can be rendered.

    Raises:
        TemplateError: it cannot; says why, and where.
    """
    if len(template.encode()) > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"must have at most {MAX_TEMPLATE_BYTES} bytes")
    if _BLANKS.search(template):
        raise TemplateError(f"must not have over {_MAX_BLANKS} blanks in a row")
    opened: list[str] = []
    for count, tag in enumerate(_tags(template), start=1):
        if fault := _fault(tag, opened):
            raise TemplateError(f"{fault} (at character {tag.place})")
        if count > MAX_TAGS:
            raise TemplateError(f"must have at most {MAX_TAGS} tags")
    if opened:
        raise TemplateError(f"must end each section ({opened[-1]} is open)")


def render(template: str, arguments: JsonObject, schema: JsonObject | None, room: int = MAX_RENDERED_BYTES) -> str:
    """Write a checked template with its arguments. What the schema names and the arguments lack is null.

    Raises:
        InvalidRequest: a tag names what is neither in the arguments nor in the schema.
        TooLarge: the text would have more than `room` bytes, or took too much work.
    """
    from agent_memory.domain.template_engine import rendered  # noqa: PLC0415 - a template is the only need for pystache

    return rendered(template, arguments, schema, room, _MAX_WORK)


def text_of(value: Any) -> str:
    """How a value is written: strings as they are, null not at all, everything else as JSON, numbers as they came."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value)


def unknown(name: str) -> InvalidRequest:
    """The refusal of a name that nobody knows."""
    return InvalidRequest.of(f"arguments.{name}"[:_MAX_NAME], "is used by the template and must be given")


def declared(schema: Any, name: str, root: Mapping[str, Any]) -> Any:
    """What a schema says of an object's member; None when it does not name it."""
    found = resolved(schema, root)
    properties = found.get("properties") if isinstance(found, dict) else None
    return properties.get(name) if isinstance(properties, dict) else None


def resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """A schema, or what it refers to; references are known to end (see `argument_schema`)."""
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        schema = root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2])
    return schema


class _Tag(NamedTuple):
    """The kind is one character, a blank for what is only written."""

    place: int
    kind: str
    name: str


def _fault(tag: _Tag, opened: list[str]) -> str | None:
    """What is wrong with a tag behind sections that are open; keeps account of them."""
    if tag.kind in ">=":
        return "must not have partials or other delimiters"
    if tag.kind != "!" and not _NAME.fullmatch(tag.name):
        return "must have a name in each tag, without blanks"
    if tag.kind in "#^":
        opened.append(tag.name)
        return f"must not nest sections over {MAX_DEPTH} deep" if len(opened) > MAX_DEPTH else None
    if tag.kind == "/" and (not opened or opened.pop() != tag.name):
        return "must end the section that was begun last"
    return None


def _tags(template: str) -> Iterator[_Tag]:
    end = 0
    while (start := template.find("{{", end)) >= 0:
        closing = "}}}" if template.startswith("{{{", start) else "}}"
        stop = template.find(closing, start)
        if stop < 0 or stop - start > _MAX_NAME + 10:
            raise TemplateError(f"must end each tag, after {_MAX_NAME} characters at most (at character {start})")
        end = stop + len(closing)
        inner = template[start + len(closing) : stop].strip()
        kind = inner[:1] if inner[:1] in {"#", "^", "/", "&", "!", ">", "="} and closing == "}}" else " "
        yield _Tag(start, kind, inner if kind == " " else inner[1:].strip())
