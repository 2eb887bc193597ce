-- A memory as the functions of the API receive it: JSON without the content, times as microseconds since 1970, metadata
-- as the text that came in (jsonb would rewrite its numbers).
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.to_micros(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CAST(extract(epoch FROM moment) * 1000000 AS bigint); -- numeric, hence exact
END $$;

CREATE OR REPLACE FUNCTION memory.describe(m memory.memories) RETURNS text
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CASE WHEN m.memory_id IS NOT NULL THEN jsonb_build_object(
        'memory_id', m.memory_id,
        'agent_id', m.agent_id,
        'namespace', m.namespace,
        'user_id', m.user_id,
        'session_id', m.session_id,
        'revision', m.revision,
        'metadata', m.metadata,
        'purposes', m.purposes,
        'source_kind', m.source_kind,
        'source_id', m.source_id,
        'trust', m.trust,
        'pinned', m.pinned,
        'pending', m.awaits,
        'bytes', octet_length(m.content),
        'occurred_at', memory.to_micros(m.occurred_at),
        'created_at', memory.to_micros(m.created_at),
        'updated_at', memory.to_micros(m.updated_at),
        'expires_at', memory.to_micros(m.expires_at)
    ) END;
END $$;

GRANT EXECUTE ON FUNCTION memory.to_micros(timestamptz), memory.describe(memory.memories) TO memory_rw;
