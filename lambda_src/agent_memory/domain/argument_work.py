"""What it may cost to check arguments: each keyword is charged, before it is looked at, with the most that it may do.

A step is some 50 microseconds. A keyword alone is no measure: by `$ref` a short schema looks at the same long value
over and over again.
"""

from typing import Any

from agent_memory.domain.json_document import JsonNumber

MAX_STEPS = 20_000
"""More would take over two seconds."""

# How much of a value is a step. A fault quotes it, which is quick; comparing or hashing goes into every member.
_QUOTED_BYTES = 4_096
_COMPARED_BYTES = 32
_MEMBERS = 16
_OF_EACH_MEMBER = {"items", "contains", "additionalProperties", "propertyNames"}
_ALTERNATIVES = {"allOf", "anyOf", "oneOf", "prefixItems"}


class Exhausted(Exception):
    """The steps are used up."""


class Work:
    """The steps of one check. Schema and arguments have to outlive it, for it knows their parts by identity."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.most = most
        self.spent = 0
        self._sizes: dict[int, int] = {}

    def charge(self, word: str, said: Any, instance: Any) -> None:
        """Charge a keyword that says something about a value.

        Raises:
            Exhausted: there are not as many steps left.
        """
        self.spent += self.cost(word, said, instance)
        if self.spent > self.most:
            raise Exhausted

    def cost(self, word: str, said: Any, instance: Any) -> int:
        """The most steps that it can take, without those of the keywords within it."""
        quoted = self._size(instance) // _QUOTED_BYTES
        steps = 1 + quoted + self._size(said) // _QUOTED_BYTES
        if word in _ALTERNATIVES and isinstance(said, list):
            # The schema `false` has no keyword that could be charged.
            steps += len(said) + quoted * sum(each is False for each in said)
        elif word in _OF_EACH_MEMBER and isinstance(instance, list | dict):
            steps += len(instance) // _MEMBERS
        elif word == "uniqueItems" and said and isinstance(instance, list):
            steps += self._size(instance) // _COMPARED_BYTES
        elif word == "const":
            steps += self._compared(said, instance, 1)
        elif word == "enum":
            steps += len(said) + self._compared(said, instance, len(said))
        else:
            steps += _members(said)
        return steps

    def _compared(self, said: Any, instance: Any, times: int) -> int:
        """Both are gone through side by side, as far as the shorter one goes."""
        if not isinstance(instance, list | dict):
            return 0
        return min(self._size(said), times * self._size(instance)) // _COMPARED_BYTES

    def _size(self, value: Any) -> int:
        """About how many bytes it has as JSON, and at least as many as a quotation of it."""
        if isinstance(value, str):
            return 2 + len(value) * (1 if value.isascii() else 4)
        if not isinstance(value, list | dict):
            return _size_of_number(value)
        size = self._sizes.get(id(value))
        if size is None:
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            size = self._sizes[id(value)] = 2 + len(parts) + sum(map(self._size, parts))
        return size


def _members(said: Any) -> int:
    """Of a list, and of one in an object, there may be an error for each; the names of an object are looked up."""
    if isinstance(said, dict):
        return len(said) // _MEMBERS + sum(len(each) for each in said.values() if isinstance(each, list))
    return len(said) if isinstance(said, list) else 0


def _size_of_number(value: Any) -> int:
    if isinstance(value, JsonNumber):
        return len(value.literal)
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 + value.bit_length() // 3
    return 5
