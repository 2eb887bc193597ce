-- Near duplicates: which memory a new text is to be merged into. Only memories of one (tenant, agent, user, namespace)
-- with the same purposes are ever merged, under a lock of that scope.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

CREATE OR REPLACE FUNCTION memory.texts(list jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CASE jsonb_typeof(list) WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(list)) END;
END $$;

-- The place of a source in the order of trust, from 1.
CREATE OR REPLACE FUNCTION memory.trust_rank(trust text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN array_position(ARRAY['tool_external', 'tool_internal', 'inference', 'direct_user'], trust);
END $$;

-- The memory that a new text is to be merged into (`same`), or the one that it nearly repeats and contradicts (`apart`).
-- Equal texts always merge. Of near ones (cosine over `merge_above`) the nearest merges, the oldest of equally near ones,
-- that says the same, which means that each text holds the other's marks (domain/merging.py), unless the words of a less
-- trusted source would stand over those of a more trusted one. What is found is locked: somebody may be deleting it.
CREATE OR REPLACE FUNCTION memory.twin(
    tenant text, item jsonb, fresh text, model text, query public.halfvec, OUT same uuid, OUT apart uuid
)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    reach constant double precision = 1 - CAST(item ->> 'merge_above' AS double precision);
    asked constant jsonb = jsonb_strip_nulls(jsonb_build_object(
        'now', item -> 'now',
        'agent_id', item -> 'agent_id',
        'namespace', item -> 'namespace',
        'namespace_key', memory.key_of(item ->> 'namespace'),
        'user_id', item -> 'user_id',
        'user_key', memory.key_of(item ->> 'user_id'),
        'purposes', coalesce(item -> 'purposes', '[]'), -- what was said for one purpose is not to be read for another
        'one_chunk', true
    ));
    near record;
BEGIN
    SELECT m.memory_id INTO same
    FROM memory.memories AS m
    WHERE m.tenant_id = tenant
      AND m.content_key = CAST(md5(fresh) AS uuid)
      AND m.content = fresh
      AND m.agent_id = item ->> 'agent_id'
      AND m.namespace = item ->> 'namespace'
      AND m.user_id IS NOT DISTINCT FROM item ->> 'user_id'
      AND m.purposes @> memory.texts(asked -> 'purposes') AND m.purposes <@ memory.texts(asked -> 'purposes')
      AND (m.expires_at IS NULL OR m.expires_at > CAST(item ->> 'now' AS timestamptz))
    ORDER BY m.created_at
    LIMIT 1
    FOR UPDATE;
    IF same IS NOT NULL OR query IS NULL THEN
        RETURN;
    END IF;
    FOR near IN
        SELECT n.memory_id
        FROM memory.nearest(tenant, asked, query, model, 5, reach) AS n
        WHERE n.distance < reach
        ORDER BY n.distance, (
            SELECT m.created_at FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = n.memory_id
        )
    LOOP
        SELECT m.memory_id INTO same
        FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id = near.memory_id
          AND m.marks <@ memory.texts(item -> 'words')
          AND memory.texts(item -> 'marks') <@ m.words
          AND memory.trust_rank(item ->> 'trust') >= memory.trust_rank(m.trust)
        FOR UPDATE;
        IF same IS NOT NULL THEN
            apart = NULL;
            RETURN;
        END IF;
        IF apart IS NULL THEN
            SELECT m.memory_id INTO apart FROM memory.memories AS m
            WHERE m.tenant_id = tenant AND m.memory_id = near.memory_id
            FOR KEY SHARE;
        END IF;
    END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.texts(jsonb),
    memory.trust_rank(text),
    memory.twin(text, jsonb, text, text, public.halfvec)
TO memory_rw;
