-- What a search for the nearest vectors runs: the statement of each plan.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.key_of(id text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    -- The hash that hash partitions are made with, so it stays what it is over every upgrade; 0 is kept for "none".
    RETURN CASE WHEN id IS NULL THEN 0 ELSE coalesce(nullif(hashtextextended(id COLLATE "C", 0), 0), 1) END;
END $$;

-- Purposes as bits, so that those of a record fit into an index beside its vector. Two may share a bit: a bit only narrows.
CREATE OR REPLACE FUNCTION memory.purpose_mask(purposes text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    mask integer = 0;
    purpose text;
BEGIN
    FOREACH purpose IN ARRAY coalesce(purposes, '{}') LOOP
        mask = mask | (1 << CAST(abs(hashtextextended(purpose COLLATE "C", 0) % 31) AS integer));
    END LOOP;
    RETURN mask;
END $$;

-- What holds of every chunk that is looked at, times as a sub-select, which is read once and not for each; $1 tenant, $3 model, $4 what is asked.
CREATE OR REPLACE FUNCTION memory.chunk_filter(asked jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 'c.tenant_id = $1 AND c.model = $3'
        || CASE WHEN asked ? 'agent_id' THEN ' AND c.agent_id = $4 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ? 'namespace_key' THEN ' AND c.namespace_key = CAST($4 ->> ''namespace_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'except_key' THEN ' AND c.namespace_key <> CAST($4 ->> ''except_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'purposes' THEN ' AND c.purpose_mask = memory.purpose_mask(memory.texts($4 -> ''purposes''))' ELSE '' END
        || CASE WHEN asked ? 'user_key' THEN ' AND c.user_key = CAST($4 ->> ''user_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'session_key' THEN ' AND c.session_key = CAST($4 ->> ''session_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'purpose_mask' THEN ' AND (c.purpose_mask = 0'
            ' OR c.purpose_mask & CAST($4 ->> ''purpose_mask'' AS integer) <> 0)' ELSE '' END
        || CASE WHEN asked ? 'from' THEN ' AND c.occurred_at >= (SELECT CAST($4 ->> ''from'' AS timestamptz))' ELSE '' END
        || CASE WHEN asked ? 'to' THEN ' AND c.occurred_at <= (SELECT CAST($4 ->> ''to'' AS timestamptz))' ELSE '' END;
END $$;

-- What narrows a search, each by an index of its own that begins with the tenant.
CREATE OR REPLACE FUNCTION memory.narrowed_sql(filter text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CASE filter
        WHEN 'user' THEN 'SELECT m.memory_id FROM memory.memories AS m'
            ' WHERE m.tenant_id = $1 AND m.user_id = $4 ->> ''user_id'''
        WHEN 'session' THEN 'SELECT m.memory_id FROM memory.memories AS m'
            ' WHERE m.tenant_id = $1 AND m.session_id = $4 ->> ''session_id'''
        WHEN 'time' THEN 'SELECT m.memory_id FROM memory.memories AS m WHERE m.tenant_id = $1'
            ' AND m.occurred_at >= coalesce(CAST($4 ->> ''from'' AS timestamptz), ''-infinity'')'
            ' AND m.occurred_at <= coalesce(CAST($4 ->> ''to'' AS timestamptz), ''infinity'')'
        WHEN 'metadata' THEN 'SELECT e.memory_id FROM memory.metadata_entries AS e'
            ' WHERE e.tenant_id = $1 AND e.entry = CAST($4 ->> ''rarest'' AS uuid)'
    END;
END $$;

-- The statement of a plan; $2 is the vector, $5 how many rows are read at most (null for all).
CREATE OR REPLACE FUNCTION memory.nearest_sql(plan text, asked jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    distance constant text = 'c.memory_id, c.ordinal, c.embedding OPERATOR(public.<=>) $2 AS distance';
    filter constant text = memory.chunk_filter(asked);
    rows_read text;
BEGIN
    IF plan = 'graph' THEN
        RETURN format('SELECT %s FROM memory.chunks AS c WHERE %s ORDER BY c.embedding OPERATOR(public.<=>) $2', distance, filter)
            || ' LIMIT $5';
    END IF;
    -- OFFSET 0 keeps what is read apart from how it is sorted, so that no graph is used here, and each lookup apart from
    -- what it looks up, so that the order of the joins is the one written down. Chunks are always looked up by all the
    -- columns that their key begins with.
    rows_read = CASE
        WHEN plan = 'scope' THEN format('SELECT %s FROM memory.chunks AS c WHERE %s', distance, filter)
        ELSE format(
            'SELECT c.* FROM (%s OFFSET 0) AS narrowed'
            ' CROSS JOIN LATERAL (SELECT m.agent_id, memory.key_of(m.namespace) AS namespace_key FROM memory.memories AS m'
            ' WHERE m.tenant_id = $1 AND m.memory_id = narrowed.memory_id OFFSET 0) AS m'
            ' CROSS JOIN LATERAL (SELECT %s FROM memory.chunks AS c WHERE %s AND c.agent_id = m.agent_id'
            ' AND c.namespace_key = m.namespace_key AND c.memory_id = narrowed.memory_id OFFSET 0) AS c',
            memory.narrowed_sql(plan), distance, filter)
    END;
    RETURN format('SELECT near.* FROM (%s OFFSET 0) AS near ORDER BY near.distance, near.memory_id DESC LIMIT $5', rows_read);
END $$;

GRANT EXECUTE ON FUNCTION
    memory.key_of(text),
    memory.purpose_mask(text[]),
    memory.chunk_filter(jsonb),
    memory.narrowed_sql(text),
    memory.nearest_sql(text, jsonb)
TO memory_rw;
