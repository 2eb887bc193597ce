"""Pydantic's findings in the words of the API: which field, which rule, never the value."""

from pydantic import ValidationError

from agent_memory.errors import InvalidRequest


def invalid_request(error: ValidationError) -> InvalidRequest:
    """Name every broken field and its rule."""
    details = [
        {"field": ".".join(str(part) for part in found["loc"]) or "body", "rule": _rule(found["msg"])}
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return InvalidRequest("; ".join(f"{each['field']}: {each['rule']}" for each in details), details)


def _rule(message: str) -> str:
    return message.removeprefix("Value error, ")
