"""Schemas of arguments: JSON Schema 2020-12 as far as it can be checked in bounded time, by the library jsonschema.

What is left out, and refused when a procedure is put: references other than to the schema's own `$defs`, and those in
a circle; `pattern` and `patternProperties`, whose regular expressions may take for ever; `unevaluated...`, whose cost
is not in sight; and words that are no keywords, which elsewhere are silently ignored, misspelt ones among them.
`format` says something to readers and is not checked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.json_document import dumps
from agent_memory.errors import InvalidRequest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES = 32_768
MAX_SCHEMA_DEPTH = 32
MAX_ARGUMENT_BYTES = 65_536
FIELD = "input_schema"
_ONE = {"items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames"}
_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAPS = {"properties", "dependentSchemas", "$defs"}
_PLAIN = {
    *(
        "type",
        "enum",
        "const",
        "required",
        "dependentRequired",
        "minProperties",
        "maxProperties",
        "minItems",
        "maxItems",
    ),
    *("minContains", "maxContains", "uniqueItems", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf", "$ref", "$schema", "$comment", "title", "description", "default", "examples"),
    *("deprecated", "readOnly", "writeOnly", "format"),
}
_KNOWN = _ONE | _LISTS | _MAPS | _PLAIN
_MAX_NAME = 100


def check_schema(schema: JsonObject) -> None:
    """Look whether arguments can be checked against a schema.

    Raises:
        InvalidRequest: names the place in the schema and the rule.
    """
    if len(dumps(schema).encode()) > MAX_SCHEMA_BYTES:
        raise InvalidRequest.of(FIELD, f"must have at most {MAX_SCHEMA_BYTES} bytes as JSON")
    references: dict[str, set[str]] = {}
    for path, each in _subschemas(schema, (FIELD,)):
        _check_words(path, each)
        if "$ref" in each:
            target = _target(path, each["$ref"], schema)
            whose = path[2] if len(path) > 2 and path[1] == "$defs" else ""
            references.setdefault(whose, set()).add(target)
    _check_circles(references)
    from agent_memory.domain.argument_validator import faults_of_schema  # noqa: PLC0415 - jsonschema takes a while

    if faults := faults_of_schema(schema):
        raise InvalidRequest("; ".join(f"{each['field']}: {each['rule']}" for each in faults), faults)


def check_arguments(arguments: JsonObject, schema: JsonObject | None) -> None:
    """Look whether arguments are as a checked schema says.

    Raises:
        InvalidRequest: names the path of each argument and the rule, never the argument itself.
    """
    if len(dumps(arguments).encode()) > MAX_ARGUMENT_BYTES:
        raise InvalidRequest.of("arguments", f"must have at most {MAX_ARGUMENT_BYTES} bytes as JSON")
    if schema is None:
        return
    from agent_memory.domain.argument_validator import faults_of_arguments  # noqa: PLC0415 - as above

    if faults := faults_of_arguments(arguments, schema):
        raise InvalidRequest("; ".join(f"{each['field']}: {each['rule']}" for each in faults), faults)


def place(path: tuple[Any, ...]) -> str:
    """A path as details name it."""
    return ".".join(str(part) for part in path)[:_MAX_NAME]


def _subschemas(schema: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], JsonObject]]:
    """Every schema in a schema, with its path, the outer ones first."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise InvalidRequest.of(place(path), "must be a schema: an object, true or false")
    if len(path) > MAX_SCHEMA_DEPTH:
        raise InvalidRequest.of(place(path), f"must not be nested over {MAX_SCHEMA_DEPTH} deep")
    yield path, schema
    for word, value in schema.items():
        for inner, each in _inner(word, value):
            yield from _subschemas(each, (*path, word, *inner))


def _inner(word: str, value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The schemas that a keyword holds, and where in it; of one whose value has the wrong shape none."""
    if word in _ONE:
        yield (), value
    elif word in _LISTS and isinstance(value, list):
        yield from (((position,), each) for position, each in enumerate(value))
    elif word in _MAPS and isinstance(value, dict):
        yield from (((name,), each) for name, each in value.items())


def _check_words(path: tuple[Any, ...], schema: JsonObject) -> None:
    for word in schema:
        if word not in _KNOWN:
            raise InvalidRequest.of(place((*path, word)), "is not a keyword that can be used here")
    for word in {"$defs", "$schema"} & set(schema) if len(path) > 1 else ():
        raise InvalidRequest.of(place((*path, word)), "must stand in the outermost schema")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise InvalidRequest.of(place((*path, "$schema")), f"must be {DIALECT}")


def _target(path: tuple[Any, ...], reference: Any, root: JsonObject) -> str:
    """The definition that a reference names."""
    head, _, name = reference.rpartition("/") if isinstance(reference, str) else ("", "", "")
    definitions = root.get("$defs")
    if head != "#/$defs" or not isinstance(definitions, dict) or name not in definitions or set(name) & {"~", "%"}:
        raise InvalidRequest.of(place((*path, "$ref")), "must be #/$defs/<name> of a definition in this schema")
    return str(name)


def _check_circles(references: Mapping[str, set[str]]) -> None:
    """No definition may lead back to itself: checking would not have to end."""
    done: set[str] = set()

    def visit(name: str, above: frozenset[str]) -> None:
        if name in above or len(above) > MAX_SCHEMA_DEPTH:
            rule = f"must not refer to itself, nor through over {MAX_SCHEMA_DEPTH} others"
            raise InvalidRequest.of(place((FIELD, "$defs", name)), rule)
        for target in references.get(name, ()) if name not in done else ():
            visit(target, above | {name})
        done.add(name)

    for name in list(references):
        visit(name, frozenset())
