"""The cage: pystache's nodes, rendered with names that are looked up by us and an output that is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pystache.parsed import ParsedTemplate
from pystache.parser import parse
from pystache.renderengine import RenderEngine

from agent_memory.domain.templates import TooLarge, declared, resolved, text_of, unknown


def rendered(
    template: str, arguments: Mapping[str, Any], schema: Mapping[str, Any] | None, room: int, work: int
) -> str:
    """See `templates.render`."""
    parsed = parse(template, raise_on_mismatch=True)
    _count_words(parsed)
    engine = _Engine(room, work)
    return str(parsed.render(engine, _Names(_Value(arguments, schema, schema or {}))))


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the arguments, and what the schema says of it."""

    value: Any
    schema: Any
    root: Mapping[str, Any]

    def member(self, name: str) -> "_Value | None":
        """By its key; null or the schema's default where the schema names it. Only objects have members, or null."""
        schema = declared(self.schema, name, self.root)
        if isinstance(self.value, dict) and name in self.value:
            return _Value(self.value[name], schema, self.root)
        if self.value is None:
            return _Value(None, schema, self.root)
        if schema is None or not isinstance(self.value, dict):
            return None
        said = resolved(schema, self.root)
        return _Value(said.get("default") if isinstance(said, dict) else None, schema, self.root)

    def items(self) -> list["_Value"]:
        """What a section is written for: each item of a list, any other value once, none at all of what is empty."""
        if not self.value:
            return []
        if not isinstance(self.value, list):
            return [self]
        schema = resolved(self.schema, self.root)
        each = schema.get("items") if isinstance(schema, dict) else None
        return [_Value(item, each, self.root) for item in self.value]


class _Names:
    """Where names are looked up: in the innermost section's value first."""

    def __init__(self, arguments: _Value) -> None:
        self._values = [arguments]

    def push(self, value: _Value) -> None:
        """A section begins; its node calls this."""
        self._values.append(value)

    def pop(self) -> None:
        """A section ends."""
        self._values.pop()

    def find(self, name: str) -> _Value:
        """The value of a name with dots.

        Raises:
            InvalidRequest: nobody knows it.
        """
        if name == ".":
            return self._values[-1]
        first, *rest = name.split(".")
        found = next((member for value in reversed(self._values) if (member := value.member(first))), None)
        for part in rest:
            found = found and found.member(part)
        if found is None:
            raise unknown(name)
        return found


class _Engine(RenderEngine):  # type: ignore[misc] # pystache has no types
    """What the nodes ask; nothing is called, and nothing is loaded."""

    def __init__(self, room: int, work: int) -> None:
        super().__init__(literal=str, escape=str, resolve_context=self._looked_up, resolve_partial=None, to_str=text_of)
        self._room = room
        self._work = work

    def fetch_string(self, context: _Names, name: str) -> str:
        """What a tag writes."""
        text = text_of(self._find(context, name).value)
        self.write(text)
        return text

    def fetch_section_data(self, context: _Names, name: str) -> list[_Value]:
        """What a section is written for."""
        items = self._find(context, name).items()
        self._take(len(items))
        return items

    def write(self, text: str) -> None:
        """Count what goes out."""
        self._room -= len(text.encode())
        if self._room < 0:
            raise TooLarge

    def _looked_up(self, context: _Names, name: str) -> Any:
        """What an inverted section asks."""
        return self._find(context, name).value

    def _find(self, context: _Names, name: str) -> _Value:
        self._take(1)
        return context.find(name)

    def _take(self, work: int) -> None:
        self._work -= work
        if self._work < 0:
            raise TooLarge


class _Words:
    """Text between tags."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, engine: _Engine, _: _Names) -> str:
        """The text, counted."""
        engine.write(self._text)
        return self._text


def _count_words(parsed: ParsedTemplate) -> None:
    """Put counted nodes in place of plain text, which pystache repeats without asking, and drop comments."""
    tree: list[Any] = parsed._parse_tree  # noqa: SLF001 - pystache gives no other way to see what it read
    tree[:] = [_Words(node) if isinstance(node, str) else node for node in tree if not _is_comment(node)]
    for node in tree:
        for inner in (getattr(node, "parsed", None), getattr(node, "parsed_section", None)):
            if inner is not None:
                _count_words(inner)


def _is_comment(node: Any) -> bool:
    return type(node).__name__ == "_CommentNode"
