"""For which tenant the work at hand is done: set by the edge for one request, read by whoever calls AWS for it.

A new thread begins without a tenant (`contextvars.copy_context().run` carries one over), and so does each request.
Where sessions are on, nothing tenant-bound can be reached without one: no function falls back on its own role.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_tenant_id: ContextVar[str | None] = ContextVar("tenant_id", default=None)


class NobodyActs(Exception):
    """Tenant-bound work without a tenant: a bug of ours, which must not be done with anybody's rights."""


@contextmanager
def acting_for(tenant_id: str | None) -> Iterator[None]:
    """Within the block work is done for this tenant; None for work that is nobody's."""
    before = _tenant_id.set(tenant_id)
    try:
        yield
    finally:
        _tenant_id.reset(before)


def acting_tenant() -> str:
    """The tenant for whom work is done.

    Raises:
        NobodyActs: there is none.
    """
    tenant_id = _tenant_id.get()
    if not tenant_id:
        raise NobodyActs
    return tenant_id
