"""Named parameters become PostgreSQL's numbered ones."""

import re
from collections.abc import Collection

from local.rds_data.errors import bad_request

# What may hold a colon that names nothing: strings, quoted names, comments, dollar-quoted bodies, casts.
_TOKEN = re.compile(
    r"""
      [eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*"
    | --[^\n]* | /\*.*?\*/ | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | ::
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.DOTALL | re.VERBOSE,
)


def numbered(sql: str, given: Collection[str]) -> tuple[str, list[str]]:
    """The statement with $1, $2, ... and the names that these stand for."""
    names: list[str] = []

    def number(token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return token[0]
        if name not in given:
            raise bad_request(f"Cannot find parameter: {name}")
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _TOKEN.sub(number, sql), names
