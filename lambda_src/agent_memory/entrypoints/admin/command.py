"""What an area of administration is made of."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no other name


@dataclass(frozen=True, slots=True)
class Command:
    """What a command does with its options, and the variables that it needs beside those which every command does."""

    run: Callable[[argparse.Namespace], object]
    environment: tuple[str, ...] = ()


def area(areas: "Parsers", name: str, description: str) -> "Parsers":
    """Where the commands of one area are added."""
    return areas.add_parser(name, help=description).add_subparsers(dest="action", required=True)


def add(actions: "Parsers", name: str, command: Command, description: str) -> argparse.ArgumentParser:
    """A command, to which its options are added."""
    parser = actions.add_parser(name, help=description)
    parser.set_defaults(command=command)
    return parser
