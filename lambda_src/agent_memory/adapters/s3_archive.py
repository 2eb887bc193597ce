"""The archive bucket: every object of an agent stands under the agent's own prefix."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.session import get_session

from agent_memory.adapters.s3_versions import delete_versions, unavailable
from agent_memory.adapters.sigv4 import CredentialSource, own_role
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.purge import Removed

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

_LIMITS = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
_SESSION_S = 4.0


class _AskedEachTime(Credentials):
    """What boto3 signs with: asked for at every request, since each may be another tenant's."""

    def __init__(self, source: CredentialSource) -> None:
        super().__init__("", "")
        self._source = source

    def load_credentials(self) -> Credentials:
        """Be the chain of providers too, which has nothing else to offer."""
        return self

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Credentials of one request."""
        now = self._source(time.monotonic() + _SESSION_S)
        return ReadOnlyCredentials(now.access_key_id, now.secret_access_key, now.session_token)


def make_client(region: str, credentials: CredentialSource = own_role, limits: Config = _LIMITS) -> "S3Client":
    """Make the client; it connects at its first call."""
    session = get_session()
    session.register_component("credential_provider", _AskedEachTime(credentials))
    client: S3Client = boto3.Session(botocore_session=session, region_name=region).client("s3", config=limits)
    return client


def agent_prefix(tenant_id: str, agent_id: str) -> str:
    """Where an agent's objects stand; written as in a path, an id holds no slash and cannot reach into another's."""
    return f"{tenant_id}/{to_path(agent_id)}/"


class S3Archive:
    """`AgentStore` of archived objects, all versions and delete markers."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; up to 1,000 versions a call. A bucket that cannot be reached is unavailable."""
        with unavailable():
            # From the start each time: a marker would name what has just been deleted.
            while removed := self._delete_some(agent_prefix(tenant_id, agent_id)):
                yield removed

    def _delete_some(self, prefix: str) -> Removed | None:
        page = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix)
        versions, markers = page.get("Versions", []), page.get("DeleteMarkers", [])
        places: list[ObjectIdentifierTypeDef] = [
            {"Key": each["Key"], "VersionId": each["VersionId"]} for each in (*versions, *markers)
        ]
        if not places:
            return None
        delete_versions(self._client, self._bucket, places)
        return Removed({"s3_objects": len(versions)}, s3_bytes=sum(each["Size"] for each in versions))
