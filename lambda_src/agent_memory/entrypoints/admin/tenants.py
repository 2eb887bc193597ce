"""Limits and flags of tenants."""

import argparse
from typing import TYPE_CHECKING

from agent_memory.bootstrap import counting, tenants
from agent_memory.domain.claims import WINDOW_NAMES
from agent_memory.domain.flags import Flag
from agent_memory.domain.limits import MAX_DIGITS, NAMES
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "tenants", "limits and flags of tenants")
    limit = add(actions, "limit", Command(_limit), "give a tenant limits of its own; effective within 60 s")
    limit.add_argument("--tenant", required=True)
    for name in NAMES:
        limit.add_argument(f"--{name.replace('_', '-')}", type=_a_limit, metavar="NUMBER|none|default")
    switches = "switch a tenant's own flags, which its agents read; effective at once"
    flag = add(actions, "flag", Command(_flag), switches)
    flag.add_argument("--tenant", required=True)
    flag.add_argument("--set", action="append", type=_a_flag, default=[], metavar="NAME=on|off|TEXT")
    flag.add_argument("--drop", action="append", default=[], metavar="NAME")
    show = add(actions, "show", Command(_show), "show a tenant's own limits, its flags and what is counted of it")
    show.add_argument("--tenant", required=True)


def _limit(options: argparse.Namespace) -> object:
    given: dict[str, str] = {name: limit for name in NAMES if (limit := getattr(options, name)) is not None}
    own = {name: None if limit == "none" else int(limit) for name, limit in given.items() if limit != "default"}
    dropped = {name for name, limit in given.items() if limit == "default"}
    tenants.tenant_limits().change(options.tenant, own, dropped)
    return _show(options)


def _show(options: argparse.Namespace) -> object:
    own = tenants.tenant_limits().own(options.tenant)
    counted = {name: count for name, count in counting.counters(options.tenant).items() if name not in WINDOW_NAMES}
    shown = {name: "none" if limit is None else limit for name, limit in own.items()}
    return {
        "tenant_id": options.tenant,
        "own_limits": shown,
        "flags": tenants.tenant_flags().of(options.tenant),
        "counted": dict(sorted(counted.items())),
    }


def _flag(options: argparse.Namespace) -> object:
    tenants.tenant_flags().change(options.tenant, dict(options.set), set(options.drop))
    return {"tenant_id": options.tenant, "flags": tenants.tenant_flags().of(options.tenant)}


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
