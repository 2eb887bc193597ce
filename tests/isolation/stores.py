"""Attacks on the stores themselves, behind the API: what the functions' own credentials could reach, and do not."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.isolation.arena import Arena, Leak
from tests.isolation.planting import WORD

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Stores:
    """Ways to the stores; what is None cannot be reached from here."""

    dsn: str | None = None
    owner_dsn: str | None = None
    aws_endpoint: str | None = None
    memory_table: str = "memory"
    control_table: str = "control"
    bucket: str = "archive"


@dataclass(frozen=True)
class StoreAttack:
    """One way to attack a store; `needs` names what of `Stores` it goes through."""

    store: str
    name: str
    needs: tuple[str, ...]
    run: Callable[["Ground"], None]

    def __str__(self) -> str:
        """Its name in reports."""
        return f"{self.store} | {self.name}"

    def lacks(self, stores: Stores) -> list[str]:
        """What it needs and cannot have here."""
        return [name for name in self.needs if getattr(stores, name) is None]


@dataclass(frozen=True)
class Ground:
    """The stores, and the two tenants whose records stand in them."""

    stores: Stores
    arena: Arena

    @property
    def attacker(self) -> str:
        """Its tenant id."""
        return self.arena.attacker.name

    @property
    def victim(self) -> str:
        """Its tenant id."""
        return self.arena.victim.name

    @property
    def victims(self) -> Mapping[str, str]:
        """Ids of the victim's records."""
        return self.arena.shared.ids

    def secret(self, told: object) -> None:
        """Search for what the victim alone knows.

        Raises:
            Leak: it is there.
        """
        found = self.arena.shared.contents & set(WORD.findall(str(told)))
        if found:
            raise Leak(f"told {sorted(found)}")

    @contextmanager
    def app(self, tenant: str | None = None) -> Iterator[Connection]:
        """A transaction of the application's role, for a tenant or for nobody, that is thrown away."""
        with psycopg.connect(str(self.stores.dsn)) as connection:
            if tenant is not None:
                enter(connection, tenant)
            yield connection
            connection.rollback()


def enter(connection: Connection, tenant: str) -> None:
    """Say on whose behalf the transaction is, as every operation of the application does."""
    connection.execute("SELECT memory.enter_tenant(%s)", (tenant,))


STORE_ATTACKS: list[StoreAttack] = []


def store_attack(store: str, name: str, *needs: str) -> Callable[[Callable[[Ground], None]], Callable[[Ground], None]]:
    """Add a way to attack a store."""

    def add(run: Callable[[Ground], None]) -> Callable[[Ground], None]:
        STORE_ATTACKS.append(StoreAttack(store, name, needs, run))
        return run

    return add
