"""Sessions that a warm function keeps: one call for each tenant, never older than may be, never another's."""

import threading
import time
from collections.abc import Iterator

import pytest

from agent_memory.acting import NobodyActs, acting_for, acting_tenant
from agent_memory.adapters.sigv4 import Credentials
from agent_memory.adapters.tenant_sessions import KEPT_S, TenantSessions
from agent_memory.errors import StoreUnavailable

FOREVER = time.monotonic() + 10_000


class Sts:
    """Gives each tenant credentials that tell whose they are and which time it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False
        self.gate = threading.Event()
        self.gate.set()

    def assume(self, tenant_id: str, _deadline: float) -> Credentials:
        self.asked.append(tenant_id)
        assert self.gate.wait(30)
        if self.down:
            raise StoreUnavailable("no")
        return Credentials(f"{tenant_id}/{len(self.asked)}", "secret", "token")


class Clocks:
    """The wall clock, and one that only goes forward."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.steady = 100.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def sts() -> Iterator[Sts]:
    made = Sts()
    yield made
    made.gate.set()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def sessions(sts: Sts, clocks: Clocks) -> TenantSessions:
    return TenantSessions(sts.assume, lambda: clocks.wall, lambda: clocks.steady)


def key_of(sessions: TenantSessions, tenant_id: str) -> str:
    return sessions.of(tenant_id, FOREVER).access_key_id


def test_a_tenant_is_asked_for_once(sessions: TenantSessions, sts: Sts) -> None:
    assert [key_of(sessions, tenant) for tenant in ("acme", "globex", "acme")] == ["acme/1", "globex/2", "acme/1"]
    assert sts.asked == ["acme", "globex"]


def test_after_fifty_minutes_a_session_is_had_anew(sessions: TenantSessions, clocks: Clocks) -> None:
    key_of(sessions, "acme")
    clocks.pass_by(KEPT_S - 1)
    assert key_of(sessions, "acme") == "acme/1"
    clocks.pass_by(1)
    assert key_of(sessions, "acme") == "acme/2"


@pytest.mark.parametrize(("wall", "steady"), [(KEPT_S, 0), (-1, 1), (-1200, KEPT_S), (2 * KEPT_S, 1)])
def test_a_clock_that_jumps_or_stands_still_makes_no_session_older(
    sessions: TenantSessions, clocks: Clocks, wall: float, steady: float
) -> None:
    key_of(sessions, "acme")
    clocks.wall += wall
    clocks.steady += steady

    assert key_of(sessions, "acme") == "acme/2"


def test_the_age_of_a_session_counts_from_the_question(sts: Sts, clocks: Clocks) -> None:
    def slow(tenant_id: str, deadline: float) -> Credentials:
        clocks.pass_by(10)
        return sts.assume(tenant_id, deadline)

    sessions = TenantSessions(slow, lambda: clocks.wall, lambda: clocks.steady)
    key_of(sessions, "acme")
    clocks.pass_by(KEPT_S - 10)

    assert key_of(sessions, "acme") == "acme/2"


def test_the_two_hundred_tenants_served_last_are_kept(sessions: TenantSessions, sts: Sts) -> None:
    for number in range(200):
        key_of(sessions, f"t{number}")
    key_of(sessions, "t0")
    key_of(sessions, "one-more")
    asked = len(sts.asked)

    assert key_of(sessions, "t0") == "t0/1"
    assert len(sts.asked) == asked
    key_of(sessions, "t1")
    assert len(sts.asked) == asked + 1


@pytest.mark.parametrize("broken", ["", "Acme", "a#b", "a/b", "*", "a?", "a b", "a\n", "ä", "${x}", "a" * 64])
def test_what_is_no_tenants_id_never_reaches_sts(sessions: TenantSessions, sts: Sts, broken: str) -> None:
    with pytest.raises(ValueError, match="no tenant"):
        sessions.of(broken, FOREVER)
    assert sts.asked == []


def test_a_failure_is_told_and_nothing_of_it_kept(sessions: TenantSessions, sts: Sts) -> None:
    sts.down = True
    with pytest.raises(StoreUnavailable) as refused:
        key_of(sessions, "acme")
    assert refused.value.retry_after_s == 1
    sts.down = False

    assert key_of(sessions, "acme") == "acme/2"


def test_a_session_that_could_not_be_renewed_is_not_used_any_more(
    sessions: TenantSessions, sts: Sts, clocks: Clocks
) -> None:
    key_of(sessions, "acme")
    clocks.pass_by(KEPT_S)
    sts.down = True

    with pytest.raises(StoreUnavailable):
        key_of(sessions, "acme")


def test_several_threads_share_one_call(sessions: TenantSessions, sts: Sts) -> None:
    sts.gate.clear()
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(key_of(sessions, "acme"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    sts.gate.set()
    for thread in threads:
        thread.join()

    assert sts.asked == ["acme"]
    assert keys == ["acme/1"] * 5


def test_whoever_waits_for_anothers_call_learns_that_it_failed(sessions: TenantSessions, sts: Sts) -> None:
    sts.gate.clear()
    sts.down = True
    failures: list[StoreUnavailable] = []

    def fail() -> None:
        try:
            sessions.of("acme", FOREVER)
        except StoreUnavailable as error:
            failures.append(error)

    leader = threading.Thread(target=fail)
    leader.start()
    while not sts.asked:
        time.sleep(0.001)
    waiting = [threading.Thread(target=fail) for _ in range(3)]
    for thread in waiting:
        thread.start()
    time.sleep(0.05)
    sts.gate.set()
    for thread in (leader, *waiting):
        thread.join()

    assert len(failures) == 4
    assert sts.asked == ["acme"]


def test_nobody_waits_beyond_the_deadline(sessions: TenantSessions, sts: Sts) -> None:
    sts.gate.clear()
    leader = threading.Thread(target=lambda: sessions.of("acme", FOREVER))
    leader.start()
    while not sts.asked:
        time.sleep(0.001)

    with pytest.raises(StoreUnavailable):
        sessions.of("acme", time.monotonic() + 0.05)
    sts.gate.set()
    leader.join()


def test_one_tenants_call_holds_up_no_other(sessions: TenantSessions, sts: Sts) -> None:
    key_of(sessions, "globex")
    sts.gate.clear()
    leader = threading.Thread(target=lambda: sessions.of("acme", FOREVER))
    leader.start()

    assert key_of(sessions, "globex") == "globex/1"
    sts.gate.set()
    leader.join()


def test_calls_and_their_time_are_told_once(sessions: TenantSessions, sts: Sts, clocks: Clocks) -> None:
    key_of(sessions, "acme")
    key_of(sessions, "acme")
    sts.down = True
    with pytest.raises(StoreUnavailable):
        key_of(sessions, "globex")

    assert sessions.taken() == (2, 0.0)
    assert sessions.taken() == (0, 0.0)


def test_whose_credentials_is_asked_at_each_request(sessions: TenantSessions) -> None:
    source = sessions.credentials_of(acting_tenant)

    for tenant in ("acme", "globex", "acme"):
        with acting_for(tenant):
            assert source(FOREVER).access_key_id.startswith(f"{tenant}/")
    with pytest.raises(NobodyActs):
        source(FOREVER)
