"""Nobody outside is let into a bucket by its ACL or policy; a public access block only hides that somebody tried."""

from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

from iam_documents import allowed

# Of aws:SourceIp the address range would have to be judged, so it does not count.
_NARROWS_WHO = {
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce",
}  # fmt: skip
_EVERYBODY = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


class BucketPublicGrant(BaseResourceCheck):  # type: ignore[misc]  # checkov is in .venv-scan
    """CKV2_AGENTMEM_09."""

    def __init__(self) -> None:
        super().__init__(
            name="Bucket's ACL or policy lets in nobody but who is named",
            id="CKV2_AGENTMEM_09",
            categories=[CheckCategories.IAM],
            supported_resources=["aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_bucket_policy"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Fail public canned ACLs, grants to everybody, and allowing anybody without saying whose."""
        written = str([conf.get(key) for key in ("acl", "access_control_policy", "grant")])
        if any(name in written for name in ("'public-read", "'authenticated-read'", *_EVERYBODY)):
            return CheckResult.FAILED
        if not any(conf.get("policy") or []):
            return CheckResult.PASSED
        statements = allowed(conf["policy"], self.graph, str(conf["__address__"]))
        if statements is None:
            return CheckResult.UNKNOWN
        public = any("*" in each.principals and not each.condition_keys & _NARROWS_WHO for each in statements)
        return CheckResult.FAILED if public else CheckResult.PASSED


check = BucketPublicGrant()
