"""jsonschema, with its work bounded and without its words, which quote what was given."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry

from agent_memory.domain.argument_schema import FIELD, place
from agent_memory.domain.argument_work import Exhausted, Work
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.json_document import dumps
from agent_memory.domain.metadata import value_key
from agent_memory.errors import InvalidRequest

_MAX_FAULTS = 20
_MAX_WORDS = 200
Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def faults_of_schema(schema: JsonObject) -> list[JsonObject]:
    """What the dialect's own schema says against it; the first rule alone, others often follow from it."""
    found = best_match(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema))
    if found is None:
        return []
    return [{"field": place((FIELD, *found.absolute_path)), "rule": _rule(found)}]


def faults_of_arguments(arguments: JsonObject, schema: JsonObject, work: Work | None = None) -> list[JsonObject]:
    """What the schema says against arguments, in its order.

    Raises:
        InvalidRequest: it cannot be said by so much work.
    """
    work = work or Work()
    rules = {word: _charged(word, rule, work) for word, rule in _RULES.items()}
    validator = extend(Draft202012Validator, rules)  # type: ignore[no-untyped-call]
    try:
        # An empty registry: nothing is ever fetched.
        found = list(islice(validator(schema, registry=Registry()).iter_errors(arguments), _MAX_FAULTS))
    except (Exhausted, RecursionError):
        raise InvalidRequest.of("arguments", "take too long to check against input_schema") from None
    except ArithmeticError:
        raise InvalidRequest.of("arguments", "have a number that is too large to check") from None
    faults = {fault["field"] + fault["rule"]: fault for error in found for fault in _faults(error)}
    return list(faults.values())[:_MAX_FAULTS]


def _charged(word: str, rule: Keyword, work: Work) -> Keyword:
    def charged(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        work.charge(word, value, instance)
        for error in rule(validator, value, instance, schema) or ():
            error.message = ""  # it quotes the whole value, and alternatives keep the errors of each of them
            yield error

    return charged


def _all_different(_validator: Any, wanted: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """As jsonschema's own, which compares each item with each other one."""
    if wanted and isinstance(instance, list) and len({value_key(item) for item in instance}) != len(instance):
        yield ValidationError("repeats an item")


_RULES: dict[str, Keyword] = {**Draft202012Validator.VALIDATORS, "uniqueItems": _all_different}


def _faults(error: ValidationError) -> Iterator[JsonObject]:
    path = ("arguments", *error.absolute_path)
    instance: Any = error.instance
    schema: Any = error.schema
    if error.validator == "required":
        for name in schema["required"]:
            if name not in instance:
                yield {"field": place((*path, name)), "rule": "must be given"}
    elif error.validator == "additionalProperties" and error.validator_value is False:
        known = schema.get("properties", {})
        for name in [name for name in instance if name not in known][:_MAX_FAULTS]:
            yield {"field": place((*path, name)), "rule": "is not known to input_schema"}
    else:
        yield {"field": place(path), "rule": _rule(error)}


def _rule(error: ValidationError) -> str:
    """The keyword and what it says, which are words of the schema's author or of the dialect."""
    word, said = str(error.validator), error.validator_value
    if word == "None":
        return "must not be given"
    if isinstance(said, dict) or (isinstance(said, list) and any(isinstance(each, dict) for each in said)):
        return f"must be as {word} says"
    text = f"must be as {word} says: {dumps(said)}"
    return text if len(text) <= _MAX_WORDS else f"must be as {word} says"
