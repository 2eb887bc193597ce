"""The archive bucket as the sweep sees it: every tenant, every agent, every version."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent_memory.adapters.s3_versions import delete_versions, unavailable
from agent_memory.domain.identifiers import TENANT_ID, from_path, to_path
from agent_memory.domain.sweep import Agent, StoredVersion

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# The character after "/": past everything in a folder.
_PAST_FOLDER = "0"
_DELETED_AT_ONCE = 1000


class S3Bucket:
    """`Bucket` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def agents(self, after: Agent | None, most: int) -> Sequence[Agent]:
        """See `Bucket.agents`; one call for each tenant, and more for each further 1,000 agents of one."""
        with unavailable():
            return list(islice(self._agents(after), most))

    def versions(self, after: str | None) -> tuple[Sequence[StoredVersion], str | None]:
        """See `Bucket.versions`; one call, for 1,000 versions."""
        request: dict[str, Any] = {"Bucket": self._bucket}
        if after is not None:
            request["KeyMarker"], request["VersionIdMarker"] = json.loads(after)
        with unavailable():
            page = self._client.list_object_versions(**request)
        found = [
            StoredVersion(each["Key"], each["VersionId"], each["Size"], each["LastModified"])
            for each in page.get("Versions", [])
        ]
        found += [
            StoredVersion(each["Key"], each["VersionId"], 0, each["LastModified"])
            for each in page.get("DeleteMarkers", [])
        ]
        if not page["IsTruncated"]:
            return found, None
        return found, json.dumps([page["NextKeyMarker"], page["NextVersionIdMarker"]])

    def remove(self, versions: Sequence[StoredVersion]) -> None:
        """See `Bucket.remove`; one call for 1,000."""
        for start in range(0, len(versions), _DELETED_AT_ONCE):
            some = versions[start : start + _DELETED_AT_ONCE]
            with unavailable():
                delete_versions(
                    self._client, self._bucket, [{"Key": each.key, "VersionId": each.version_id} for each in some]
                )

    def _agents(self, after: Agent | None) -> Iterator[Agent]:
        if after is not None:
            yield from self._of(after.tenant_id, to_path(after.agent_id))
        for tenant_id in self._folders("", after and after.tenant_id):
            if TENANT_ID.fullmatch(tenant_id):
                yield from self._of(tenant_id, None)

    def _of(self, tenant_id: str, after: str | None) -> Iterator[Agent]:
        for path in self._folders(f"{tenant_id}/", after):
            try:
                yield Agent(tenant_id, from_path(path))
            except ValueError:
                continue  # nobody of ours wrote there

    def _folders(self, prefix: str, after: str | None) -> Iterator[str]:
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "Delimiter": "/"}
        if after is not None:
            request["StartAfter"] = f"{prefix}{after}{_PAST_FOLDER}"
        while True:
            page = self._client.list_objects_v2(**request)
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).removesuffix("/")
            if not page["IsTruncated"]:
                return
            request["ContinuationToken"] = page["NextContinuationToken"]
