"""Every way to attack a store; importing this fills the list."""

from tests.isolation import (
    stores_aws,
    stores_bodies,
    stores_cold,
    stores_iam,
    stores_pool,
    stores_race,
    stores_runs,
    stores_sql,
    stores_sql_asides,
    stores_sql_changes,
)

__all__ = [
    "stores_aws",
    "stores_bodies",
    "stores_cold",
    "stores_iam",
    "stores_pool",
    "stores_race",
    "stores_runs",
    "stores_sql",
    "stores_sql_asides",
    "stores_sql_changes",
]
