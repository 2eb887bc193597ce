"""An episode as a line of an archived object: JSON that says everything, so that the archive can be read without us.

Columns of `terraform/modules/archive-analytics` (the Athena table) and of `sql/analytics/` are these names.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence

from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.episode import Episode
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.times import format_time, parse_time

ANNOTATIONS = ("user_id", "purposes", "metadata", "source", "trust")


def line(episode: Episode) -> str:
    """One line, without its end; the same for the same episode, whoever writes it."""
    given: JsonObject = {
        "id": episode.id,
        "tenant_id": episode.tenant_id,
        "agent_id": episode.agent_id,
        "session_id": episode.session_id,
        "type": episode.type,
        "timestamp": format_time(episode.timestamp),
        "created_at": format_time(episode.created_at),
        "run_id": episode.run_id,
        "expires_at": None if episode.expires_at is None else format_time(episode.expires_at),
        **{name: episode.annotations.get(name) for name in ANNOTATIONS},
        "content": episode.content,
    }
    if body := episode.body:
        given["body"] = {"key": body.key, "sha256": body.sha256, "bytes": body.size, "is_opaque": body.is_opaque}
    return dumps(given)


def content_of(lines: Iterable[str]) -> bytes:
    """The bytes of an object: lines in the order of a walk that begins with the oldest; no clock in it."""
    return gzip.compress("".join(each + "\n" for each in lines).encode(), compresslevel=6, mtime=0)


def lines_in(content: bytes) -> Sequence[bytes]:
    """Undo `content_of`, in its order; a line takes time to read, so that is left to `episode_of`.

    Raises:
        OSError, EOFError, zlib.error: it is not what was written.
    """
    # Not splitlines: it also ends lines at characters that JSON leaves as they are, such as U+2028.
    return gzip.decompress(content).split(b"\n")[:-1]


def episodes_in(content: bytes) -> Iterator[Episode]:
    """Every episode of an object, in the order of its lines.

    Raises:
        ValueError, KeyError: it is not what was written.
    """
    return map(episode_of, lines_in(content))


def episode_of(written: bytes) -> Episode:
    """Undo `line`.

    Raises:
        ValueError, KeyError: it is not what was written.
    """
    return _episode(parse(written.decode()))


def _episode(said: JsonObject) -> Episode:
    expires_at, body = said["expires_at"], said.get("body")
    return Episode(
        tenant_id=said["tenant_id"],
        agent_id=said["agent_id"],
        session_id=said["session_id"],
        id=said["id"],
        type=said["type"],
        content=said["content"],
        timestamp=parse_time(said["timestamp"]),
        created_at=parse_time(said["created_at"]),
        run_id=said["run_id"],
        expires_at=None if expires_at is None else parse_time(expires_at),
        annotations={name: said[name] for name in ANNOTATIONS if said[name] is not None},
        body=body and StoredBody(body["key"], body["sha256"], int(body["bytes"]), body["is_opaque"]),
    )
