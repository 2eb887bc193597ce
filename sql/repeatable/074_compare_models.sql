-- What the change from one embedding model to another asks of the database, beside 072: see ADR 24.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- `request` {now, old, new, after, sample, top_k}: what a search in the new model finds of what an exact one in the old model does,
-- asked by the first pieces of the next `sample` memories behind an id, each among its agent's memories. `after` is where the
-- next sample begins, null at the end.
CREATE OR REPLACE FUNCTION memory.compare_models(tenant text, request text)
RETURNS TABLE (asked bigint, wanted bigint, recalled bigint, after text)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    given constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    moment constant timestamptz = CAST(given ->> 'now' AS timestamptz);
    top_k constant integer = CAST(given ->> 'top_k' AS integer);
    subject memory.memories;
    vectors public.halfvec[];
    nearest uuid[];
    seen integer = 0;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    asked = 0;
    wanted = 0;
    recalled = 0;
    FOR subject IN
        SELECT m.* FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id > coalesce(CAST(given ->> 'after' AS uuid), '00000000-0000-0000-0000-000000000000')
        ORDER BY m.memory_id LIMIT CAST(given ->> 'sample' AS integer)
    LOOP
        seen = seen + 1;
        after = CAST(subject.memory_id AS text);
        CONTINUE WHEN subject.expires_at <= moment;
        vectors = ARRAY(
            SELECT c.embedding FROM unnest(ARRAY[given ->> 'old', given ->> 'new']) WITH ORDINALITY AS one (model, place)
            JOIN memory.chunks AS c ON c.tenant_id = tenant AND c.model = one.model AND c.agent_id = subject.agent_id
                AND c.namespace_key = memory.key_of(subject.namespace) AND c.memory_id = subject.memory_id AND c.ordinal = 0
            ORDER BY one.place
        );
        CONTINUE WHEN cardinality(vectors) < 2;
        nearest = ARRAY(
            SELECT best.memory_id
            FROM (
                SELECT near.memory_id, min(near.distance) AS distance
                FROM (
                    SELECT c.memory_id, c.embedding OPERATOR(public.<=>) vectors[1] AS distance
                    FROM memory.chunks AS c
                    WHERE c.tenant_id = tenant AND c.model = given ->> 'old' AND c.agent_id = subject.agent_id
                      AND c.memory_id <> subject.memory_id
                    OFFSET 0
                ) AS near
                GROUP BY near.memory_id
            ) AS best
            CROSS JOIN LATERAL (
                SELECT FROM memory.memories AS m
                WHERE m.tenant_id = tenant AND m.memory_id = best.memory_id AND (m.expires_at IS NULL OR m.expires_at > moment)
                OFFSET 0
            ) AS live
            ORDER BY best.distance, best.memory_id LIMIT top_k
        );
        CONTINUE WHEN nearest = '{}';
        asked = asked + 1;
        wanted = wanted + cardinality(nearest);
        recalled = recalled + (
            SELECT count(*)
            FROM (
                SELECT n.memory_id
                FROM memory.nearest(tenant, jsonb_build_object('now', given -> 'now', 'agent_id', subject.agent_id), vectors[2],
                    given ->> 'new', top_k + 1, 2.0) AS n
                WHERE n.memory_id <> subject.memory_id
                ORDER BY n.distance, n.memory_id LIMIT cardinality(nearest)
            ) AS hit
            WHERE hit.memory_id = ANY (nearest)
        );
    END LOOP;
    IF seen < CAST(given ->> 'sample' AS integer) THEN
        after = NULL;
    END IF;
    RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION memory.compare_models(text, text) TO memory_rw;
