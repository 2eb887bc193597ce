"""API keys."""

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING

from agent_memory.bootstrap import tenants
from agent_memory.domain.api_key import SCOPES, ApiKey
from agent_memory.domain.times import now
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "keys", "API keys")
    create = add(actions, "create", Command(_create), "make a key; it is shown this once")
    create.add_argument("--tenant", required=True)
    create.add_argument("--scopes", nargs="+", choices=SCOPES, default=["read", "write"])
    create.add_argument("--label", default="")
    create.add_argument("--expires-in-days", type=int, choices=range(1, 3651), metavar="1..3650")
    add(actions, "list", Command(_list), "list a tenant's keys").add_argument("--tenant", required=True)
    revoke = add(actions, "revoke", Command(_revoke), "refuse a key from now on; effective within 60 s")
    revoke.add_argument("--key-id", required=True)
    note = "let a key end later, while the one that takes its place works already"
    expire = add(actions, "expire", Command(_expire), note)
    expire.add_argument("--key-id", required=True)
    expire.add_argument("--in-hours", type=int, choices=range(1, 8761), metavar="1..8760", required=True)


def _create(options: argparse.Namespace) -> object:
    days = options.expires_in_days
    expires_at = None if days is None else now() + timedelta(days=days)
    key, record = tenants.api_keys().create(options.tenant, tuple(options.scopes), options.label, expires_at)
    return {"api_key": key, **_shown(record)}


def _list(options: argparse.Namespace) -> object:
    return [_shown(record) for record in tenants.api_keys().of_tenant(options.tenant)]


def _revoke(options: argparse.Namespace) -> object:
    tenants.api_keys().revoke(options.key_id)
    return {"key_id": options.key_id, "revoked": True}


def _expire(options: argparse.Namespace) -> object:
    at = now() + timedelta(hours=options.in_hours)
    tenants.api_keys().expire(options.key_id, at)
    return {"key_id": options.key_id, "expires_at_latest": at}


def _shown(record: ApiKey) -> dict[str, object]:
    return {
        "key_id": record.key_id,
        "tenant_id": record.tenant_id,
        "scopes": list(record.scopes),
        "label": record.label,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
        "last_used_at": record.last_used_at,
    }
