"""Limits of tenants."""

import argparse
from typing import TYPE_CHECKING

from agent_memory import bootstrap
from agent_memory.domain.claims import WINDOW_NAMES
from agent_memory.domain.limits import MAX_DIGITS, NAMES
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "tenants", "limits of tenants")
    limit = add(actions, "limit", Command(_limit), "give a tenant limits of its own; effective within 60 s")
    limit.add_argument("--tenant", required=True)
    for name in NAMES:
        limit.add_argument(f"--{name.replace('_', '-')}", type=_a_limit, metavar="NUMBER|none|default")
    show = add(actions, "show", Command(_show), "show a tenant's own limits and what is counted of it")
    show.add_argument("--tenant", required=True)


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
    return {"tenant_id": options.tenant, "own_limits": shown, "counted": dict(sorted(counted.items()))}


def _a_limit(text: str) -> str:
    """A whole number, `none`, or `default` for what the deployment says."""
    if text not in {"none", "default"} and not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise argparse.ArgumentTypeError(f"must be a whole number, none or default, not {text}")
    return text
