"""First answers in memory."""

import threading
from dataclasses import replace
from datetime import datetime

from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord


class InMemoryIdempotencyStore:
    """`IdempotencyStore`; other fakes commit under its lock, which stands for a transaction."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._records: dict[tuple[str, str], IdempotencyRecord] = {}

    def put(self, record: IdempotencyRecord, now: datetime) -> None:
        with self.lock:
            self.check(record, now)
            self._keep(record)

    def check(self, record: IdempotencyRecord, now: datetime) -> None:
        """Raise AlreadyAnswered when the key is taken."""
        stored = self._records.get((record.tenant_id, record.scope))
        if stored and (stored.lapses_at > now or stored.answer is None):
            raise AlreadyAnswered(stored)

    def claim(self, record: IdempotencyRecord, now: datetime) -> IdempotencyRecord:
        with self.lock:
            try:
                self.put(record, now)
            except AlreadyAnswered as exc:
                free = exc.stored.answer is None and exc.stored.lapses_at <= now
                if not free or exc.stored.request_hash != record.request_hash:
                    raise
                record = replace(exc.stored, lapses_at=record.lapses_at)
                self._keep(record)
            return record

    def finish(self, record: IdempotencyRecord) -> None:
        self._keep(record)

    def release(self, record: IdempotencyRecord, now: datetime) -> None:
        self._keep(replace(record, lapses_at=now))

    def _keep(self, record: IdempotencyRecord) -> None:
        with self.lock:
            self._records[record.tenant_id, record.scope] = record
