"""Settings, API keys and their pepper in memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.buckets import Buckets
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.purge import Removed
from agent_memory.errors import StoreUnavailable
from tests.fakes.idempotency import InMemoryIdempotencyStore


class InMemorySubjectStore:
    """`SubjectStore`."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, str, str], str] = {}

    def bind(self, tenant_id: str, agent_id: str, session_id: str, user_id: str) -> str:
        return self._users.setdefault((tenant_id, agent_id, session_id), user_id)

    def bound(self, tenant_id: str, agent_id: str, session_id: str) -> str | None:
        return self._users.get((tenant_id, agent_id, session_id))

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for session in [session for session in self._users if session[:2] == (tenant_id, agent_id)]:
            del self._users[session]
            yield Removed({"other": 1})


class InMemoryBucketStore:
    """`BucketStore`."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Buckets] = {}

    def get(self, tenant_id: str, agent_id: str) -> Buckets:
        return self._buckets.get((tenant_id, agent_id), Buckets())

    def grow(self, tenant_id: str, agent_id: str, old: Buckets, new: Buckets) -> bool:
        if self.get(tenant_id, agent_id) != old:
            return False
        self._buckets[tenant_id, agent_id] = new
        return True


class InMemoryApiKeyStore:
    """`ApiKeyStore` that counts its reads and the uses it was told of."""

    def __init__(self, idempotency: InMemoryIdempotencyStore | None = None) -> None:
        self._idempotency = idempotency or InMemoryIdempotencyStore()
        self.keys: dict[str, ApiKey] = {}
        self.reads = 0
        self.notes = 0

    def get(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_id)

    def add(self, key: ApiKey, answer: IdempotencyRecord | None = None) -> None:
        self._keep(answer, key.created_at)
        self.keys[key.key_id] = key

    def revoke(
        self, key_id: str, at: datetime, tenant_id: str | None = None, answer: IdempotencyRecord | None = None
    ) -> bool:
        if answer is not None:
            self._idempotency.check(answer, at)
        key = self.keys.get(key_id)
        if key is None or tenant_id not in (None, key.tenant_id):
            return False
        self._keep(answer, at)
        self.keys[key_id] = replace(key, revoked_at=key.revoked_at or at)
        return True

    def expire(self, key_id: str, at: datetime) -> bool:
        key = self.keys.get(key_id)
        if key is None:
            return False
        self.keys[key_id] = replace(key, expires_at=min(key.expires_at or at, at))
        return True

    def note_use(self, key_id: str, at: datetime) -> None:
        self.notes += 1
        key = self.keys.get(key_id)
        if key is not None and key.is_use_due(at):
            self.keys[key_id] = replace(key, last_used_at=at)

    def _keep(self, answer: IdempotencyRecord | None, at: datetime) -> None:
        if answer is not None:
            self._idempotency.put(answer, at)

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        return sorted((key for key in self.keys.values() if key.tenant_id == tenant_id), key=lambda key: key.key_id)


class RotatingPepper:
    """`PepperSource` whose versions a test adds, and takes away."""

    def __init__(self) -> None:
        self.versions = [b"first pepper"]
        self.forgotten: set[int] = set()

    def latest(self) -> tuple[int, bytes]:
        return len(self.versions), self.versions[-1]

    def get(self, version: int) -> bytes:
        if version in self.forgotten:
            raise StoreUnavailable("the pepper could not be read")
        return self.versions[version - 1]
