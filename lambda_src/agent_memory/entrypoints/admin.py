"""Administration from an operator's shell, with the operator's own AWS credentials.

    python -m agent_memory.entrypoints.admin keys create --tenant acme --scopes read write
    python -m agent_memory.entrypoints.admin keys list --tenant acme
    python -m agent_memory.entrypoints.admin keys revoke --key-id 4f...
    python -m agent_memory.entrypoints.admin keys expire --key-id 4f... --in-hours 24
    python -m agent_memory.entrypoints.admin tenants limit --tenant acme --requests-per-second 20 --vectors none
    python -m agent_memory.entrypoints.admin tenants flag --tenant acme --set new-planner=on --drop old
    python -m agent_memory.entrypoints.admin tenants show --tenant acme
    python -m agent_memory.entrypoints.admin agents spread --tenant acme --agent planner --buckets 8

Reads CONTROL_TABLE, PEPPER_PARAMETER and AWS_REGION from the environment, and AWS credentials as the functions
do (`eval "$(aws configure export-credentials --format env)"`). Answers in JSON on standard output.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import timedelta

from agent_memory import bootstrap
from agent_memory.domain.api_key import SCOPES, ApiKey
from agent_memory.domain.claims import WINDOW_NAMES
from agent_memory.domain.flags import Flag
from agent_memory.domain.json_document import dumps
from agent_memory.domain.limits import MAX_DIGITS, NAMES
from agent_memory.domain.times import now
from agent_memory.errors import AgentMemoryError

_ENVIRONMENT = ("CONTROL_TABLE", "PEPPER_PARAMETER", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it was refused, 2 when the environment lacks something."""
    options = _parser().parse_args(arguments)
    if missing := [name for name in _ENVIRONMENT if not os.environ.get(name)]:
        sys.stderr.write(f"not set in the environment: {', '.join(missing)}\n")
        return 2
    try:
        answer = _COMMANDS[options.area, options.action](options)
    except AgentMemoryError as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 1
    sys.stdout.write(dumps(answer) + "\n")
    return 0


def _create(options: argparse.Namespace) -> object:
    days = options.expires_in_days
    expires_at = None if days is None else now() + timedelta(days=days)
    key, record = bootstrap.api_keys().create(options.tenant, tuple(options.scopes), options.label, expires_at)
    return {"api_key": key, **_shown(record)}


def _list(options: argparse.Namespace) -> object:
    return [_shown(record) for record in bootstrap.api_keys().of_tenant(options.tenant)]


def _revoke(options: argparse.Namespace) -> object:
    bootstrap.api_keys().revoke(options.key_id)
    return {"key_id": options.key_id, "revoked": True}


def _expire(options: argparse.Namespace) -> object:
    at = now() + timedelta(hours=options.in_hours)
    bootstrap.api_keys().expire(options.key_id, at)
    return {"key_id": options.key_id, "expires_at_latest": at}


def _limit(options: argparse.Namespace) -> object:
    given: dict[str, str] = {name: limit for name in NAMES if (limit := getattr(options, name)) is not None}
    own = {name: None if limit == "none" else int(limit) for name, limit in given.items() if limit != "default"}
    dropped = {name for name, limit in given.items() if limit == "default"}
    bootstrap.tenant_limits().change(options.tenant, own, dropped)
    return _show(options)


def _show(options: argparse.Namespace) -> object:
    own = bootstrap.tenant_limits().own(options.tenant)
    counted = {name: count for name, count in bootstrap.counters(options.tenant).items() if name not in WINDOW_NAMES}
    shown = {name: "none" if limit is None else limit for name, limit in own.items()}
    return {
        "tenant_id": options.tenant,
        "own_limits": shown,
        "flags": bootstrap.tenant_flags().of(options.tenant),
        "counted": dict(sorted(counted.items())),
    }


def _flag(options: argparse.Namespace) -> object:
    bootstrap.tenant_flags().change(options.tenant, dict(options.set), set(options.drop))
    return {"tenant_id": options.tenant, "flags": bootstrap.tenant_flags().of(options.tenant)}


def _spread(options: argparse.Namespace) -> object:
    buckets = bootstrap.agent_buckets().grow(options.tenant, options.agent, options.buckets)
    return {"agent_id": options.agent, "buckets": len(buckets.all()), "effective_at": buckets.growths[-1].effective_at}


_COMMANDS = {
    ("keys", "create"): _create,
    ("keys", "list"): _list,
    ("keys", "revoke"): _revoke,
    ("keys", "expire"): _expire,
    ("tenants", "limit"): _limit,
    ("tenants", "flag"): _flag,
    ("tenants", "show"): _show,
    ("agents", "spread"): _spread,
}


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agent-memory", description="Administer a deployment of agent-memory.")
    areas = parser.add_subparsers(dest="area", required=True)
    keys = areas.add_parser("keys", help="API keys").add_subparsers(dest="action", required=True)
    create = keys.add_parser("create", help="make a key; it is shown this once")
    create.add_argument("--tenant", required=True)
    create.add_argument("--scopes", nargs="+", choices=SCOPES, default=["read", "write"])
    create.add_argument("--label", default="")
    create.add_argument("--expires-in-days", type=int, choices=range(1, 3651), metavar="1..3650")
    listing = keys.add_parser("list", help="list a tenant's keys")
    listing.add_argument("--tenant", required=True)
    revoke = keys.add_parser("revoke", help="refuse a key from now on; effective within 60 s")
    revoke.add_argument("--key-id", required=True)
    expire = keys.add_parser("expire", help="let a key end later, while the one that takes its place works already")
    expire.add_argument("--key-id", required=True)
    expire.add_argument("--in-hours", type=int, choices=range(1, 8761), metavar="1..8760", required=True)
    tenants = areas.add_parser("tenants", help="limits and flags of tenants").add_subparsers(
        dest="action", required=True
    )
    limit = tenants.add_parser("limit", help="give a tenant limits of its own; effective within 60 s")
    limit.add_argument("--tenant", required=True)
    for name in NAMES:
        limit.add_argument(f"--{name.replace('_', '-')}", type=_a_limit, metavar="NUMBER|none|default")
    flag = tenants.add_parser("flag", help="switch a tenant's own flags, which its agents read; effective at once")
    flag.add_argument("--tenant", required=True)
    flag.add_argument("--set", action="append", type=_a_flag, default=[], metavar="NAME=on|off|TEXT")
    flag.add_argument("--drop", action="append", default=[], metavar="NAME")
    show = tenants.add_parser("show", help="show a tenant's own limits, its flags and what is counted of it")
    show.add_argument("--tenant", required=True)
    agents = areas.add_parser("agents", help="agents").add_subparsers(dest="action", required=True)
    spread = agents.add_parser("spread", help="spread a busy agent over more partitions; buckets only grow")
    spread.add_argument("--tenant", required=True)
    spread.add_argument("--agent", required=True)
    spread.add_argument("--buckets", type=int, required=True)
    return parser


def _a_limit(text: str) -> str:
    """A whole number, `none`, or `default` for what the deployment says."""
    if text not in {"none", "default"} and not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise argparse.ArgumentTypeError(f"must be a whole number, none or default, not {text}")
    return text


def _a_flag(text: str) -> tuple[str, Flag]:
    """A flag's name and what it is set to."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=on, NAME=off or NAME=TEXT, not {text}")
    switches: dict[str, Flag] = {"on": True, "off": False}
    return name, switches.get(value, value)


if __name__ == "__main__":
    sys.exit(main())
