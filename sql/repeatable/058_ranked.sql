-- Ranking, see 057: the memories themselves.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- What was found by vector and by words, some more of each than are asked for, and the neighbours of the best of these.
-- Those found lend a part of their base to their neighbours.
CREATE OR REPLACE FUNCTION memory.fused(
    tenant text, asked jsonb, query public.halfvec, lexemes bigint[], holders bigint[], weights double precision[]
) RETURNS TABLE (
    memory_id uuid, ordinal integer, score double precision, similarity double precision, lexical double precision,
    base double precision, lent double precision, recency double precision, trust double precision, pinned double precision
)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    top_k constant integer = CAST(asked ->> 'top_k' AS integer);
    reach constant double precision = CAST(asked ->> 'reach' AS double precision);
    at constant timestamptz = CAST(asked ->> 'at' AS timestamptz);
    half_life constant double precision = CAST(asked ->> 'half_life_days' AS double precision);
    found uuid[];
BEGIN
    found = ARRAY(
        SELECT n.memory_id FROM memory.nearest(tenant, asked, query, asked ->> 'model', top_k + 20, reach) AS n
        UNION
        SELECT w FROM memory.worded(tenant, asked, lexemes, holders, weights, top_k + 20) AS w
    );
    RETURN QUERY
    WITH listed AS MATERIALIZED (
        SELECT (w.one).memory_id, w.one, w.ordinal, w.distance, w.lexical, 0.5 * greatest(1 - w.distance, 0) + 0.5 * w.lexical AS base
        FROM memory.weighed(tenant, found, query, asked ->> 'model', lexemes, weights) AS w
        WHERE coalesce(w.distance, 2) <= reach
    ), best AS (
        SELECT l.memory_id, l.one, l.base, row_number() OVER (ORDER BY l.base DESC, l.memory_id) AS place FROM listed AS l
    ), gifts AS MATERIALIZED (
        SELECT n.memory_id, b.place, b.base * CASE n.distance WHEN 1 THEN 0.6 ELSE 0.4 END AS gift
        FROM best AS b
        CROSS JOIN LATERAL memory.neighbours(tenant, b.one, CAST(asked ->> 'now' AS timestamptz),
            coalesce(CAST(asked ->> 'as_of' AS timestamptz), 'infinity')) AS n
        WHERE (b.one).session_id IS NOT NULL
    ), candidates AS (
        SELECT l.memory_id, l.one, l.ordinal, l.distance, l.lexical, l.base FROM listed AS l
        UNION ALL
        SELECT (w.one).memory_id, w.one, w.ordinal, w.distance, w.lexical, 0.5 * greatest(1 - w.distance, 0) + 0.5 * w.lexical
        FROM memory.weighed(tenant, ARRAY(
                SELECT DISTINCT g.memory_id FROM gifts AS g
                WHERE g.place <= top_k AND g.memory_id <> ALL (found) AND memory.is_wanted(tenant, g.memory_id, asked)
            ), query, asked ->> 'model', lexemes, weights) AS w
        WHERE coalesce(w.distance, 2) <= reach
    ), told AS (
        SELECT c.*, coalesce((SELECT max(g.gift) FROM gifts AS g WHERE g.memory_id = c.memory_id), 0) AS lent,
            CASE WHEN (c.one).pinned OR half_life IS NULL THEN 1
                ELSE 1 - 0.3 * (1 - CAST(0.5 AS double precision)
                    ^ (greatest(extract(epoch FROM at - (c.one).occurred_at), 0) / 86400 / half_life)) END AS recency,
            CASE (c.one).trust WHEN 'direct_user' THEN 1 WHEN 'inference' THEN 0.95 WHEN 'tool_internal' THEN 0.9 ELSE 0.85 END AS trust,
            CASE WHEN (c.one).pinned THEN 0.1 ELSE 0 END AS pinned
        FROM candidates AS c
    ), scored AS (
        SELECT t.*, CAST(round(CAST((t.base + t.lent) * t.recency * t.trust + t.pinned AS numeric), 9) AS double precision) AS score
        FROM told AS t
    )
    SELECT s.memory_id, s.ordinal, s.score, 1 - s.distance, s.lexical, s.base, s.lent, s.recency,
        CAST(s.trust AS double precision), CAST(s.pinned AS double precision)
    FROM scored AS s
    ORDER BY s.score DESC, s.memory_id
    LIMIT top_k;
END $$;

-- See 057. By one side alone a memory's score is its cosine, or what its words gain.
CREATE OR REPLACE FUNCTION memory.ranked(tenant text, asked jsonb, query public.halfvec, lexemes bigint[])
RETURNS TABLE (memory_id uuid, ordinal integer, score double precision, similarity double precision, parts jsonb)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    top_k constant integer = CAST(asked ->> 'top_k' AS integer);
    explained constant boolean = coalesce(CAST(asked ->> 'explain' AS boolean), false);
    words record;
BEGIN
    IF asked ->> 'mode' = 'vector' THEN
        RETURN QUERY
        SELECT n.memory_id, n.ordinal, 1 - n.distance, 1 - n.distance,
            CASE WHEN explained THEN jsonb_build_object('cosine', 1 - n.distance) END
        FROM memory.nearest(tenant, asked, query, asked ->> 'model', top_k, CAST(asked ->> 'reach' AS double precision)) AS n;
        RETURN;
    END IF;
    SELECT coalesce(array_agg(q.lexeme), '{}') AS lexemes, coalesce(array_agg(q.holders), '{}') AS holders,
        coalesce(array_agg(q.weight), '{}') AS weights
    INTO words FROM memory.query_lexemes(tenant, asked, lexemes) AS q;
    IF asked ->> 'mode' = 'lexical' THEN
        RETURN QUERY
        SELECT found.memory_id, CAST(NULL AS integer), found.score, CAST(NULL AS double precision),
            CASE WHEN explained THEN jsonb_build_object('lexical', found.lexical) END
        FROM (
            SELECT (w.one).memory_id, w.lexical, CAST(round(CAST(w.lexical AS numeric), 9) AS double precision) AS score
            FROM memory.weighed(tenant, ARRAY(
                SELECT memory.worded(tenant, asked, words.lexemes, words.holders, words.weights, top_k + 20)
            ), NULL, NULL, words.lexemes, words.weights) AS w
        ) AS found
        ORDER BY found.score DESC, found.memory_id LIMIT top_k;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.memory_id, f.ordinal, f.score, f.similarity, CASE WHEN explained THEN jsonb_build_object(
        'cosine', f.similarity, 'lexical', f.lexical, 'base', f.base, 'lent', f.lent, 'recency', f.recency,
        'trust', f.trust, 'pinned', f.pinned
    ) END
    FROM memory.fused(tenant, asked, query, words.lexemes, words.holders, words.weights) AS f
    ORDER BY f.score DESC, f.memory_id;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fused(text, jsonb, public.halfvec, bigint[], bigint[], double precision[]),
    memory.ranked(text, jsonb, public.halfvec, bigint[])
TO memory_rw;
