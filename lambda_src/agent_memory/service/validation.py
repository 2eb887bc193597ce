"""Pydantic's findings in the words of the API: which field, which rule, never the value."""

from pydantic import ValidationError

from agent_memory.errors import InvalidRequest

# A body of 2.5 MB can break a million rules or name a field of two million characters; an answer holds 6 MB.
_MAX_FINDINGS = 20
_MAX_NAME = 100


def invalid_request(error: ValidationError) -> InvalidRequest:
    """Name the broken fields, 20 at most, and the rule of each."""
    findings = error.errors(include_url=False, include_input=False, include_context=False)
    details = [
        {"field": ".".join(str(part) for part in found["loc"])[:_MAX_NAME] or "body", "rule": _rule(found["msg"])}
        for found in findings[:_MAX_FINDINGS]
    ]
    return InvalidRequest("; ".join(f"{each['field']}: {each['rule']}" for each in details), details)


def _rule(message: str) -> str:
    return message.removeprefix("Value error, ")
