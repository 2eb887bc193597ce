"""Large values: written to their own place before the record that points there, and shown by value or by link."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from agent_memory.domain.bodies import Bodies, Digest, Holds, StoredBody, linked, new_key
from agent_memory.domain.idempotency import AlreadyAnswered
from agent_memory.domain.json_document import RawJson, dumps, parse
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.state import VersionMismatch
from agent_memory.domain.uploads import MAX_UPLOAD_BYTES, check_upload_size, nothing_there, unsealed
from agent_memory.domain.usage import Tally
from agent_memory.errors import (
    AgentMemoryError,
    BodyMissing,
    Conflict,
    InProgress,
    NoRoomInRecord,
    StoreUnavailable,
)

RecordT = TypeVar("RecordT", bound=Holds)
WrittenT = TypeVar("WrittenT", bound=Holds)
# After these nobody knows whether the record was written: what it may point to stays, for the sweeper to judge.
_UNCERTAIN = (InProgress, StoreUnavailable)


class Kept(NamedTuple):
    """A body that a record is going to point to, and by what it is taken back.

    Without a receipt it stood already: an earlier attempt at the same write may have committed a pointer to it.
    """

    body: StoredBody
    receipt: str | None


class LargeValues:
    """What working and episodic memory do with values that a record has no room for.

    `bodies` is asked for the store only when there is such a value.
    """

    def __init__(self, bodies: Callable[[], Bodies], tally: Tally, clock: Callable[[], datetime]) -> None:
        self._bodies = bodies
        self._tally = tally
        self._clock = clock

    def keep(self, folder: str, value: Any, write: str | None = None) -> Kept:
        """Write a value; `write` is for `new_key`.

        Raises:
            RateLimited: the tenant may not store so much; nothing was written.
        """
        content = dumps(value).encode()
        key = new_key(folder, write)
        body = StoredBody(key, hashlib.sha256(content).hexdigest(), len(content))
        if write is not None and self._stands(body):
            return Kept(body, None)
        self._tally.need("s3_bytes", len(content))
        receipt = self._bodies().put(key, content)
        self._tally.s3_bytes += len(content)
        return Kept(body, receipt)

    def adopt(
        self,
        folder: str,
        tenant_id: str,
        upload_id: str,
        cursor_key: bytes,
        room: int = MAX_UPLOAD_BYTES,
        write: str | None = None,
    ) -> Kept:
        """Copy what was uploaded, and read the copy through: what the record owns is what was announced.

        Raises:
            NotFound: no such upload of this tenant.
            Conflict: nothing was uploaded, or something else.
            PayloadTooLarge: it has more bytes than there is room for.
            RateLimited: see `keep`.
        """
        upload = unsealed(tenant_id, cursor_key, upload_id, self._clock())
        check_upload_size(upload.size, room)
        body = StoredBody(new_key(folder, write), upload.sha256, upload.size, is_opaque=True)
        if write is not None and self._stands(body):
            return Kept(body, None)
        bodies = self._bodies()
        upload.check_length(bodies.size(upload.key))
        self._tally.need("s3_bytes", upload.size)
        receipt = bodies.copy(upload.key, body.key)
        if receipt is None:
            raise nothing_there()
        self._tally.s3_bytes += upload.size
        kept = Kept(body, receipt)
        if not self._stands(body):
            self.withdraw(kept)
            raise Conflict("what was uploaded has another sha256 than was announced")
        return kept

    def withdraw(self, kept: Kept) -> None:
        """Take back what no record points to. What cannot be removed now is found later by its key."""
        if kept.receipt is None:
            return
        with suppress(StoreUnavailable):
            self._bodies().withdraw(kept.body.key, kept.receipt)
            self._tally.s3_bytes -= kept.body.size

    def _stands(self, body: StoredBody) -> bool:
        return self._bodies().digest(body.key) == Digest(body.sha256, body.size)

    @contextmanager
    def placing(self, folder: Callable[[], str], kept: Kept | None = None) -> "Iterator[Placing]":
        """One write of a value, which is taken back when the write is refused."""
        placing = Placing(self, folder, kept)
        try:
            yield placing
        except AlreadyAnswered as exc:
            # A write whose answer was lost on its way finds itself.
            first = exc.stored.answer
            if placing.kept and not (first and first.body_kept == placing.kept.body):
                self.withdraw(placing.kept)
            raise
        except _UNCERTAIN:
            raise
        except (AgentMemoryError, VersionMismatch):
            if placing.kept:
                self.withdraw(placing.kept)
            raise

    def answered(self, record: RecordT, value: Any) -> RecordT:
        """A record that was just written, as the answer shows it; `value` is what was written, if it was given."""
        body = record.body
        if body is None:
            return record
        return record.holding(value, body) if body.is_inline else self.beside_link(record)

    def opened(self, record: RecordT) -> RecordT:
        """A record that was read, as the answer shows it.

        Raises:
            BodyMissing: its value is gone: by now the record is replaced or gone too.
            StoreUnavailable: its value is not what was written.
        """
        body = record.body
        if body is None or record.value is not None:
            return record
        return self.loaded(record) if body.is_inline else self.beside_link(record)

    def beside_link(self, record: RecordT) -> RecordT:
        """A record that has a body, with a link to it instead of its value."""
        body = record.body
        return record if body is None else record.holding(None, linked(body, self._bodies().link(body.key)))

    def loaded(self, record: RecordT) -> RecordT:
        """A record with its value, whatever that takes; raises as `opened` does."""
        body = record.body
        if body is None or record.value is not None:
            return record
        content = self._bodies().read(body.key)
        if content is None:
            raise BodyMissing("a value could not be read")
        if hashlib.sha256(content).hexdigest() != body.sha256:
            raise StoreUnavailable("a value is not what was written")
        return record.holding(parse(content.decode()), body)

    def opener(self, budget: ScanBudget) -> "Opener":
        """What opens the records of one page."""
        return Opener(self, budget)

    def told_again(self, answer: str, body: StoredBody) -> RawJson:
        """A kept answer to a write, which says where the value lies, with the value or a new link.

        When the record has another value by now, and this one is gone, it is said without either.
        """
        told = parse(answer)
        name = "data" if "data" in told else "content"
        shown = body.response()
        with suppress(BodyMissing):
            opened = self.opened(_Answered(None, body))
            told[name] = opened.value
            shown = {} if opened.value is not None or opened.body is None else opened.body.response()
        without = {each: told[each] for each in told if each not in body.response()}
        return RawJson(dumps({**without, **shown}))


class Placing:
    """Where the value of one write lies: in its record, and once that has no room, in a body."""

    def __init__(self, values: LargeValues, folder: Callable[[], str], kept: Kept | None) -> None:
        self._values = values
        self._folder = folder
        self.kept = kept

    def commit(self, record: RecordT, write: Callable[[RecordT], WrittenT]) -> WrittenT:
        """Write a record, the body before the pointer; what the answer shows."""
        value = record.value
        if self.kept is None:
            try:
                return write(record)
            except NoRoomInRecord:
                self.kept = self._values.keep(self._folder(), value)
        return self._values.answered(write(record.holding(None, self.kept.body)), value)


class Opener:
    """Opens records within the budget of a page; the first large value is free, so that a walk moves on."""

    def __init__(self, values: LargeValues, budget: ScanBudget) -> None:
        self._values = values
        self._budget = budget
        self._has_read = False

    def open(self, record: RecordT) -> RecordT:
        """See `LargeValues.opened`; a value that is gone is shown as a link to it, for the walk has to get past it.

        Raises:
            ScanBudgetSpent: no more values may be read.
        """
        if record.body is not None and record.value is None and record.body.is_inline:
            if self._has_read and not self._budget.open_object():
                raise ScanBudgetSpent
            self._has_read = True
        with suppress(BodyMissing):
            return self._values.opened(record)
        return self._values.beside_link(record)


class _Answered(NamedTuple):
    """Of a kept answer, what `LargeValues` fills in."""

    value: Any
    body: StoredBody | None

    def holding(self, value: Any, body: StoredBody | None) -> "_Answered":
        return _Answered(value, body)
