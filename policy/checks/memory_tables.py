"""A memory table expires its records, can be restored, is followed by a stream and is not deleted by a plan.

Locks and counters need none of it. What a table is, its tag `agent-memory` says: `memory`, or anything else for what
is not. Without the tag a name that contains "memory" does. This is not YAML because checkov's graph takes an
expression such as `enabled = var.recovery != null` for null.
"""

import re
from dataclasses import dataclass
from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

_TAG = "agent-memory"
_EXPRESSION = re.compile(r"\$\{|^(var|local|module|each|data)\.")


@dataclass(frozen=True)
class Setting:
    """What a memory table must have: a switch of the table's own, or of a block in it."""

    check_id: str
    name: str
    category: CheckCategories
    switch: str
    block: str | None = None

    def value(self, conf: dict[str, Any]) -> Any:
        """Return what the code says: None if nothing."""
        block = conf if self.block is None else _first(conf.get(self.block))
        return _first(block.get(self.switch)) if isinstance(block, dict) else None


class MemoryTable(BaseResourceCheck):  # type: ignore[misc]  # checkov is in .venv-scan
    """One setting, in every table that is memory."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        super().__init__(
            name=setting.name,
            id=setting.check_id,
            categories=[setting.category],
            supported_resources=["aws_dynamodb_table"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Fail what is off or left out; say nothing of an expression that only a plan evaluates."""
        value = self.setting.value(conf)
        if str(value).lower() == "true":
            return CheckResult.PASSED
        if isinstance(value, str) and value.lower() != "false":
            return CheckResult.UNKNOWN
        return {True: CheckResult.FAILED, False: CheckResult.PASSED, None: CheckResult.UNKNOWN}[_is_memory(conf)]


def _is_memory(conf: dict[str, Any]) -> bool | None:
    for tags in (_first(conf.get("tags_all")), _first(conf.get("tags"))):
        if isinstance(tags, dict) and _TAG in tags:
            return str(_first(tags[_TAG])).lower() == "memory"
    name = str(_first(conf.get("name"))).lower()
    return True if "memory" in name else None if _EXPRESSION.search(name) else False


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


_SETTINGS = (
    # What nobody deletes is kept for ever, and paid for.
    Setting("CKV2_AGENTMEM_01", "Memory table expires its records", CheckCategories.GENERAL_SECURITY, "enabled", "ttl"),
    # A bug that overwrites memories is undone only by going back to before it.
    Setting(
        "CKV2_AGENTMEM_02",
        "Memory table can be restored to a point in time",
        CheckCategories.BACKUP_AND_RECOVERY,
        "enabled",
        "point_in_time_recovery",
    ),
    # Archiving and erasure follow the stream: nobody else knows what changed.
    Setting("CKV2_AGENTMEM_03", "Memory table has a stream", CheckCategories.BACKUP_AND_RECOVERY, "stream_enabled"),
    # A plan that replaces the table would take every memory with it.
    Setting(
        "CKV2_AGENTMEM_04",
        "Memory table is protected from deletion",
        CheckCategories.BACKUP_AND_RECOVERY,
        "deletion_protection_enabled",
    ),
)

checks = [MemoryTable(setting) for setting in _SETTINGS]
