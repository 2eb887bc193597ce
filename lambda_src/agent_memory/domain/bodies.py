"""Large values: kept in S3 beside their record, each under a key that exactly one version of one record owns."""

from dataclasses import dataclass

MAX_INLINE_ANSWER_BYTES = 1_000_000
"""A larger value is always kept in S3, and comes back as a link to it."""


@dataclass(frozen=True, slots=True)
class StoredBody:
    """Where a value lies; `sha256` (hex) and `size` (bytes) are of its bytes as they come back.

    `is_opaque`: it was uploaded, so nobody looked into it, and it only ever comes back as a link.
    """

    key: str
    sha256: str
    size: int
    is_opaque: bool = False
