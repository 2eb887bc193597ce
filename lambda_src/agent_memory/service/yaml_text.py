"""YAML as far as it says the same as JSON: no tags, no anchors, no keys given twice, no dates, no `yes` and `off`.

PyYAML's safe loader with less in it: plain words are `null`, `true`, `false`, numbers as JSON writes them, or strings.
Numbers keep their digits. What is written is quoted wherever another reader of YAML could take it for something else.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from agent_memory.domain.json_document import JsonNumber, dumps, parse
from agent_memory.errors import InvalidRequest

_STR, _MAP, _SEQ = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))
_NULL, _BOOL, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "float"))
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, Any] = {"": None, "null": None, "~": None, "true": True, "false": False}
_MAX_DEPTH = 100
# Where PyYAML may choose, which errs on unusual texts: a line of words, or lines without odd blanks. Else quotes.
_LETTERS = r"\x21-\x7e\xa1-\u02ff\u0370-\u1fff\u2030-\u205e\u3041-\ud7a3"
_WORDS_OF_A_LINE = re.compile(rf"[{_LETTERS}](?:[{_LETTERS} ]*[{_LETTERS}])?")
_LINES = re.compile(rf"[{_LETTERS}][{_LETTERS} ]*\n(?:[{_LETTERS} ]*\n)*[{_LETTERS} ]*")
_BLANK_AT_END = re.compile(r" $|\n\n\Z", re.MULTILINE)


class Unreadable(ValueError):
    """What is wrong with a text, and in which line."""

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(rule)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a text: its value, and where each part of it stands."""

    value: Any
    node: yaml.Node

    def line_of(self, path: Sequence[str]) -> int:
        """The line of what a path names, or of the nearest that is there."""
        node = self.node
        line = _line(node)
        for part in path:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == part]
            elif isinstance(node, yaml.SequenceNode):
                found = [(each, each) for place, each in enumerate(node.value) if str(place) == part]
            else:
                break
            if found:
                line, node = _line(found[0][0]), found[0][1]
        return line


def read(text: str) -> list[Document]:
    """Every document of a text; empty ones between others are not left out.

    Raises:
        Unreadable: names the line and the rule.
    """
    try:
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, str(exc.problem)) from None
    except yaml.YAMLError:
        raise Unreadable(1, "must not hold characters that YAML forbids") from None
    except RecursionError:
        raise Unreadable(1, f"must not be nested over {_MAX_DEPTH} deep") from None
    return [Document(_value(node, _MAX_DEPTH), node) for node in nodes]


def write(value: Any) -> str:
    """One document."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return text


class _Loader(yaml.SafeLoader):
    """Leaves every plain word as it stands; `_value` says what it means."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML looks for it there

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node with what stands in it."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(problem="must not have anchors", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="must not have tags", problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _value(node: yaml.Node, depth: int) -> Any:
    if depth == 0:
        raise Unreadable(_line(node), f"must not be nested over {_MAX_DEPTH} deep")
    if isinstance(node, yaml.MappingNode):
        return dict(_members(node, depth))
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, depth - 1) for each in node.value]
    text: str = node.value
    if node.style is not None:  # type: ignore[attr-defined] # of a scalar
        return _unicode(node, text)
    if text in _WORDS:
        return _WORDS[text]
    return parse(text) if _NUMBER.fullmatch(text) else _unicode(node, text)


def _members(node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(_line(key), "must have strings as keys")
        if key.value in seen:
            raise Unreadable(_line(key), "must not repeat a key")
        seen.add(key.value)
        yield _unicode(key, key.value), _value(value, depth - 1)


def _unicode(node: yaml.Node, text: str) -> str:
    try:
        parse(dumps(text))
    except (InvalidRequest, UnicodeEncodeError):
        raise Unreadable(_line(node), "must be valid Unicode") from None
    return text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML's readers or ours would take for something else; writes no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        """What is there twice is written twice."""
        return True


def _write_text(dumper: _Dumper, text: str) -> yaml.Node:
    style: str | None = '"'
    if _WORDS_OF_A_LINE.fullmatch(text):
        style = None
    elif _LINES.fullmatch(text) and not _BLANK_AT_END.search(text):
        style = "|"
    return dumper.represent_scalar(_STR, text, style=style)


def _write_number(dumper: _Dumper, number: float) -> yaml.Node:
    text = dumps(number)
    tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, text)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(JsonNumber, _write_number)
_Dumper.add_representer(float, _write_number)
# Of the several tags that a plain word may have, readers take the first; a string that looks like a number is quoted.
_Dumper.add_implicit_resolver(_FLOAT, _NUMBER, list("-0123456789"))
