-- Ranking: what a search finds, the best first, by the rule of domain/fusion.py (a test compares the two on random cases).
-- For other functions of the schema, in the transaction of a tenant that was entered, with `asked` from memory.asked_of:
--
--     SELECT * FROM memory.ranked(tenant, memory.asked_of(request), vector, lexemes)
--
-- gives up to `top_k` rows (memory_id, ordinal of the nearest piece or null, score, similarity or null without a vector,
-- parts as jsonb when `explain` is asked for), in their order. `lexemes` are those of domain/lexemes.py for the query; none
-- are needed for mode vector, and no vector for mode lexical. `request` as of memory.search (080).
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- A request as the functions take it: with the hashes of what it narrows by, what is hidden from it, and when it looks from.
-- A record with purposes is shown for one of these alone.
CREATE OR REPLACE FUNCTION memory.asked_of(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    asked constant jsonb = jsonb_strip_nulls(request);
    ends constant timestamptz = least(CAST(asked ->> 'to' AS timestamptz), CAST(asked ->> 'as_of' AS timestamptz));
BEGIN
    RETURN asked
        || jsonb_build_object('shown_for', coalesce(asked ->> 'purpose', ''),
            'purpose_mask', CASE WHEN asked ? 'purpose' THEN memory.purpose_mask(ARRAY[asked ->> 'purpose']) ELSE 0 END,
            'at', coalesce(asked -> 'as_of', asked -> 'now'))
        || CASE WHEN ends IS NULL THEN '{}' ELSE jsonb_build_object('to', ends) END
        || CASE WHEN asked ? 'namespace' THEN jsonb_build_object('namespace_key', memory.key_of(asked ->> 'namespace')) ELSE '{}' END
        || CASE WHEN asked ? 'except_namespace' THEN jsonb_build_object('except_key', memory.key_of(asked ->> 'except_namespace')) ELSE '{}' END
        || CASE WHEN asked ? 'user_id' THEN jsonb_build_object('user_key', memory.key_of(asked ->> 'user_id')) ELSE '{}' END
        || CASE WHEN asked ? 'session_id' THEN jsonb_build_object('session_key', memory.key_of(asked ->> 'session_id')) ELSE '{}' END;
END $$;

-- Up to two live memories before and after each in its session, in the order of (occurred_at, memory_id): of the same agent
-- and namespace, and nothing that occurred after `until`.
CREATE OR REPLACE FUNCTION memory.neighbours(tenant text, ids uuid[], now timestamptz, until timestamptz)
RETURNS TABLE (memory_id uuid, neighbour uuid, distance bigint)
LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 100 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_sort = off SET enable_incremental_sort = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT listed.memory_id, beside.memory_id, beside.distance
    FROM unnest(ids) AS listed (memory_id)
    CROSS JOIN LATERAL (
        SELECT m.session_id, m.agent_id, m.namespace, m.occurred_at FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id = listed.memory_id OFFSET 0
    ) AS one
    CROSS JOIN LATERAL (
        SELECT before.memory_id, row_number() OVER () AS distance
        FROM (
            SELECT m.memory_id FROM memory.memories AS m
            WHERE m.tenant_id = tenant AND m.session_id = one.session_id AND m.agent_id = one.agent_id
              AND m.namespace = one.namespace AND (m.occurred_at, m.memory_id) < (one.occurred_at, listed.memory_id)
              AND (m.expires_at IS NULL OR m.expires_at > now)
            ORDER BY m.occurred_at DESC, m.memory_id DESC LIMIT 2
        ) AS before
        UNION ALL
        SELECT after.memory_id, row_number() OVER ()
        FROM (
            SELECT m.memory_id FROM memory.memories AS m
            WHERE m.tenant_id = tenant AND m.session_id = one.session_id AND m.agent_id = one.agent_id
              AND m.namespace = one.namespace AND (m.occurred_at, m.memory_id) > (one.occurred_at, listed.memory_id)
              AND m.occurred_at <= until AND (m.expires_at IS NULL OR m.expires_at > now)
            ORDER BY m.occurred_at, m.memory_id LIMIT 2
        ) AS after
    ) AS beside;
END $$;

-- How near and how well worded memories are: exactly, each by its best pieces. A memory without a vector of the model has
-- no distance.
CREATE OR REPLACE FUNCTION memory.weighed(
    tenant text, ids uuid[], query public.halfvec, model text, lexemes bigint[], weights double precision[]
) RETURNS TABLE (
    memory_id uuid, ordinal integer, distance double precision, lexical double precision, base double precision,
    occurred_at timestamptz, trust text, pinned boolean
)
LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 50 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    total constant double precision = (SELECT sum(weight) FROM unnest(weights) AS weight);
BEGIN
    RETURN QUERY EXECUTE
        -- OFFSET 0: each is looked up by its whole key, in this order, whatever statistics there are.
        'SELECT listed.memory_id, near.ordinal, near.distance, worded.score, 0.5 * greatest(1 - near.distance, 0) + 0.5 * worded.score,'
        ' one.occurred_at, one.trust, one.pinned'
        ' FROM unnest($2) AS listed (memory_id)'
        ' CROSS JOIN LATERAL (SELECT m.memory_id, m.agent_id, memory.key_of(m.agent_id) AS agent_key,'
        ' memory.key_of(m.namespace) AS namespace_key, m.occurred_at, m.trust, m.pinned'
        ' FROM memory.memories AS m WHERE m.tenant_id = $1 AND m.memory_id = listed.memory_id OFFSET 0) AS one'
        ' LEFT JOIN LATERAL (SELECT c.ordinal, c.distance FROM ('
        ' SELECT c.ordinal, c.embedding OPERATOR(public.<=>) $3 AS distance FROM memory.chunks AS c'
        ' WHERE c.tenant_id = $1 AND c.model = $7 AND c.agent_id = one.agent_id AND c.namespace_key = one.namespace_key'
        ' AND c.memory_id = listed.memory_id OFFSET 0) AS c ORDER BY c.distance, c.ordinal LIMIT 1) AS near ON true'
        ' CROSS JOIN LATERAL (SELECT coalesce(max(piece.score) / $6, 0) AS score FROM ('
        ' SELECT sum(each.weight * p.gain) AS score FROM unnest($4, $5) AS each (lexeme, weight)'
        ' CROSS JOIN LATERAL (' || memory.posting_sql() || ') AS p GROUP BY p.ordinal) AS piece) AS worded'
        USING tenant, ids, query, lexemes, weights, total, model;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.asked_of(jsonb),
    memory.neighbours(text, uuid[], timestamptz, timestamptz),
    memory.weighed(text, uuid[], public.halfvec, text, bigint[], double precision[])
TO memory_rw;
