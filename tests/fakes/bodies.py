"""Large values in memory."""

import base64
import gzip
import hashlib
import random
from itertools import count

from agent_memory.domain.bodies import MAX_INLINE_ANSWER_BYTES, Digest
from agent_memory.domain.episode import Episode
from agent_memory.domain.json_document import dumps
from agent_memory.domain.state import State
from agent_memory.errors import NoRoomInRecord

_MAX_RECORD_BYTES = 390_000


def owner_name(*parts: str) -> str:
    """What a record is called in keys of bodies."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def has_room(record: State | Episode) -> bool:
    """What the stores in memory do about large values."""
    value = "" if record.body else dumps(record.value)
    whole = dumps(record.response())
    return len(value.encode()) <= MAX_INLINE_ANSWER_BYTES and len(gzip.compress(whole.encode())) <= _MAX_RECORD_BYTES


def check_room(record: State | Episode) -> None:
    """The same for who has to refuse."""
    if not has_room(record):
        raise NoRoomInRecord("too large")


def incompressible(size: int, seed: int = 0) -> str:
    """Text of so many bytes that gzip takes a fourth off at most, the same for the same seed."""
    written = base64.b64encode(random.Random(seed).randbytes(size * 3 // 4 + 3)).decode()  # noqa: S311 - test data
    return written[:size]


class InMemoryBodies:
    """`Bodies`; an object has as many versions as were written, and a client may write one itself (`uploaded`)."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, bytes]] = {}
        self.reads = 0
        self._receipts = count(1)

    def put(self, key: str, content: bytes) -> str:
        receipt = str(next(self._receipts))
        self.objects.setdefault(key, {})[receipt] = content
        return receipt

    def size(self, key: str) -> int | None:
        content = self._newest(key)
        return None if content is None else len(content)

    def copy(self, source: str, key: str) -> str | None:
        content = self._newest(source)
        return None if content is None else self.put(key, content)

    def read(self, key: str) -> bytes | None:
        self.reads += 1
        return self._newest(key)

    def digest(self, key: str) -> Digest | None:
        content = self._newest(key)
        return None if content is None else Digest(hashlib.sha256(content).hexdigest(), len(content))

    def withdraw(self, key: str, receipt: str) -> None:
        versions = self.objects.get(key, {})
        versions.pop(receipt, None)
        if not versions:
            self.objects.pop(key, None)

    def link(self, key: str) -> str:
        return f"memory://{key}"

    def upload_link(self, key: str, size: int) -> str:
        return f"memory://{key}?bytes={size}"

    def behind(self, url: str) -> bytes:
        """What a link serves."""
        content = self._newest(url.removeprefix("memory://"))
        assert content is not None
        return content

    def uploaded(self, url: str, content: bytes) -> None:
        """What a client does with a link for an upload."""
        key, _, size = url.removeprefix("memory://").partition("?bytes=")
        assert int(size) == len(content)
        self.put(key, content)

    def _newest(self, key: str) -> bytes | None:
        return next(reversed(self.objects.get(key, {}).values()), None)
