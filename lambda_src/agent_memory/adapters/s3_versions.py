"""What all who work on the archive bucket share: how versions are removed, and what a bucket that fails means."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


def delete_versions(client: "S3Client", bucket: str, places: "Sequence[ObjectIdentifierTypeDef]") -> None:
    """Remove up to 1,000 versions and delete markers; one call.

    Raises:
        StoreUnavailable: some may still be there.
    """
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": places, "Quiet": True})
    if answer.get("Errors"):
        raise StoreUnavailable("the archive kept some objects")


@contextmanager
def unavailable() -> Iterator[None]:
    """Within the block a bucket that cannot be reached, or refuses, is unavailable."""
    try:
        yield
    except (BotoCoreError, ClientError):
        raise StoreUnavailable("the archive did not do its work") from None
