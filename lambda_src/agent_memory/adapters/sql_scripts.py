"""The SQL files of the package, read and split into the single statements that the Data API takes."""

import hashlib
from itertools import dropwhile
from pathlib import Path

import sqlparse
from sqlparse import sql, tokens

from agent_memory.domain.database import Script

_STATEMENT_LIMIT = 65_536  # characters of one statement in the Data API


def migrations(folder: Path) -> list[Script]:
    """Scripts that run once, in order."""
    return _scripts(folder / "migrations")


def repeatables(folder: Path) -> list[Script]:
    """Scripts that run whenever they change, in order."""
    return _scripts(folder / "repeatable")


def rules(folder: Path) -> list[Script]:
    """Questions to the catalogue, one a file, that must find nothing."""
    return _scripts(folder / "lint")


def _scripts(folder: Path) -> list[Script]:
    return [read_script(path) for path in sorted(folder.glob("*.sql"))]


def read_script(path: Path) -> Script:
    """One file; a statement over the Data API's limit is an error here, not half way through an apply."""
    body = path.read_bytes()
    statements = tuple(filter(None, map(_bare, sqlparse.parse(body.decode()))))
    if any(len(statement) > _STATEMENT_LIMIT for statement in statements):
        msg = f"{path.name} has a statement of more than {_STATEMENT_LIMIT} characters"
        raise ValueError(msg)
    return Script(path.name, hashlib.sha256(body).hexdigest(), statements)


def _bare(statement: sql.Statement) -> str:
    """The statement without the comments in front of it; nothing, if it was only those.

    They are prose, and an apostrophe or colon in prose is best not sent to a parser. Comments inside stay.
    """
    return "".join(str(token) for token in dropwhile(_is_prose, statement.tokens)).strip()


def _is_prose(token: sql.Token) -> bool:
    return bool(token.is_whitespace or token.ttype in tokens.Comment or isinstance(token, sql.Comment))
