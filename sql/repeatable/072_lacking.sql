-- Vectors that come after their text: what lacks some.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- How many vectors of a model a memory has. By all columns that the key begins with, see 050.
CREATE OR REPLACE FUNCTION memory.count_vectors(m memory.memories, model text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM memory.chunks AS c
        WHERE c.tenant_id = m.tenant_id AND c.model = count_vectors.model AND c.agent_id = m.agent_id
          AND c.namespace_key = memory.key_of(m.namespace) AND c.memory_id = m.memory_id
    );
END $$;

-- `request` {now, models, ids | after, limit, awaiting}: the live ones among memories by their ids, or the next `limit` memories of
-- the tenant behind an id, of which only those are told that lack vectors of one of the models (or, `awaiting`, that say so
-- themselves). A last row without an id says in `record` how far it was looked. A content that the budget does not hold is
-- read by `read_content`; `spans` are the pieces it was cut into, as far as vectors tell.
CREATE OR REPLACE FUNCTION memory.lacking(tenant text, request text, budget bigint)
RETURNS TABLE (id text, record bytea, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    models constant text[] = memory.texts(asked -> 'models');
    behind constant uuid = coalesce(CAST(asked ->> 'after' AS uuid), '00000000-0000-0000-0000-000000000000');
    most constant integer = CAST(asked ->> 'limit' AS integer);
    looked uuid[];
BEGIN
    PERFORM memory.enter_tenant(tenant);
    IF asked ? 'ids' THEN
        looked = CAST(memory.texts(asked -> 'ids') AS uuid[]);
    ELSIF CAST(asked ->> 'awaiting' AS boolean) THEN
        looked = ARRAY(SELECT m.memory_id FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.awaits AND m.memory_id > behind
            ORDER BY m.memory_id LIMIT most);
    ELSE
        looked = ARRAY(SELECT m.memory_id FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id > behind
            ORDER BY m.memory_id LIMIT most);
    END IF;
    RETURN QUERY
    WITH found AS (
        SELECT m AS memory, place, (
            SELECT jsonb_object_agg(model, memory.count_vectors(m, model)) FROM unnest(models) AS model
        ) AS has
        FROM unnest(looked) WITH ORDINALITY AS one (memory_id, place)
        CROSS JOIN LATERAL (
            SELECT * FROM memory.memories AS each WHERE each.tenant_id = tenant AND each.memory_id = one.memory_id OFFSET 0
        ) AS m
        WHERE m.expires_at IS NULL OR m.expires_at > CAST(asked ->> 'now' AS timestamptz)
    ), wanted AS (
        SELECT f.*, sum(memory.weight((f.memory).content, '')) OVER (ORDER BY f.place) AS total
        FROM found AS f
        WHERE asked ? 'ids' OR (f.memory).awaits OR EXISTS (
            SELECT FROM jsonb_each_text(f.has) AS one WHERE CAST(one.value AS bigint) < (f.memory).chunk_count
        )
    )
    SELECT CAST((w.memory).memory_id AS text),
        convert_to(CAST(jsonb_build_object(
            'memory_id', (w.memory).memory_id, 'revision', (w.memory).revision, 'content_key', (w.memory).content_key,
            'bytes', octet_length((w.memory).content), 'pieces', (w.memory).chunk_count, 'pending', (w.memory).pending,
            'has', w.has, 'spans', (
                SELECT jsonb_agg(jsonb_build_array(c.starts_at, c.ends_at) ORDER BY c.ordinal)
                FROM memory.chunks AS c
                WHERE c.tenant_id = tenant AND c.agent_id = (w.memory).agent_id
                  AND c.namespace_key = memory.key_of((w.memory).namespace) AND c.memory_id = (w.memory).memory_id
                  AND c.model = (
                      SELECT one.key FROM jsonb_each_text(w.has) AS one
                      WHERE CAST(one.value AS bigint) >= (w.memory).chunk_count LIMIT 1
                  )
            )
        ) AS text), 'UTF8'),
        CASE WHEN w.total <= budget THEN convert_to((w.memory).content, 'UTF8') END
    FROM wanted AS w
    UNION ALL
    SELECT NULL, convert_to(CAST(jsonb_build_object(
        'after', looked[cardinality(looked)], 'looked', cardinality(looked)) AS text), 'UTF8'), NULL;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.count_vectors(memory.memories, text),
    memory.lacking(text, text, bigint)
TO memory_rw;
