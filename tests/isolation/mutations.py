"""Guards, each taken away by itself: which attacks must get through then, and which another layer still stops."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from agent_memory.adapters import s3_archive
from agent_memory.domain import cursor, uploads
from agent_memory.domain.identifiers import to_path
from agent_memory.service import keys, large_values, working
from tests.isolation.stores import Ground
from tests.isolation.taking_away import (
    Change,
    Code,
    each_table,
    edit_functions,
    first_tenant_kept,
    in_body,
    in_headers,
    in_query,
    keys_without_tenant,
    statements,
    telling,
    tenant_also_from,
    unknown_tenant,
    uploads_of_anybody,
)


@dataclass(frozen=True)
class Mutation:
    """A guard and how it is taken away. `held` are attacks that another layer stops even then."""

    guard: str
    caught: tuple[str, ...]
    held: tuple[str, ...] = ()
    sql: tuple[Change, ...] = ()
    code: Callable[[], Code] = contextlib.nullcontext
    later: Callable[[Ground], Code] = contextlib.nullcontext


_NO_RLS = each_table("ALTER TABLE {0} DISABLE ROW LEVEL SECURITY")
_NO_PREDICATE = edit_functions(r"\b\w+\.tenant_id = (\$1|(add_chunks\.)?tenant\b)", "true")
_FOREIGN_PATH = " | foreign id in the path"
_OWN_WAY = (
    f"GET /v1/memory/semantic/{{id}}{_FOREIGN_PATH}",
    f"GET /v1/memory/semantic/{{id}}/history{_FOREIGN_PATH}",
    "GET /v1/memory/semantic | listing everything",
    "POST /v1/memory/semantic/search | searching by the victim's exact text",
    f"DELETE /v1/memory/semantic/{{id}}{_FOREIGN_PATH}",
    "POST /v1/memory/semantic | the victim's text to be merged with",
)
_NO_WHERE = "postgres | every relation without WHERE as another tenant"
_NO_TENANT = "postgres | every relation without WHERE and without a tenant"
_LEFT_OVER = (
    "pooled connection | context left over after a request",
    "pooled connection | context left over after a transaction",
    "the application's own session | context left over",
)
_CURSORS = tuple(
    f"{route} | foreign cursor"
    for route in (
        "GET /v1/state/{agent_id}/sessions",
        "GET /v1/runs/{run_id}",
        "GET /v1/runs",
        "GET /v1/memory/episodic/{agent_id}",
        "GET /v1/memory/episodic/{agent_id}/sessions/{session_id}",
        "GET /v1/memory/semantic",
    )
)

MUTATIONS = (
    Mutation(
        "FORCE of row-level security",
        ("postgres owner | every relation without a tenant",),
        (_NO_WHERE, *_OWN_WAY[:3]),
        sql=(each_table("ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY"),),
    ),
    Mutation(
        "context that ends with its transaction",
        _LEFT_OVER,
        (*_OWN_WAY[:3], "warm function semantic | two tenants in turns and at once"),
        sql=(
            edit_functions(
                r"set_config\('memory.tenant_id', tenant, true\)", "set_config('memory.tenant_id', tenant, false)"
            ),
        ),
    ),
    Mutation(
        "WITH CHECK",
        ("postgres | rows written for another tenant",),
        (_NO_WHERE, "postgres | changes without WHERE"),
        sql=(each_table("ALTER POLICY {1} ON {0} WITH CHECK (true)"),),
    ),
    Mutation(
        "USING",
        (
            _NO_WHERE,
            _NO_TENANT,
            "postgres | COPY of every relation",
            "postgres | changes without WHERE",
            "postgres | conditions that speak",
            *_LEFT_OVER,
        ),
        _OWN_WAY,
        sql=(each_table("ALTER POLICY {1} ON {0} USING (true)"),),
    ),
    Mutation("row-level security as a whole", (_NO_WHERE, _NO_TENANT), _OWN_WAY, sql=(_NO_RLS,)),
    Mutation("the tenant in each statement, row-level security standing", (), _OWN_WAY, sql=(_NO_PREDICATE,)),
    Mutation("the tenant in each statement, row-level security gone", _OWN_WAY, sql=(_NO_PREDICATE, _NO_RLS)),
    Mutation(
        "row-level security of partitions, which are granted",
        (_NO_TENANT, "postgres | a way up"),
        _OWN_WAY[:3],
        sql=(
            statements(
                *(f"ALTER TABLE memory.chunks_p{n:02} DISABLE ROW LEVEL SECURITY" for n in range(16)),
                *(f"GRANT SELECT ON memory.chunks_p{n:02} TO memory_rw" for n in range(16)),
            ),
        ),
    ),
    Mutation(
        "security_invoker of a view",
        (_NO_TENANT, _NO_WHERE),
        sql=(
            statements(
                "CREATE VIEW memory.everything AS SELECT * FROM memory.memories",
                "GRANT SELECT ON memory.everything TO memory_rw",
            ),
        ),
    ),
    Mutation(
        "SECURITY INVOKER of a function",
        ("postgres functions | every function called with the victim's ids",),
        sql=(
            statements(
                "CREATE FUNCTION memory.peek(id uuid) RETURNS SETOF memory.memories LANGUAGE sql SECURITY DEFINER"
                " BEGIN ATOMIC SELECT * FROM memory.memories WHERE memory_id = id; END",
                "GRANT EXECUTE ON FUNCTION memory.peek(uuid) TO memory_rw",
            ),
        ),
    ),
    Mutation(
        "the tenant in a key of PostgreSQL",
        ("postgres | ON CONFLICT and unique violations",),
        _OWN_WAY[:3],
        sql=(statements("CREATE UNIQUE INDEX ON memory.memories (memory_id)"),),
    ),
    Mutation(
        "the authorizer's word alone, not a header's",
        (
            "GET /v1/memory/{agent_id} | forged tenant in headers",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in headers",
            "POST /v1/memory/semantic/search | forged tenant in headers",
        ),
        code=tenant_also_from(in_headers),
    ),
    Mutation(
        "the authorizer's word alone, not the body's",
        (
            "GET /v1/memory/{agent_id} | forged tenant in the body",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in the body",
        ),
        ("POST /v1/memory/semantic/search | forged tenant in the body", "POST /v1/state | forged tenant in the body"),
        code=tenant_also_from(in_body),
    ),
    Mutation(
        "the authorizer's word alone, not the query's",
        ("GET /v1/memory/semantic/{id} | forged tenant in the query",),
        (
            "GET /v1/memory/{agent_id} | forged tenant in the query",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in the query",
        ),
        code=tenant_also_from(in_query),
    ),
    Mutation(
        "refusing a request without a tenant",
        (
            "GET /v1/usage | nobody's key",
            "POST /v1/state | nobody's key",
            "DELETE /v1/memory/{agent_id} | nobody's key",
        ),
        code=unknown_tenant,
    ),
    Mutation(
        "comparing a key with its hash",
        ("GET /v1/usage | nobody's key", "GET /v1/memory/{agent_id} | nobody's key"),
        code=lambda: patch.object(keys, "compare_digest", lambda *_: True),
    ),
    Mutation(
        "nothing kept of a caller in a warm function",
        ("warm function working | two tenants in turns and at once",),
        code=first_tenant_kept,
    ),
    Mutation("signing cursors", _CURSORS, code=lambda: patch.object(cursor, "_tag", lambda *_: bytes(16))),
    Mutation(
        "a key of its own for each tenant's cursors",
        (),
        _CURSORS,  # what is signed names the tenant too
        code=lambda: patch.object(keys, "cursor_key", lambda *_: "00"),
    ),
    Mutation(
        "the tenant in the keys of states",
        (
            f"GET /v1/state/{{agent_id}}{_FOREIGN_PATH}",
            f"DELETE /v1/state/{{agent_id}}/{{session_id}}{_FOREIGN_PATH}",
            "dynamodb state | the victim's keys in the attacker's context",
            "dynamodb | keys and index keys without their tenant",
        ),
        code=keys_without_tenant("state_item", "state"),
    ),
    Mutation(
        "the tenant in the keys of episodes",
        (
            f"GET /v1/memory/episodic/{{agent_id}}{_FOREIGN_PATH}",
            f"GET /v1/memory/episodic/{{agent_id}}/sessions/{{session_id}}{_FOREIGN_PATH}",
            "dynamodb episodes | the victim's ids in the attacker's context",
        ),
        code=keys_without_tenant("episode_item", "episodes", "recent"),
    ),
    Mutation(
        "the tenant in all keys of the memory table",
        (
            f"DELETE /v1/memory/{{agent_id}}{_FOREIGN_PATH}",
            "dynamodb purge | the victim's agent in the attacker's context",
        ),
        code=keys_without_tenant("state_item", "state", "episode_item", "episodes", "recent", "purge"),
    ),
    Mutation(
        "the tenant in the keys of the archive's index",
        ("dynamodb archive index | the victim's agent in the attacker's context",),
        code=keys_without_tenant("archive_rows"),
    ),
    Mutation(
        "the tenant in the keys of runs and tool calls",
        ("dynamodb runs and tool calls | the victim's ids in the attacker's context",),
        code=keys_without_tenant("run_item"),
    ),
    Mutation(
        "the tenant in the keys of flags",
        ("dynamodb flags | the victim's flags in the attacker's context",),
        code=keys_without_tenant("flags"),
    ),
    Mutation(
        "the tenant in the keys of first answers",
        (
            "POST /v1/state | foreign idempotency key",
            "dynamodb idempotency | the victim's key in the attacker's context",
        ),
        code=keys_without_tenant("idempotency"),
    ),
    Mutation(
        "the tenant in the keys of whose session it is",
        (
            "POST /v1/state | error text for foreign and absent ids",
            "dynamodb subjects | the victim's session in the attacker's context",
        ),
        code=keys_without_tenant("control"),
    ),
    Mutation(
        "the tenant in the keys of the registry",
        ("dynamodb registry and usage | lists and counters",),
        code=keys_without_tenant("registry"),
    ),
    Mutation(
        "the tenant in the keys of counters",
        ("GET /v1/usage | counting what others do",),
        code=keys_without_tenant("usage"),
    ),
    Mutation(
        "the tenant in the archive's keys",
        ("s3 archive | the victim's agent, purged by the attacker",),
        code=lambda: patch.object(s3_archive, "agent_prefix", lambda _tenant, agent: f"{to_path(agent)}/"),
    ),
    Mutation(
        "the tenant in the keys of large values",
        ("s3 bodies | keys without their tenant",),
        code=lambda: patch.object(working, "bodies_of", lambda _tenant, agent, *_: f"{to_path(agent)}/bodies/state/s/"),
    ),
    Mutation(
        "a body of its own for each record",
        ("s3 bodies | the same ids in both tenants, written over and purged by the attacker",),
        code=lambda: patch.object(
            large_values, "new_key", lambda folder, _: f"shared/a/bodies/{folder.split('/')[-3]}/s/0"
        ),
    ),
    Mutation(
        "the tenant in the ids of uploads, and a key of its own",
        (
            "POST /v1/state | foreign upload",
            "PUT /v1/state/{agent_id} | foreign upload",
            "POST /v1/memory/episodic | foreign upload",
            "POST /v1/memory/episodic/batch | foreign upload",
            "POST /v1/memory | foreign upload",
        ),
        code=uploads_of_anybody,
    ),
    Mutation(
        "the tenant in the ids of uploads",
        (),
        ("POST /v1/state | foreign upload",),  # its key is the tenant's own, and so is the place that it names
        code=lambda: patch.object(uploads, "_walk", lambda _: "upload"),
    ),
    Mutation(
        "one answer for foreign and absent ids",
        ("GET /v1/memory/semantic/{id} | error text for foreign and absent ids",),
        later=telling("words"),
    ),
    Mutation(
        "one time for foreign and absent ids",
        ("GET /v1/memory/semantic/{id} | time for foreign and absent ids",),
        later=telling("time"),
    ),
)
