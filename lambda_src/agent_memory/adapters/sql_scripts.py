"""The SQL files of the package, read and split into the single statements that the Data API takes."""

import hashlib
from pathlib import Path

import sqlparse

from agent_memory.domain.database import Script

_STATEMENT_LIMIT = 65_536  # characters of one statement in the Data API


def migrations(folder: Path) -> list[Script]:
    """Scripts that run once, in order."""
    return _scripts(folder / "migrations")


def repeatables(folder: Path) -> list[Script]:
    """Scripts that run whenever they change, in order."""
    return _scripts(folder / "repeatable")


def _scripts(folder: Path) -> list[Script]:
    return [read_script(path) for path in sorted(folder.glob("*.sql"))]


def read_script(path: Path) -> Script:
    """One file; a statement over the Data API's limit is an error here, not half way through an apply."""
    body = path.read_bytes()
    statements = tuple(filter(None, (_bare(part) for part in sqlparse.split(body.decode()))))
    if any(len(statement) > _STATEMENT_LIMIT for statement in statements):
        msg = f"{path.name} has a statement of more than {_STATEMENT_LIMIT} characters"
        raise ValueError(msg)
    return Script(path.name, hashlib.sha256(body).hexdigest(), statements)


def _bare(statement: str) -> str:
    """The statement without the comments around it, or nothing if it was only those.

    Comments inside stay. Those in front are prose, and an apostrophe or colon in prose is best not sent to a parser.
    """
    tokens = sqlparse.parse(statement)[0].tokens if statement.strip() else []
    while tokens and (tokens[0].is_whitespace or isinstance(tokens[0], sqlparse.sql.Comment)):
        tokens.pop(0)
    return "".join(str(token) for token in tokens).strip()
