-- Reading by id and as a list, within a budget as in 080. A single content over the budget is read piece by piece by
-- `read_content`.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Live memories by their ids (a JSON array), in that order; those that are not there are missing.
CREATE OR REPLACE FUNCTION memory.fetch(tenant text, ids text, at text, budget bigint)
RETURNS TABLE (id text, record bytea, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH told AS (
        SELECT m AS memory, memory.describe(m) AS record, wanted.place
        FROM jsonb_array_elements_text(CAST(ids AS jsonb)) WITH ORDINALITY AS wanted (memory_id, place)
        JOIN memory.memories AS m ON m.tenant_id = tenant AND m.memory_id = CAST(wanted.memory_id AS uuid)
        WHERE m.expires_at IS NULL OR m.expires_at > CAST(at AS timestamptz)
    ), found AS (
        SELECT t.*, sum(memory.weight((t.memory).content, t.record)) OVER (ORDER BY t.place) AS total,
            row_number() OVER (ORDER BY t.place) AS rank
        FROM told AS t
    )
    SELECT CAST((f.memory).memory_id AS text),
        CASE WHEN f.total <= budget OR f.rank = 1 THEN convert_to(f.record, 'UTF8') END,
        CASE WHEN f.total <= budget THEN convert_to((f.memory).content, 'UTF8') END
    FROM found AS f
    ORDER BY f.place;
END $$;

-- `bytes` bytes of a revision's text from `start` (from 0) on, as UTF-8; no row when that revision is gone.
CREATE OR REPLACE FUNCTION memory.read_content(tenant text, id text, revision bigint, start bigint, bytes bigint)
RETURNS TABLE (content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    SELECT substring(convert_to(one.content, 'UTF8') FROM CAST(start + 1 AS integer) FOR CAST(bytes AS integer))
    FROM (
        SELECT m.content FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id = CAST(id AS uuid) AND m.revision = read_content.revision
        UNION ALL
        SELECT r.content FROM memory.memory_revisions AS r
        WHERE r.tenant_id = tenant AND r.memory_id = CAST(id AS uuid) AND r.revision = read_content.revision
    ) AS one;
END $$;

-- `request` {now, agent_id, namespace, user_id, after_at, after_id, limit}: live memories, the newest first, behind a
-- position. created_at never changes, so a walk meets each memory once.
CREATE OR REPLACE FUNCTION memory.list(tenant text, request text, budget bigint)
RETURNS TABLE (id text, created_at bigint, record bytea, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY EXECUTE
        'WITH page AS (SELECT m AS memory, memory.describe(m) AS record, row_number() OVER (ORDER BY m.created_at DESC, m.memory_id DESC) AS place'
        ' FROM memory.memories AS m'
        ' WHERE m.tenant_id = $1 AND (m.expires_at IS NULL OR m.expires_at > CAST($2 ->> ''now'' AS timestamptz))'
        || CASE WHEN asked ? 'agent_id' THEN ' AND m.agent_id = $2 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ? 'user_id' THEN ' AND m.user_id = $2 ->> ''user_id''' ELSE '' END
        || CASE WHEN asked ? 'namespace' THEN ' AND m.namespace = $2 ->> ''namespace''' ELSE '' END
        || CASE WHEN asked ? 'after_id' THEN ' AND (m.created_at, m.memory_id)'
            ' < (CAST($2 ->> ''after_at'' AS timestamptz), CAST($2 ->> ''after_id'' AS uuid))' ELSE '' END
        || ' ORDER BY m.created_at DESC, m.memory_id DESC LIMIT CAST($2 ->> ''limit'' AS bigint)),'
        ' found AS (SELECT p.*, sum(memory.weight((p.memory).content, p.record)) OVER (ORDER BY p.place) AS total'
        ' FROM page AS p)'
        ' SELECT CAST((f.memory).memory_id AS text), memory.to_micros((f.memory).created_at),'
        ' CASE WHEN f.total <= $3 OR f.place = 1 THEN convert_to(f.record, ''UTF8'') END,'
        ' CASE WHEN f.total <= $3 THEN convert_to((f.memory).content, ''UTF8'') END'
        ' FROM found AS f ORDER BY f.place'
        USING tenant, asked, budget;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fetch(text, text, text, bigint),
    memory.read_content(text, text, bigint, bigint, bigint),
    memory.list(text, text, bigint)
TO memory_rw;
