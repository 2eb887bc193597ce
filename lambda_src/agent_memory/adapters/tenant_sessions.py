"""Sessions of tenants in a warm function: one call to STS for each tenant in 50 minutes, whoever else asks waits."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from agent_memory.adapters.sigv4 import Credentials, CredentialSource
from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.errors import StoreUnavailable

KEPT_S = 50 * 60
"""Of the hour that a session is good for: a request that begins with one must end with it."""

_MOST = 200


class _Session:
    """What was given, and when by both clocks. A plain class: making another kind takes a cold start longer."""

    def __init__(self, credentials: Credentials, clock: float, steady: float) -> None:
        self.credentials = credentials
        self.clock = clock
        self.steady = steady


class _Flight:
    """A call under way, and what came of it."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.credentials: Credentials | None = None


class TenantSessions:
    """The 200 tenants served last. Several threads may ask at the same time, each for its own tenant."""

    def __init__(
        self,
        assume: Callable[[str, float], Credentials],
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assume = assume
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Session] = OrderedDict()
        self._flights: dict[str, _Flight] = {}
        self._calls = 0
        self._seconds = 0.0

    def credentials_of(self, whose: Callable[[], str]) -> CredentialSource:
        """Credentials of the tenant that `whose` names at each request."""
        return lambda deadline: self.of(whose(), deadline)

    def of(self, tenant_id: str, deadline: float) -> Credentials:
        """The tenant's credentials.

        Raises:
            StoreUnavailable: none by `deadline`, a time of time.monotonic(); the next request asks anew.
        """
        if not TENANT_ID.fullmatch(tenant_id):  # before it can become part of a tag, and by it of a key or a prefix
            raise ValueError("no tenant has such an id")
        with self._lock:
            kept = self._kept.get(tenant_id)
            if kept and self._is_fresh(kept):
                self._kept.move_to_end(tenant_id)
                return kept.credentials
            other = self._flights.get(tenant_id)
            flight = other or self._flights.setdefault(tenant_id, _Flight())
        if not other:
            return self._fly(tenant_id, flight, deadline)
        other.landed.wait(max(0.0, deadline - time.monotonic()))
        if other.credentials is None:
            raise StoreUnavailable("no session could be had")
        return other.credentials

    def taken(self) -> tuple[int, float]:
        """Calls to STS since this was last asked, and the seconds that they took together."""
        with self._lock:
            taken = self._calls, self._seconds
            self._calls, self._seconds = 0, 0.0
        return taken

    def _is_fresh(self, kept: _Session) -> bool:
        # By both: one clock may stand still while a function is frozen, the other may be put back.
        age = self._clock() - kept.clock
        return 0 <= age < KEPT_S and self._steady() - kept.steady < KEPT_S

    def _fly(self, tenant_id: str, flight: _Flight, deadline: float) -> Credentials:
        clock, steady = self._clock(), self._steady()
        try:
            flight.credentials = credentials = self._assume(tenant_id, deadline)
        finally:
            with self._lock:
                del self._flights[tenant_id]
                self._calls += 1
                self._seconds += self._steady() - steady
                if flight.credentials:
                    self._keep(tenant_id, _Session(flight.credentials, clock, steady))
            flight.landed.set()
        return credentials

    def _keep(self, tenant_id: str, session: _Session) -> None:
        self._kept.pop(tenant_id, None)  # to stand among the newest
        self._kept[tenant_id] = session
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
