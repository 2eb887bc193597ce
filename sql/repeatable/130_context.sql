-- What helps to answer one message, from all that the database holds, in one call: facts of the user (112), memories and
-- summaries (057), procedures (125).
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Until when what holds of a user at a time goes on to hold, if nobody writes anything; null is for ever.
CREATE OR REPLACE FUNCTION memory.facts_hold_until(tenant text, of_user text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off SET jit = off AS $$
BEGIN
    RETURN (
        SELECT min(moment.at)
        FROM memory.fact_versions AS v
        CROSS JOIN LATERAL (
            VALUES (v.valid_from), (v.valid_to), (v.expires_at)
            UNION ALL
            SELECT each.at FROM unnest(v.views) AS w
            CROSS JOIN LATERAL (VALUES (w.valid_from), (w.valid_to), (w.expires_at)) AS each (at)
        ) AS moment (at)
        WHERE v.tenant_id = tenant AND v.user_id = of_user AND v.known_to = 'infinity' AND v.valid_to > facts_hold_until.at
          AND moment.at > facts_hold_until.at AND isfinite(moment.at)
    );
END $$;

-- Current facts of the user, for an agent and a purpose: first a row `bundle` with their version, and until when they
-- hold; then, unless the caller knows this version, the facts, the newest first. The version is read before them: what is
-- written in between comes with the older version, and is read again. A version names its time as well, so that none ever
-- comes again, not even for a user whose facts were all removed.
CREATE OR REPLACE FUNCTION memory.context_facts(tenant text, asked jsonb, budget bigint)
RETURNS TABLE (kind text, id text, record text)
LANGUAGE plpgsql SECURITY INVOKER ROWS 20 SET search_path = pg_catalog SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    bundle memory.fact_bundles;
    stands text = 'none';
    as_of timestamptz = coalesce(asked ->> 'as_of', asked ->> 'now');
BEGIN
    SELECT b.* INTO bundle FROM memory.fact_bundles AS b WHERE b.tenant_id = tenant AND b.user_id = asked ->> 'user_id';
    IF FOUND THEN
        stands = concat(bundle.version, ' ', memory.to_micros(bundle.known_at));
        -- The clock of the function that wrote last may be ahead.
        as_of = CASE WHEN asked ? 'as_of' THEN as_of ELSE greatest(as_of, bundle.known_at) END;
    END IF;
    IF stands = asked ->> 'known_facts' THEN
        RETURN QUERY SELECT 'bundle', stands, CAST(NULL AS text);
        RETURN;
    END IF;
    RETURN QUERY SELECT 'bundle', stands, CAST(jsonb_build_object(
        'until', memory.to_micros(memory.facts_hold_until(tenant, asked ->> 'user_id', as_of))) AS text);
    RETURN QUERY
    WITH told AS (
        SELECT CAST((f.version).fact_id AS text) AS id, memory.describe_fact(f.version, f.fact) AS record, f.place
        FROM memory.facts_at(tenant, asked ->> 'user_id', asked || jsonb_build_object('as_of', as_of, 'limit', 201))
            WITH ORDINALITY AS f (version, fact, place)
    ), weighed AS (
        SELECT t.*, sum(memory.weight('', t.record)) OVER (ORDER BY t.place) AS total FROM told AS t
    )
    SELECT 'fact', w.id, CASE WHEN w.total <= budget AND w.place <= 200 THEN w.record END FROM weighed AS w ORDER BY w.place;
END $$;

-- Memories as asked, the best first, each with the passage that was found in place of a longer text; a memory whose
-- passage nobody knows (it was found by its words, or beside another one) with its beginning.
CREATE OR REPLACE FUNCTION memory.context_memories(
    tenant text, asked jsonb, query public.halfvec, lexemes bigint[], told_as text, budget bigint
) RETURNS TABLE (
    kind text, id text, score double precision, similarity double precision, starts_at integer, length integer, record text, content text
)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH found AS (
        SELECT r.memory_id, r.score, r.similarity, r.place, m.one, memory.describe(m.one) AS record,
            coalesce(c.starts_at, 0) AS starts_at,
            CASE
                WHEN c.ends_at IS NOT NULL THEN substring((m.one).content FROM c.starts_at + 1 FOR c.ends_at - c.starts_at)
                WHEN char_length((m.one).content) > 2000 THEN substring((m.one).content FOR 1000)
                ELSE (m.one).content
            END AS passage
        FROM memory.ranked(tenant, memory.asked_of(asked), query, lexemes)
            WITH ORDINALITY AS r (memory_id, ordinal, score, similarity, parts, place)
        CROSS JOIN LATERAL (
            SELECT each AS one FROM memory.memories AS each WHERE each.tenant_id = tenant AND each.memory_id = r.memory_id OFFSET 0
        ) AS m
        LEFT JOIN LATERAL (
            SELECT each.starts_at, each.ends_at FROM memory.chunks AS each
            WHERE each.tenant_id = tenant AND each.model = asked ->> 'model' AND each.agent_id = (m.one).agent_id
              AND each.namespace_key = memory.key_of((m.one).namespace) AND each.memory_id = r.memory_id
              AND each.ordinal = r.ordinal
            OFFSET 0
        ) AS c ON true
    ), weighed AS (
        SELECT f.*, sum(memory.weight(f.passage, f.record)) OVER (ORDER BY f.place) AS total FROM found AS f
    )
    SELECT told_as, CAST(w.memory_id AS text), w.score, w.similarity, w.starts_at, char_length((w.one).content),
        CASE WHEN w.total <= budget THEN w.record END, CASE WHEN w.total <= budget THEN w.passage END
    FROM weighed AS w
    ORDER BY w.place;
END $$;

-- `request` {now, as_of, model, lexemes, top_k, half_life_days, agent_id, user_id, purpose, known_facts, summaries,
-- least}: `summaries` is the namespace of these, `least` the score from which on a procedure is told. `query` is a vector,
-- or nothing where words alone are looked for. What `budget` has no room for comes without its record. Columns that a kind
-- does not have are null.
CREATE OR REPLACE FUNCTION memory.context(tenant text, request text, query text, budget bigint)
RETURNS TABLE (
    kind text, id text, score double precision, similarity double precision, starts_at integer, length integer,
    record bytea, content bytea, phrase text, overlap double precision, created_at bigint, updated_at bigint, expires_at bigint
)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    given constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    vector constant public.halfvec = CAST(nullif(query, '') AS public.halfvec);
    words constant bigint[] = ARRAY(
        SELECT CAST(lexeme AS bigint) FROM jsonb_array_elements_text(given -> 'lexemes') AS lexeme);
    asked constant jsonb = given - 'lexemes' || jsonb_build_object(
        'mode', CASE WHEN vector IS NULL THEN 'lexical' ELSE 'hybrid' END, 'reach', 2);
    summaries constant text = given ->> 'summaries';
    of_summaries constant jsonb = asked || jsonb_build_object('namespace', summaries);
BEGIN
    PERFORM memory.enter_tenant(tenant);
    IF asked ? 'user_id' THEN
        RETURN QUERY
        SELECT f.kind, f.id, CAST(NULL AS double precision), CAST(NULL AS double precision), CAST(NULL AS integer),
            CAST(NULL AS integer), convert_to(f.record, 'UTF8'), CAST(NULL AS bytea), CAST(NULL AS text),
            CAST(NULL AS double precision), CAST(NULL AS bigint), CAST(NULL AS bigint), CAST(NULL AS bigint)
        FROM memory.context_facts(tenant, asked, budget / 4) AS f;
    END IF;
    RETURN QUERY
    SELECT m.kind, m.id, m.score, m.similarity, m.starts_at, m.length, convert_to(m.record, 'UTF8'),
        convert_to(m.content, 'UTF8'), CAST(NULL AS text), CAST(NULL AS double precision), CAST(NULL AS bigint),
        CAST(NULL AS bigint), CAST(NULL AS bigint)
    FROM memory.context_memories(tenant, asked || jsonb_build_object('except_namespace', summaries), vector, words, 'memory',
        budget * 2 / 5) AS m;
    -- Most agents have none, and a search that finds nothing costs as much as another one.
    IF memory.scope_size(tenant, of_summaries, 1) > 0 THEN
        RETURN QUERY
        SELECT m.kind, m.id, m.score, m.similarity, m.starts_at, m.length, convert_to(m.record, 'UTF8'),
            convert_to(m.content, 'UTF8'), CAST(NULL AS text), CAST(NULL AS double precision), CAST(NULL AS bigint),
            CAST(NULL AS bigint), CAST(NULL AS bigint)
        FROM memory.context_memories(tenant, of_summaries, vector, words, 'summary', budget / 5) AS m;
    END IF;
    RETURN QUERY
    WITH found AS (
        SELECT m.*, sum(memory.weight(m.phrase, m.record)) OVER (ORDER BY m.place) AS total
        FROM memory.match_procedures(tenant, asked ->> 'agent_id', vector, asked ->> 'model', words,
            CAST(asked ->> 'now' AS timestamptz), asked ->> 'purpose', asked ->> 'user_id', CAST(asked ->> 'top_k' AS bigint)
        ) WITH ORDINALITY AS m (agent_id, name, version, ordinal, phrase, score, similarity, overlap, record, place)
        WHERE m.score >= CAST(asked ->> 'least' AS double precision)
    )
    SELECT 'procedure', f.name, f.score, f.similarity, CAST(f.version AS integer), CAST(NULL AS integer),
        CASE WHEN f.total <= budget / 10 THEN convert_to(f.record, 'UTF8') END, convert_to(f.agent_id, 'UTF8'), f.phrase,
        f.overlap, memory.to_micros(p.created_at), memory.to_micros(p.updated_at), memory.to_micros(p.expires_at)
    FROM found AS f
    JOIN memory.procedures AS p ON p.tenant_id = tenant AND p.agent_id = f.agent_id AND p.name = f.name
    ORDER BY f.place;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.facts_hold_until(text, text, timestamptz),
    memory.context_facts(text, jsonb, bigint),
    memory.context_memories(text, jsonb, public.halfvec, bigint[], text, bigint),
    memory.context(text, text, text, bigint)
TO memory_rw;
