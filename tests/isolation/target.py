"""Which deployment is attacked: a stack.json, or what the environment names; without either, handlers in this process.

STACK_JSON=.local/stack.json     a local stack, with all its stores
ATTACK_API_URL                   any deployment, by its API, with
ATTACK_TENANT_A, ATTACK_KEY_A    the attacker and its key,
ATTACK_TENANT_B, ATTACK_KEY_B    the victim and its key; both keys need all scopes
ATTACK_POSTGRES_DSN              its database as the application's role logs in, and
ATTACK_POSTGRES_DSN_OWNER        as the master user does
AWS_ENDPOINT_URL, ATTACK_MEMORY_TABLE, ATTACK_CONTROL_TABLE, ATTACK_BUCKET    its other stores, on a stand-in
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.isolation.stores import Stores


@dataclass(frozen=True)
class Target:
    """Where to attack, and as whom: the attacker first, then the victim."""

    api_url: str
    tenants: tuple[str, str]
    keys: tuple[str, str]
    stores: Stores


def named(environment: Mapping[str, str] = os.environ) -> Target | None:
    """The target that the environment names, if any."""
    if url := environment.get("ATTACK_API_URL"):
        return _by_names(url, environment)
    if path := environment.get("STACK_JSON"):
        return by_stack(json.loads(Path(path).read_text()))
    return None


def by_stack(stack: Mapping[str, Any]) -> Target:
    """The target that a stack.json describes."""
    attacker, victim = stack["tenants"][:2]
    return Target(
        stack["api_url"],
        (attacker["tenant_id"], victim["tenant_id"]),
        (attacker["api_key"], victim["api_key"]),
        Stores(
            stack["postgres_dsn_app"],
            stack["postgres_dsn_owner"],
            stack["aws_endpoint_url"],
            stack["memory_table"],
            stack["control_table"],
            stack["bucket"],
        ),
    )


def _by_names(url: str, environment: Mapping[str, str]) -> Target:
    needed = ("ATTACK_TENANT_A", "ATTACK_TENANT_B", "ATTACK_KEY_A", "ATTACK_KEY_B")
    if missing := [name for name in needed if not environment.get(name)]:
        msg = f"ATTACK_API_URL names a deployment, but these are not set: {', '.join(missing)}"
        raise LookupError(msg)
    attacker, victim, key, victims_key = (environment[name] for name in needed)
    stores = Stores(
        environment.get("ATTACK_POSTGRES_DSN"),
        environment.get("ATTACK_POSTGRES_DSN_OWNER"),
        environment.get("AWS_ENDPOINT_URL"),
        environment.get("ATTACK_MEMORY_TABLE", "memory"),
        environment.get("ATTACK_CONTROL_TABLE", "control"),
        environment.get("ATTACK_BUCKET", "archive"),
    )
    return Target(url, (attacker, victim), (key, victims_key), stores)
