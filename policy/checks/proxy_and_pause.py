"""An RDS Proxy keeps a connection to its cluster, so one that may pause (min_capacity = 0) never does.

The proxy is paid for, at eight capacity units or more, and so is the cluster that was to sleep.
"""

from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

from code_graph import blocks, nearest, referred

_CLUSTER = "aws_rds_cluster"


class ProxyAndPause(BaseResourceCheck):  # type: ignore[misc]  # checkov is in .venv-scan
    """CKV2_AGENTMEM_07."""

    def __init__(self) -> None:
        super().__init__(
            name="RDS Proxy is not attached to a cluster that is meant to pause",
            id="CKV2_AGENTMEM_07",
            categories=[CheckCategories.GENERAL_SECURITY],
            supported_resources=["aws_db_proxy_target"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Fail a target whose cluster may pause; while a plan does not know which one that is, the nearest counts."""
        identifier = _first(conf.get("db_cluster_identifier"))
        if identifier is None and _first(conf.get("db_instance_identifier")):
            return CheckResult.PASSED
        if str(identifier).startswith(("var.", "local.", "module.", "each.", "data.")):
            return CheckResult.UNKNOWN
        clusters = self._clusters(identifier, str(conf["__address__"]))
        return CheckResult.FAILED if any(map(_pauses, clusters)) else CheckResult.PASSED

    def _clusters(self, identifier: Any, address: str) -> list[dict[str, Any]]:
        known = list(blocks(self.graph, _CLUSTER))
        if identifier is None:
            return nearest(known, address)
        if f"{_CLUSTER}." in str(identifier):
            return referred(self.graph, _CLUSTER, str(identifier), address)
        return [each for each in known if each.get("cluster_identifier") == identifier]


def _pauses(cluster: dict[str, Any]) -> bool:
    scaling = _first(cluster.get("serverlessv2_scaling_configuration"))
    return isinstance(scaling, dict) and _first(scaling.get("min_capacity")) in (0, "0")


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


check = ProxyAndPause()
