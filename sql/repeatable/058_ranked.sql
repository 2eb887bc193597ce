-- Ranking, see 057: the memories themselves.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- What was found by vector and by words, some more of each than are asked for, and the neighbours of the best of these; all
-- lend a part of their base to their neighbours.
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
    now constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    until constant timestamptz = coalesce(CAST(asked ->> 'as_of' AS timestamptz), 'infinity');
    found uuid[];
BEGIN
    found = ARRAY(
        SELECT n.memory_id FROM memory.nearest(tenant, asked, query, asked ->> 'model', top_k + 10, reach) AS n
        UNION
        SELECT w FROM memory.worded(tenant, asked, lexemes, holders, weights, top_k + 10) AS w
    );
    RETURN QUERY
    WITH listed AS MATERIALIZED (
        SELECT * FROM memory.weighed(tenant, found, query, asked ->> 'model', lexemes, weights) AS w
        WHERE coalesce(w.distance, 2) <= reach
    ), candidates AS MATERIALIZED (
        SELECT * FROM listed
        UNION ALL
        SELECT * FROM memory.weighed(tenant, ARRAY(
                SELECT DISTINCT n.neighbour
                FROM memory.neighbours(tenant, ARRAY(
                    SELECT l.memory_id FROM listed AS l ORDER BY l.base DESC, l.memory_id DESC LIMIT top_k
                ), now, until) AS n
                WHERE n.neighbour <> ALL (found) AND memory.is_wanted(tenant, n.neighbour, asked)
            ), query, asked ->> 'model', lexemes, weights) AS w
        WHERE coalesce(w.distance, 2) <= reach
    ), lending AS (
        SELECT array_agg(c.memory_id) AS ids, array_agg(c.base) AS bases FROM candidates AS c
    ), gifts AS MATERIALIZED (
        SELECT n.neighbour, max(l.bases[array_position(l.ids, n.memory_id)] * CASE n.distance WHEN 1 THEN 0.6 ELSE 0.4 END) AS gift
        FROM lending AS l
        CROSS JOIN LATERAL memory.neighbours(tenant, l.ids, now, until) AS n
        WHERE n.neighbour = ANY (l.ids)
        GROUP BY n.neighbour
    ), told AS ( -- 0.5 to the power of some more than 1000 is nothing, and an error
        SELECT c.*, coalesce((SELECT g.gift FROM gifts AS g WHERE g.neighbour = c.memory_id), 0) AS lent,
            CASE WHEN c.pinned OR half_life IS NULL THEN 1
                ELSE 1 - 0.3 * (1 - CAST(0.5 AS double precision)
                    ^ least(greatest(extract(epoch FROM at - c.occurred_at), 0) / 86400 / half_life, 1000)) END AS recency,
            CASE c.trust WHEN 'direct_user' THEN 1 WHEN 'inference' THEN 0.95 WHEN 'tool_internal' THEN 0.9 ELSE 0.85 END AS trusted,
            CASE WHEN c.pinned THEN 0.1 ELSE 0 END AS raised
        FROM candidates AS c
    ), scored AS (
        SELECT t.*, CAST(round(CAST((t.base + t.lent) * t.recency * t.trusted + t.raised AS numeric), 9) AS double precision) AS score
        FROM told AS t
    )
    SELECT s.memory_id, s.ordinal, s.score, 1 - s.distance, s.lexical, s.base, s.lent, s.recency,
        CAST(s.trusted AS double precision), CAST(s.raised AS double precision)
    FROM scored AS s
    ORDER BY s.score DESC, s.memory_id DESC -- as age has it: rounding changes no order
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
            SELECT w.memory_id, w.lexical, CAST(round(CAST(w.lexical AS numeric), 9) AS double precision) AS score
            FROM memory.weighed(tenant, ARRAY(
                SELECT memory.worded(tenant, asked, words.lexemes, words.holders, words.weights, top_k + 10)
            ), NULL, NULL, words.lexemes, words.weights) AS w
        ) AS found
        ORDER BY found.score DESC, found.memory_id DESC LIMIT top_k;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.memory_id, f.ordinal, f.score, f.similarity, CASE WHEN explained THEN jsonb_build_object(
        'cosine', f.similarity, 'lexical', f.lexical, 'base', f.base, 'lent', f.lent, 'recency', f.recency,
        'trust', f.trust, 'pinned', f.pinned
    ) END
    FROM memory.fused(tenant, asked, query, words.lexemes, words.holders, words.weights) AS f
    ORDER BY f.score DESC, f.memory_id DESC;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fused(text, jsonb, public.halfvec, bigint[], bigint[], double precision[]),
    memory.ranked(text, jsonb, public.halfvec, bigint[])
TO memory_rw;
