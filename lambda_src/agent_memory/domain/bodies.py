"""Large values: kept in S3 beside their record, each under a key that exactly one version of one record owns.

A key is `<tenant>/<agent>/bodies/<kind>/<owner>/<write id>`: whoever finds an object knows whose it is, without asking
for it. What a client uploads lies at `!uploads/<tenant>/<name>` until a record takes a copy of it: that place, which no
tenant and no agent can be called, is all that says that it is pending.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol, Self

from agent_memory.domain.identifiers import TENANT_ID, to_path

MAX_INLINE_ANSWER_BYTES = 1_000_000
"""A larger value is always kept in S3, and comes back as a link to it."""

LINK_S = 600
"""How long a link is good for: whatever is left of the session that signs it is never less."""

Kind = Literal["state", "episode"]


@dataclass(frozen=True, slots=True)
class StoredBody:
    """Where a value lies; `sha256` (hex) and `size` (bytes) are of its bytes as they come back.

    `is_opaque`: it was uploaded, so nobody looked into it, and it only ever comes back as a link. `url` is that link,
    once somebody has asked for one; it is never stored.
    """

    key: str
    sha256: str
    size: int
    is_opaque: bool = False
    url: str | None = None

    @property
    def is_inline(self) -> bool:
        """Whether the value itself comes back, and no link."""
        return not self.is_opaque and self.size <= MAX_INLINE_ANSWER_BYTES

    def response(self) -> dict[str, Any]:
        """What stands in an answer beside the value that is null."""
        return {"body_url": self.url, "sha256": self.sha256, "bytes": self.size}


def shown_beside(value: object, body: StoredBody | None) -> dict[str, Any]:
    """What an answer says of a body whose value it does not hold."""
    return body.response() if body is not None and value is None else {}


def linked(body: StoredBody, url: str) -> StoredBody:
    """The body with a link to it."""
    return replace(body, url=url)


def bodies_of(tenant_id: str, agent_id: str, kind: Kind, owner: str) -> str:
    """The folder of what one record owns; `owner` is the record's name in its store, fit for a path."""
    return f"{tenant_id}/{to_path(agent_id)}/bodies/{kind}/{owner}/"


def new_key(folder: str, write: str | None = None) -> str:
    """A key that nobody has: a write that is done again owns another one.

    Unless the write has a name, as one that writes the same record over itself must: whatever was made of the record
    meanwhile, such as a line of the archive, points to the same value still.
    """
    return folder + (os.urandom(9).hex() if write is None else hashlib.sha256(write.encode()).hexdigest()[:18])


class BodyName(NamedTuple):
    """What a key says."""

    tenant_id: str
    agent_path: str
    kind: str
    owner: str


def name_of(key: str) -> BodyName | None:
    """Read a key; None when it is not a body's."""
    match key.split("/"):
        case [tenant_id, agent_path, "bodies", kind, owner, _] if TENANT_ID.fullmatch(tenant_id):
            return BodyName(tenant_id, agent_path, kind, owner)
    return None


def upload_key(tenant_id: str, name: str) -> str:
    """Where a client puts what it uploads."""
    return f"!uploads/{tenant_id}/{name}"


class Holds(Protocol):
    """A record, or a change of one, whose value may lie in a body."""

    @property
    def value(self) -> Any:
        """The value; None when it is left in the body."""

    @property
    def body(self) -> StoredBody | None:
        """Where it lies when the record itself has no room."""

    def holding(self, value: Any, body: StoredBody | None) -> Self:
        """The same with another value, body or both."""


class Digest(NamedTuple):
    """What bytes are, without holding them: SHA-256 in hex, and how many."""

    sha256: str
    size: int


class Bodies(Protocol):
    """Objects of large values. Every method raises StoreUnavailable when the store does not answer.

    What writes returns a receipt, by which exactly this writing can be taken back.
    """

    def put(self, key: str, content: bytes) -> str:
        """Write a value; its receipt."""

    def size(self, key: str) -> int | None:
        """How many bytes there are; None when there is nothing, or nothing that may be seen."""

    def copy(self, source: str, key: str) -> str | None:
        """Copy an object within the store; its receipt, or None when there is nothing to copy."""

    def read(self, key: str) -> bytes | None:
        """All of a value that is small enough to be answered; None when there is nothing."""

    def digest(self, key: str) -> Digest | None:
        """Read a value through, whatever its size, in constant memory; None when there is nothing."""

    def withdraw(self, key: str, receipt: str) -> None:
        """Remove what was written, and no other version of it."""

    def link(self, key: str) -> str:
        """A URL that reads the object for LINK_S, whoever has it."""

    def upload_link(self, key: str, size: int) -> str:
        """A URL that writes so many bytes, within LINK_S, whoever has it."""
