-- Searching. One call carries records up to a weight of `budget` bytes (the Data API answers with 1 MiB at most); rows past
-- it name the memory alone and are read by `fetch`.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- What a record and its content take in an answer: both travel as bytes, in base64.
CREATE OR REPLACE FUNCTION memory.weight(content text, record text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN (octet_length(content) + octet_length(record)) * 4 / 3 + 300;
END $$;

-- Up to `top_k` memories within `reach` (a cosine distance) of the vector, the nearest first; starts_at and ends_at tell
-- which part of the content was the nearest.
CREATE OR REPLACE FUNCTION memory.search(tenant text, request text, query text, budget bigint)
RETURNS TABLE (id text, similarity double precision, starts_at integer, ends_at integer, record bytea, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    IF asked ? 'namespace' THEN
        asked = asked || jsonb_build_object('namespace_key', memory.key_of(asked ->> 'namespace'));
    END IF;
    IF asked ? 'user_id' THEN
        asked = asked || jsonb_build_object('user_key', memory.key_of(asked ->> 'user_id'));
    END IF;
    IF asked ? 'session_id' THEN
        asked = asked || jsonb_build_object('session_key', memory.key_of(asked ->> 'session_id'));
    END IF;
    -- OFFSET 0: each of what was found is looked up by its whole key, in this order, whatever statistics there are.
    RETURN QUERY
    WITH told AS (
        SELECT n.memory_id, n.distance, n.ordinal, m.memory, memory.describe(m.memory) AS record,
            row_number() OVER (ORDER BY n.distance, n.memory_id) AS place
        FROM memory.nearest(tenant, asked, CAST(query AS public.halfvec), asked ->> 'model',
            CAST(asked ->> 'top_k' AS integer), CAST(asked ->> 'reach' AS double precision)) AS n
        CROSS JOIN LATERAL (
            SELECT each AS memory FROM memory.memories AS each WHERE each.tenant_id = tenant AND each.memory_id = n.memory_id OFFSET 0
        ) AS m
    ), found AS (
        SELECT t.*, sum(memory.weight((t.memory).content, t.record)) OVER (ORDER BY t.place) AS total FROM told AS t
    )
    SELECT CAST(f.memory_id AS text), 1 - f.distance, c.starts_at, c.ends_at,
        CASE WHEN f.total <= budget OR f.place = 1 THEN convert_to(f.record, 'UTF8') END,
        CASE WHEN f.total <= budget THEN convert_to((f.memory).content, 'UTF8') END
    FROM found AS f
    CROSS JOIN LATERAL (
        SELECT each.starts_at, each.ends_at FROM memory.chunks AS each
        WHERE each.tenant_id = tenant AND each.model = asked ->> 'model' AND each.agent_id = (f.memory).agent_id
          AND each.namespace_key = memory.key_of((f.memory).namespace) AND each.memory_id = f.memory_id
          AND each.ordinal = f.ordinal
        OFFSET 0
    ) AS c
    ORDER BY f.place;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.weight(text, text),
    memory.search(text, text, text, bigint)
TO memory_rw;
