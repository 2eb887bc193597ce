"""Limits as they are written, overridden and waited for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.limits import NAMES, NO_LIMITS, Limits, until_next_month_s
from agent_memory.errors import InvalidRequest
from agent_memory.service.tenants import TenantLimits
from tests.fakes.usage import InMemoryLimitStore

SOME = st.none() | st.integers(0, 10**15)


@given(st.builds(Limits, *[SOME] * len(NAMES)))
def test_limits_are_read_as_they_were_written(limits: Limits) -> None:
    assert Limits.read(limits.write()) == limits


def test_no_limits_are_written_as_nothing() -> None:
    assert NO_LIMITS.write() == ""
    assert Limits.read(None) == Limits.read("") == Limits.read("{}") == NO_LIMITS


def test_a_tenants_own_limits_hold_in_place_of_the_deployments() -> None:
    tenants = TenantLimits(InMemoryLimitStore(), Limits(requests_per_second=10, vectors=5))

    tenants.change("acme", {"requests_per_second": 20, "vectors": None, "stored_bytes": 7}, set())

    assert tenants.of("acme") == Limits(requests_per_second=20, stored_bytes=7)
    assert tenants.of("globex") == Limits(requests_per_second=10, vectors=5)
    tenants.change("acme", {}, {"requests_per_second", "vectors"})
    assert tenants.of("acme") == Limits(requests_per_second=10, vectors=5, stored_bytes=7)


@pytest.mark.parametrize(
    ("own", "dropped"),
    [
        ({"retention_days": 0}, set()),
        ({}, set()),
        ({"speed": 1}, set()),
        ({}, {"speed"}),
        ({"vectors": -1}, set()),
        ({"vectors": 1}, {"vectors"}),
    ],
)
def test_changes_of_nothing_or_of_no_limit_are_refused(own: dict[str, int | None], dropped: set[str]) -> None:
    with pytest.raises(InvalidRequest):
        TenantLimits(InMemoryLimitStore(), NO_LIMITS).change("acme", own, dropped)


def test_a_malformed_tenant_gets_no_limits() -> None:
    with pytest.raises(InvalidRequest):
        TenantLimits(InMemoryLimitStore(), NO_LIMITS).change("acme#1", {"vectors": 1}, set())


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 20, tzinfo=UTC), 3600),
        (datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC), 30),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 1),
    ],
)
def test_who_has_used_up_the_month_comes_again_with_the_next_or_in_an_hour(now: datetime, seconds: int) -> None:
    assert until_next_month_s(now) == seconds
