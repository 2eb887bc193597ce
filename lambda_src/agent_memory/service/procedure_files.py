"""Procedures as files that people write and review: YAML, with the checks of the API, told by file and line.

A file has one procedure, or several as documents; each has a `name` beside what PUT /v1/procedures/{name} takes.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from agent_memory.domain.fields import Id, JsonObject
from agent_memory.domain.json_document import dumps
from agent_memory.domain.procedures import NewProcedure, Procedure
from agent_memory.domain.times import format_time
from agent_memory.errors import InvalidRequest
from agent_memory.service import yaml_text
from agent_memory.service.procedures import check
from agent_memory.service.validation import invalid_request

MAX_FILE_BYTES = 2_000_000
MAX_IN_FILE = 100
# What every file system takes, whatever it makes of capitals.
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


class FiledProcedure(NewProcedure):
    """What one document holds."""

    name: Id


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, by name.

    Raises:
        InvalidRequest: there are none.
    """
    found = sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern))
    if not found:
        raise InvalidRequest.of(str(folder), "must be a folder with files whose names end in .yaml")
    return found


def read_file(path: Path, now: datetime) -> list[tuple[str, NewProcedure]]:
    """Read and check one file: every procedure of it by its name.

    Raises:
        InvalidRequest: names the file, the line and the rule of what cannot be put.
    """
    raw = path.read_bytes()
    if len(raw) > MAX_FILE_BYTES:
        raise InvalidRequest.of(str(path), f"must have at most {MAX_FILE_BYTES} bytes")
    try:
        documents = yaml_text.read(raw.decode())
    except UnicodeDecodeError as exc:
        raise _refusal(path, raw.count(b"\n", 0, exc.start) + 1, "must be UTF-8") from None
    except yaml_text.Unreadable as exc:
        raise _refusal(path, exc.line, str(exc)) from None
    if not 1 <= len(documents) <= MAX_IN_FILE:
        raise InvalidRequest.of(str(path), f"must have 1 to {MAX_IN_FILE} procedures")
    read: dict[tuple[str, str | None], NewProcedure] = {}
    for document in documents:
        filed = _checked(path, document, now)
        if (filed.name, filed.agent_id) in read:
            raise _refusal(path, document.line_of(("name",)), "name: must not be in the file twice")
        read[filed.name, filed.agent_id] = filed
    return [(name, new) for (name, _), new in read.items()]


def write_files(procedures: Iterable[Procedure], folder: Path) -> list[str]:
    """Write each procedure into a file of its own, over what is there: the names of the files.

    Earlier versions are not written: what is read back is what stands now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for procedure in procedures:
        name = _file_name(procedure)
        (folder / name).write_text(yaml_text.write(_document(procedure)), encoding="utf-8", newline="")
        names.append(name)
    return names


def _checked(path: Path, document: yaml_text.Document, now: datetime) -> FiledProcedure:
    try:
        filed = FiledProcedure.model_validate(document.value)
    except ValidationError as exc:
        refused = invalid_request(exc)
    else:
        try:
            check(filed, now)
        except InvalidRequest as exc:
            refused = exc
        else:
            return filed
    details: Sequence[JsonObject] = refused.details  # type: ignore[assignment] # every refusal of a field has them
    places = [(document.line_of(each["field"].split(".")), each) for each in details]
    raise InvalidRequest(
        "\n".join(f"{path}:{line}: {each['field']}: {each['rule']}" for line, each in places),
        [{"field": f"{path}:{line}: {each['field']}", "rule": each["rule"]} for line, each in places],
    )


def _refusal(path: Path, line: int, rule: str) -> InvalidRequest:
    return InvalidRequest(f"{path}:{line}: {rule}", [{"field": f"{path}:{line}", "rule": rule}])


def _document(procedure: Procedure) -> JsonObject:
    """What `read_file` makes the same procedure of; what says nothing is left out."""
    expires_at = None if procedure.expires_at is None else format_time(procedure.expires_at)
    told = {"name": procedure.name, "agent_id": procedure.agent_id, **procedure.content, "expires_at": expires_at}
    phrases = told["trigger"]
    told["trigger"] = phrases[0] if len(phrases) == 1 else phrases
    silent = {"trust": "direct_user", "metadata": {}, "purposes": []}
    return {name: value for name, value in told.items() if value is not None and value != silent.get(name)}


def _file_name(procedure: Procedure) -> str:
    if procedure.agent_id is None and _PLAIN_NAME.fullmatch(procedure.name):
        return f"{procedure.name}.yaml"
    readable = re.sub(r"[^a-z0-9]+", "-", procedure.name.casefold())[:60].strip("-")
    key = hashlib.sha256(dumps([procedure.name, procedure.agent_id]).encode()).hexdigest()[:16]
    return f"{readable}.{key}.yaml"
