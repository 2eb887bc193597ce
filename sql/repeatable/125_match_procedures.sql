-- Which procedures a message calls for: the words that it shares with a trigger, and their nearness in meaning.
--
--     memory.match_procedures(tenant, agent, query, model, lexemes, at, purpose, user_id, at_most)
--         -> agent_id, name, version, ordinal, phrase, score, similarity, overlap, record
--
-- is what other operations call, such as the one of the context. It enters no tenant: whoever calls it has.
-- `agent` null means the procedures of all agents' alone; `query` null, or a model without vectors, leaves the words; `user_id`
-- null means anybody's, else those of another user are left out. The score of a procedure is that of its best phrase (see
-- domain/procedure_match.py, which says the same in Python), ties go by name. `record` is the newest version, as JSON.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Exact: every phrase of the scope is compared, for which a scope has at most a thousand procedures (see 120, `most`).
CREATE OR REPLACE FUNCTION memory.match_procedures(
    tenant text, agent text, query public.halfvec, model text, lexemes bigint[], at timestamptz, purpose text, user_id text,
    at_most bigint
) RETURNS TABLE (agent_id text, name text, version bigint, ordinal integer, phrase text, score double precision,
    similarity double precision, overlap double precision, record text)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    -- Each table is read once, by the scope that its key begins with, and put together by hashes.
    RETURN QUERY
    WITH usable AS (
        SELECT p.agent_id, p.name, p.version, p.purposes, p.user_id, max(p.agent_id) OVER (PARTITION BY p.name) AS nearest
        FROM memory.procedures AS p
        WHERE p.tenant_id = tenant AND p.agent_id IN ('', coalesce(agent, '')) AND p.version > 0
          AND (p.expires_at IS NULL OR p.expires_at > at)
    ), near AS MATERIALIZED ( -- the vectors go no further than their distances
        SELECT v.agent_id, v.name, v.ordinal, 1 - (v.embedding OPERATOR(public.<=>) query) AS similarity
        FROM memory.procedure_vectors AS v
        WHERE v.tenant_id = tenant AND v.agent_id IN ('', coalesce(agent, '')) AND v.model = match_procedures.model
    ), said AS MATERIALIZED (
        SELECT t.agent_id, t.name, t.ordinal, CAST(count(*) AS double precision) / cardinality(t.lexemes) AS overlap
        FROM memory.procedure_triggers AS t CROSS JOIN unnest(t.lexemes) AS word
        WHERE t.tenant_id = tenant AND t.agent_id IN ('', coalesce(agent, '')) AND word = ANY (match_procedures.lexemes)
        GROUP BY t.agent_id, t.name, t.ordinal, cardinality(t.lexemes)
    ), scored AS (
        SELECT u.agent_id, u.name, u.version, t.ordinal, t.phrase, n.similarity, coalesce(s.overlap, 0) AS overlap,
            0.6 * greatest(coalesce(n.similarity, 0), 0) + 0.4 * coalesce(s.overlap, 0) AS score
        FROM usable AS u
        JOIN memory.procedure_triggers AS t ON t.agent_id = u.agent_id AND t.name = u.name
        LEFT JOIN near AS n ON n.agent_id = t.agent_id AND n.name = t.name AND n.ordinal = t.ordinal
        LEFT JOIN said AS s ON s.agent_id = t.agent_id AND s.name = t.name AND s.ordinal = t.ordinal
        WHERE t.tenant_id = tenant AND t.agent_id IN ('', coalesce(agent, ''))
          AND u.agent_id = u.nearest -- an agent's own hides the one of all agents
          AND (u.purposes = '{}' OR purpose = ANY (u.purposes))
          AND (match_procedures.user_id IS NULL OR u.user_id IS NULL OR u.user_id = match_procedures.user_id)
    ), best AS (
        SELECT DISTINCT ON (s.name) s.* FROM scored AS s ORDER BY s.name, s.score DESC, s.ordinal
    )
    SELECT b.agent_id, b.name, CAST(b.version AS bigint), b.ordinal, b.phrase, b.score, b.similarity, b.overlap, w.record
    FROM (SELECT * FROM best AS b ORDER BY round(CAST(b.score AS numeric), 6) DESC, b.name LIMIT at_most) AS b
    CROSS JOIN LATERAL (
        SELECT each.record FROM memory.procedure_versions AS each
        WHERE each.tenant_id = tenant AND each.agent_id = b.agent_id AND each.name = b.name AND each.version = b.version
        OFFSET 0
    ) AS w
    ORDER BY round(CAST(b.score AS numeric), 6) DESC, b.name;
END $$;

-- The operation of the API. `request` {now, agent_id, model, lexemes, purpose, user_id, top_k, least}, `query` a vector. Records
-- that `budget` has no room for are left out, behind all that it has room for; `found` counts them as well.
CREATE OR REPLACE FUNCTION memory.match(tenant text, request text, query text, budget bigint) RETURNS TABLE (
    agent_id text, name text, version bigint, phrase text, score double precision, similarity double precision,
    overlap double precision, record bytea, created_at bigint, updated_at bigint, expires_at bigint, found bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH told AS (
        SELECT m.*, sum(memory.weight(m.phrase, m.record)) OVER (ORDER BY m.place) AS total, count(*) OVER () AS found
        FROM memory.match_procedures(tenant, asked ->> 'agent_id', CAST(query AS public.halfvec), asked ->> 'model',
            ARRAY(SELECT CAST(word AS bigint) FROM jsonb_array_elements_text(asked -> 'lexemes') AS word),
            CAST(asked ->> 'now' AS timestamptz), asked ->> 'purpose', asked ->> 'user_id', CAST(asked ->> 'top_k' AS bigint)
        ) WITH ORDINALITY AS m (agent_id, name, version, ordinal, phrase, score, similarity, overlap, record, place)
        WHERE m.score >= CAST(coalesce(asked ->> 'least', '0') AS double precision)
    )
    SELECT f.agent_id, f.name, f.version, f.phrase, f.score, f.similarity, f.overlap, convert_to(f.record, 'UTF8'),
        memory.to_micros(p.created_at), memory.to_micros(p.updated_at), memory.to_micros(p.expires_at), f.found
    FROM told AS f
    JOIN memory.procedures AS p ON p.tenant_id = tenant AND p.agent_id = f.agent_id AND p.name = f.name
    WHERE f.total <= budget OR f.place = 1
    ORDER BY f.place;
END $$;
GRANT EXECUTE ON FUNCTION
    memory.match_procedures(text, text, public.halfvec, text, bigint[], timestamptz, text, text, bigint),
    memory.match(text, text, text, bigint)
TO memory_rw;
