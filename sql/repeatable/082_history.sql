-- Reading what a memory said before, within a budget as in 080.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What a memory says and said, the newest first (kind current, then earlier), then the memories that nearly repeat it but
-- contradict it and were therefore kept apart (kind apart). As many entries as the budget holds, at least one, after the
-- first `skipped`; `entries` counts all. No rows when the memory is not there.
CREATE OR REPLACE FUNCTION memory.history(tenant text, id text, at text, skipped bigint, budget bigint)
RETURNS TABLE (entries bigint, kind text, record bytea, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    moment constant timestamptz = CAST(at AS timestamptz);
    subject memory.memories;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    SELECT * INTO subject FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id = CAST(id AS uuid) AND (m.expires_at IS NULL OR m.expires_at > moment);
    RETURN QUERY
    WITH told AS (
        SELECT 'current' AS kind, memory.describe(subject) AS record, subject.content, 1 AS part, 0 AS place
        WHERE subject.memory_id IS NOT NULL
        UNION ALL
        SELECT 'earlier', CAST(jsonb_build_object(
                'memory_id', r.memory_id, 'revision', r.revision, 'metadata', r.metadata, 'session_id', r.session_id,
                'trust', r.trust, 'bytes', octet_length(r.content), 'occurred_at', memory.to_micros(r.occurred_at),
                'written_at', memory.to_micros(r.written_at), 'replaced_at', memory.to_micros(r.replaced_at)
            ) AS text), r.content, 2, -r.revision
        FROM memory.memory_revisions AS r
        WHERE r.tenant_id = tenant AND r.memory_id = subject.memory_id
        UNION ALL
        SELECT 'apart', memory.describe(m), m.content, 3,
            CAST(row_number() OVER (ORDER BY m.created_at, m.memory_id) AS integer)
        FROM memory.memories AS m
        WHERE m.tenant_id = tenant
          AND (m.near_id = subject.memory_id OR m.memory_id = subject.near_id)
          AND (m.expires_at IS NULL OR m.expires_at > moment)
    ), ranked AS (
        SELECT t.*, count(*) OVER () AS entries, row_number() OVER (ORDER BY t.part, t.place) AS rank FROM told AS t
    ), weighed AS (
        SELECT r.*, sum(memory.weight(r.content, r.record)) OVER (ORDER BY r.rank) AS total FROM ranked AS r WHERE r.rank > skipped
    )
    SELECT w.entries, w.kind, convert_to(w.record, 'UTF8'), CASE WHEN w.total <= budget THEN convert_to(w.content, 'UTF8') END
    FROM weighed AS w
    WHERE w.total <= budget OR w.rank = skipped + 1
    ORDER BY w.rank;
END $$;

GRANT EXECUTE ON FUNCTION memory.history(text, text, text, bigint, bigint) TO memory_rw;
