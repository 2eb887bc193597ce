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

-- What it returns has grown: the function of an earlier release goes first.
DO $$ BEGIN
    IF pg_get_function_result(to_regprocedure('memory.search(text,text,text,bigint)')) NOT LIKE '%parts%' THEN
        DROP FUNCTION memory.search(text, text, text, bigint);
    END IF;
END $$;

-- Up to `top_k` memories, the best first; starts_at and ends_at tell which part of the content was the nearest, where a
-- vector was asked for and there is one. `request` {now, mode, model, top_k, reach (a cosine distance), lexemes, agent_id,
-- namespace, except_namespace, user_id, session_id, from, to, as_of, entries, purpose, min_trust, half_life_days, explain}.
CREATE OR REPLACE FUNCTION memory.search(tenant text, request text, query text, budget bigint)
RETURNS TABLE (
    id text, similarity double precision, starts_at integer, ends_at integer, record bytea, content bytea,
    score double precision, parts text
)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = memory.asked_of(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    -- OFFSET 0: each of what was found is looked up by its whole key, in this order, whatever statistics there are.
    RETURN QUERY
    WITH told AS (
        SELECT r.memory_id, r.ordinal, r.score, r.similarity, r.parts, m.memory, memory.describe(m.memory) AS record,
            row_number() OVER (ORDER BY r.score DESC, r.memory_id DESC) AS place
        FROM memory.ranked(tenant, asked, CAST(nullif(query, '') AS public.halfvec),
            ARRAY(SELECT CAST(lexeme AS bigint) FROM jsonb_array_elements_text(asked -> 'lexemes') AS lexeme)) AS r
        CROSS JOIN LATERAL (
            SELECT each AS memory FROM memory.memories AS each WHERE each.tenant_id = tenant AND each.memory_id = r.memory_id OFFSET 0
        ) AS m
    ), found AS (
        SELECT t.*, sum(memory.weight((t.memory).content, t.record)) OVER (ORDER BY t.place) AS total FROM told AS t
    )
    SELECT CAST(f.memory_id AS text), f.similarity, c.starts_at, c.ends_at,
        CASE WHEN f.total <= budget OR f.place = 1 THEN convert_to(f.record, 'UTF8') END,
        CASE WHEN f.total <= budget THEN convert_to((f.memory).content, 'UTF8') END,
        f.score, CAST(f.parts AS text)
    FROM found AS f
    LEFT JOIN LATERAL (
        SELECT each.starts_at, each.ends_at FROM memory.chunks AS each
        WHERE each.tenant_id = tenant AND each.model = asked ->> 'model' AND each.agent_id = (f.memory).agent_id
          AND each.namespace_key = memory.key_of((f.memory).namespace) AND each.memory_id = f.memory_id
          AND each.ordinal = f.ordinal
        OFFSET 0
    ) AS c ON true
    ORDER BY f.place;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.weight(text, text),
    memory.search(text, text, text, bigint)
TO memory_rw;
