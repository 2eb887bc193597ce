"""Uploads: a large value that a client puts into S3 itself, before a write names it in place of the value.

What was announced is signed into the upload's id, so nothing has to be stored for it: the id cannot be made, changed or
used by another tenant.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from agent_memory.domain.bodies import upload_key
from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.fields import Body, Id, Time, Write
from agent_memory.domain.json_document import dumps
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge

MAX_UPLOAD_BYTES = 100_000_000
KEPT = timedelta(days=1)
"""How long an upload can be used. S3 removes it at the midnight (UTC) after that."""


class NewUpload(Body):
    """Body of POST /v1/uploads: what is going to be uploaded."""

    bytes: Annotated[int, Field(ge=1, json_schema_extra={"maximum": MAX_UPLOAD_BYTES})]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UploadResponse(BaseModel):
    """Where to put it: `url` takes a PUT of exactly so many bytes until `expires_at`; `upload_id` is good for a day."""

    upload_id: str
    url: str
    expires_at: Time


class BodyLink(BaseModel):
    """What an answer says beside a value that is null because it is over 1,000,000 bytes or was uploaded.

    `body_url` serves `bytes` bytes of that `sha256` for ten minutes: JSON in our writing, or the upload as it came.
    """

    body_url: str | None = None
    sha256: str | None = None
    bytes: int | None = None


def either_or(field: str) -> dict[str, JsonValue]:
    """What a model of `ValueWrite` adds to its schema."""
    return {"oneOf": [{"required": [field]}, {"required": ["upload_id"]}]}


class ValueWrite(Write):
    """A write of a value that is given itself or, by `upload_id`, was uploaded before."""

    upload_id: Id | None = None

    def uploaded(self, field: str) -> str | None:
        """The upload that stands for the value, if one does.

        Raises:
            InvalidRequest: the value and an upload are given, or neither.
        """
        is_given = field in self.model_fields_set
        if self.upload_id is not None and is_given:
            raise InvalidRequest.of("upload_id", f"must not be given together with {field}")
        if self.upload_id is None and not is_given:
            raise InvalidRequest.of(field, "must be given, or upload_id in its place")
        return self.upload_id


@dataclass(frozen=True, slots=True)
class Upload:
    """What a tenant announced."""

    tenant_id: str
    name: str
    size: int
    sha256: str
    lapses_at: datetime

    @property
    def key(self) -> str:
        """Where it lies, once it is uploaded."""
        return upload_key(self.tenant_id, self.name)

    def check_length(self, size: int | None) -> None:
        """Look at what lies there; None when nothing does.

        Raises:
            Conflict: nothing, or something else than was announced.
        """
        if size is None:
            raise nothing_there()
        if size != self.size:
            raise Conflict(
                "what was uploaded has another length than was announced",
                details={"bytes": size, "announced": self.size},
            )

    def seal(self, cursor_key: bytes) -> str:
        """Its id, 188 characters at most."""
        return seal(cursor_key, _walk(self.tenant_id), [self.name, self.size, self.sha256, to_micros(self.lapses_at)])


def unsealed(tenant_id: str, cursor_key: bytes, upload_id: str, now: datetime) -> Upload:
    """Read an id.

    Raises:
        NotFound: nobody's, another tenant's, or too old: in the same words.
    """
    try:
        name, size, sha256, lapses = unseal(cursor_key, _walk(tenant_id), upload_id)
    except InvalidRequest:
        raise _unknown() from None
    upload = Upload(tenant_id, name, size, sha256, from_micros(lapses))
    if upload.lapses_at <= now:
        raise _unknown()
    return upload


def check_upload_size(size: int, room: int = MAX_UPLOAD_BYTES) -> None:
    """Refuse what is too large even for an upload.

    Raises:
        PayloadTooLarge: more bytes than there is room for in one request.
    """
    if size > room:
        raise PayloadTooLarge(
            f"the uploads of one request have at most {MAX_UPLOAD_BYTES} bytes together",
            details={"bytes": size, "limit": room},
        )


def nothing_there() -> Conflict:
    """The link of an upload was not used, or not yet."""
    return Conflict("nothing has been uploaded under this upload_id yet")


def _walk(tenant_id: str) -> str:
    return dumps(["upload", tenant_id])


def _unknown() -> NotFound:
    return NotFound("no such upload")
