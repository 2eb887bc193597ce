"""POST /v1/uploads: a place and a link for a value that is too large for a request."""

from collections.abc import Callable
from datetime import datetime, timedelta

from agent_memory.domain.bodies import LINK_S, Bodies
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.identifiers import new_ulid
from agent_memory.domain.ports import IdempotencyStore
from agent_memory.domain.uploads import KEPT, NewUpload, Upload, UploadResponse, check_upload_size


class Uploads:
    """Announces uploads; nothing is stored of one until it is there."""

    def __init__(
        self, bodies: Callable[[], Bodies], idempotency: IdempotencyStore, clock: Callable[[], datetime]
    ) -> None:
        self._bodies = bodies
        self._idempotency = idempotency
        self._clock = clock

    def announce(self, tenant_id: str, new: NewUpload, attempt: Attempt, cursor_key: bytes) -> UploadResponse:
        """Sign an id and a link.

        Raises:
            PayloadTooLarge: over 100 MB.
            AlreadyAnswered: the idempotency key has been used.
        """
        check_upload_size(new.bytes)
        now = self._clock()
        upload = Upload(tenant_id, new_ulid(now), new.bytes, new.sha256, now + KEPT)
        response = UploadResponse(
            upload_id=upload.seal(cursor_key),
            url=self._bodies().upload_link(upload.key, upload.size),
            expires_at=now + timedelta(seconds=LINK_S),
        )
        if answer := attempt.answered(201, response.model_dump()):
            self._idempotency.put(answer, now)
        return response
