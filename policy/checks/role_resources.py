"""A role says which table, bucket or key it may use; `*` only where AWS offers nothing narrower.

Every role's policy is read, not only a function's: a function may assume other roles, and who assumes one is often
unknown.
"""

import re
from fnmatch import fnmatchcase
from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck
from policy_sentry.querying.actions import get_actions_for_service, get_actions_that_support_wildcard_arns_only

from iam_documents import Statement, allowed

# Lambda manages a function's network interfaces with the function's role, before there is an interface to name.
_INTERFACES = {
    "ec2:assignprivateipaddresses", "ec2:createnetworkinterface", "ec2:deletenetworkinterface",
    "ec2:unassignprivateipaddresses",
}  # fmt: skip

# `table/*` names nothing; `table/<name>/index/*` does, and so does `<bucket>/*`.
_ALL = re.compile(r"\*|[a-z-]+[/:]\*")
_ALL_BUCKETS = re.compile(r"\*(/\*)?")


class RoleResources(BaseResourceCheck):  # type: ignore[misc]  # checkov is in .venv-scan
    """CKV2_AGENTMEM_10."""

    def __init__(self) -> None:
        super().__init__(
            name="Role names the resources of every action that can be narrowed",
            id="CKV2_AGENTMEM_10",
            categories=[CheckCategories.IAM],
            supported_resources=["aws_iam_policy", "aws_iam_role", "aws_iam_role_policy"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Fail a policy that allows on everything what could be allowed on something."""
        inline = [each.get("policy") for each in conf.get("inline_policy") or [] if isinstance(each, dict)]
        policies = [each for each in [conf.get("policy"), *inline] if each]
        read = [allowed(each, self.graph, str(conf["__address__"])) for each in policies]
        if any(_too_wide(statement) for statements in read for statement in statements or []):
            return CheckResult.FAILED
        return CheckResult.UNKNOWN if None in read else CheckResult.PASSED


def _too_wide(statement: Statement) -> bool:
    return any(map(_names_nothing, statement.resources)) and not all(map(_cannot_be_narrowed, statement.actions))


def _names_nothing(resource: str) -> bool:
    if not resource.startswith("arn:"):
        return resource == "*"
    _, _, service, _, _, name = (*resource.split(":", 5), "", "", "", "", "")[:6]
    return (_ALL_BUCKETS if service == "s3" else _ALL).fullmatch(name) is not None


def _cannot_be_narrowed(action: str) -> bool:
    pattern = action.lower()
    service = pattern.partition(":")[0]
    if "*" in service:
        return False
    meant = [each.lower() for each in get_actions_for_service(service) if fnmatchcase(each.lower(), pattern)]
    only_all = {each.lower() for each in get_actions_that_support_wildcard_arns_only(service)} | _INTERFACES
    return bool(meant) and only_all.issuperset(meant)


check = RoleResources()
