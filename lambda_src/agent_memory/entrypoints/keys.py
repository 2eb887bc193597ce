"""The routes of API keys, for a tenant's own keys. A key with the scope `admin` may grant every scope."""

from agent_memory.bootstrap import tenants
from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.fields import Body
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.key_requests import KeyResponse, KeysResponse, NewKey, NewKeyResponse
from agent_memory.domain.times import now
from agent_memory.entrypoints.http import Response, api
from agent_memory.entrypoints.request import Request


class NoQuery(Body):
    """GET /v1/keys takes no parameters."""


def create(request: Request) -> Response:
    """POST /v1/keys: the key is in this answer only. A repetition hears the rest of it: no secret is kept."""
    new, at = request.body(NewKey), now()

    def answer(record: ApiKey) -> IdempotencyRecord | None:
        return request.attempt.answered(201, NewKeyResponse(**KeyResponse.of(record, at).model_dump()).model_dump())

    scopes = tuple(dict.fromkeys(new.scopes))
    key, record = tenants.api_keys().create(request.tenant_id, scopes, new.label, new.expiry(at), answer)
    return Response(201, KeyResponse.of(record, at).model_dump() | {"api_key": key})


def listing(request: Request) -> Response:
    """GET /v1/keys."""
    request.query(NoQuery)
    at = now()
    keys = [KeyResponse.of(key, at) for key in tenants.api_keys().of_tenant(request.tenant_id)]
    return Response(200, KeysResponse(keys=keys).model_dump())


def revoke(request: Request) -> Response:
    """DELETE /v1/keys/{key_id}; a second time changes nothing."""
    key_id = request.path_id("key_id")
    tenants.api_keys().revoke(key_id, request.tenant_id, request.attempt.answered(204, None))
    return Response(204)


ROUTES = {
    "POST /v1/keys": create,
    "GET /v1/keys": listing,
    "DELETE /v1/keys/{key_id}": revoke,
}
handler = api(ROUTES)
