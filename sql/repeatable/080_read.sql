-- Reading. One call carries records up to a weight of `budget` bytes (the Data API answers with 1 MiB at most). Rows past
-- it name the memory alone and are read by `fetch`; a single content over the budget is read piece by piece by
-- `read_content`.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- About what a record takes in an answer, content as base64 and metadata as a quoted string.
CREATE OR REPLACE FUNCTION memory.weight(content text, metadata text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 1000 + octet_length(content) * 4 / 3 + octet_length(metadata) * 2;
END $$;

-- Up to `top_k` memories within `reach` (a cosine distance) of the vector, the nearest first; starts_at and ends_at tell
-- which part of the content was the nearest.
CREATE OR REPLACE FUNCTION memory.search(tenant text, request text, query text, budget bigint)
RETURNS TABLE (id text, similarity double precision, starts_at integer, ends_at integer, record text, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    IF asked ? 'namespace' THEN
        asked = asked || jsonb_build_object('namespace_key', memory.key_of(asked ->> 'namespace'));
    END IF;
    IF asked ? 'user_id' THEN
        asked = asked || jsonb_build_object('user_key', memory.key_of(asked ->> 'user_id'));
    END IF;
    IF asked ? 'session_id' THEN
        asked = asked || jsonb_build_object('session_key', memory.key_of(asked ->> 'session_id'));
    END IF;
    RETURN QUERY
    WITH found AS (
        SELECT n.memory_id, n.distance, n.ordinal, m AS memory,
            sum(memory.weight(m.content, m.metadata)) OVER (ORDER BY n.distance, n.memory_id) AS total,
            row_number() OVER (ORDER BY n.distance, n.memory_id) AS place
        FROM memory.nearest(tenant, asked, CAST(query AS public.halfvec), asked ->> 'model',
            CAST(asked ->> 'top_k' AS integer), CAST(asked ->> 'reach' AS double precision)) AS n
        JOIN memory.memories AS m ON m.tenant_id = tenant AND m.memory_id = n.memory_id
    )
    SELECT CAST(f.memory_id AS text), 1 - f.distance, c.starts_at, c.ends_at,
        CASE WHEN f.total <= budget OR f.place = 1 THEN memory.describe(f.memory) END,
        CASE WHEN f.total <= budget THEN convert_to((f.memory).content, 'UTF8') END
    FROM found AS f
    JOIN memory.chunks AS c ON c.tenant_id = tenant AND c.agent_id = (f.memory).agent_id
        AND c.namespace_key = memory.key_of((f.memory).namespace) AND c.memory_id = f.memory_id AND c.ordinal = f.ordinal
    ORDER BY f.place;
END $$;

-- Live memories by their ids (a JSON array), in that order; those that are not there are missing.
CREATE OR REPLACE FUNCTION memory.fetch(tenant text, ids text, at text, budget bigint)
RETURNS TABLE (id text, record text, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH found AS (
        SELECT m AS memory, wanted.place,
            sum(memory.weight(m.content, m.metadata)) OVER (ORDER BY wanted.place) AS total,
            row_number() OVER (ORDER BY wanted.place) AS rank
        FROM jsonb_array_elements_text(CAST(ids AS jsonb)) WITH ORDINALITY AS wanted (memory_id, place)
        JOIN memory.memories AS m ON m.tenant_id = tenant AND m.memory_id = CAST(wanted.memory_id AS uuid)
        WHERE m.expires_at IS NULL OR m.expires_at > CAST(at AS timestamptz)
    )
    SELECT CAST((f.memory).memory_id AS text),
        CASE WHEN f.total <= budget OR f.rank = 1 THEN memory.describe(f.memory) END,
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
RETURNS TABLE (id text, created_at bigint, record text, content bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY EXECUTE
        'WITH page AS (SELECT m AS memory, row_number() OVER (ORDER BY m.created_at DESC, m.memory_id DESC) AS place'
        ' FROM memory.memories AS m'
        ' WHERE m.tenant_id = $1 AND (m.expires_at IS NULL OR m.expires_at > CAST($2 ->> ''now'' AS timestamptz))'
        || CASE WHEN asked ? 'agent_id' THEN ' AND m.agent_id = $2 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ? 'user_id' THEN ' AND m.user_id = $2 ->> ''user_id''' ELSE '' END
        || CASE WHEN asked ? 'namespace' THEN ' AND m.namespace = $2 ->> ''namespace''' ELSE '' END
        || CASE WHEN asked ? 'after_id' THEN ' AND (m.created_at, m.memory_id)'
            ' < (CAST($2 ->> ''after_at'' AS timestamptz), CAST($2 ->> ''after_id'' AS uuid))' ELSE '' END
        || ' ORDER BY m.created_at DESC, m.memory_id DESC LIMIT CAST($2 ->> ''limit'' AS bigint)),'
        ' found AS (SELECT p.*, sum(memory.weight((p.memory).content, (p.memory).metadata)) OVER (ORDER BY p.place) AS total'
        ' FROM page AS p)'
        ' SELECT CAST((f.memory).memory_id AS text), memory.to_micros((f.memory).created_at),'
        ' CASE WHEN f.total <= $3 OR f.place = 1 THEN memory.describe(f.memory) END,'
        ' CASE WHEN f.total <= $3 THEN convert_to((f.memory).content, ''UTF8'') END'
        ' FROM found AS f ORDER BY f.place'
        USING tenant, asked, budget;
END $$;

-- What a memory says and said, the newest first (kind current, then earlier), then the memories that nearly repeat it but
-- contradict it and were therefore kept apart (kind apart). As many entries as the budget holds, at least one, after the
-- first `skipped`; `entries` counts all. No rows when the memory is not there.
CREATE OR REPLACE FUNCTION memory.history(tenant text, id text, at text, skipped bigint, budget bigint)
RETURNS TABLE (entries bigint, kind text, record text, content bytea)
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
        SELECT 'current' AS kind, memory.describe(subject) AS record, subject.content, subject.metadata, 1 AS part, 0 AS place
        WHERE subject.memory_id IS NOT NULL
        UNION ALL
        SELECT 'earlier', CAST(jsonb_build_object(
                'memory_id', r.memory_id, 'revision', r.revision, 'metadata', r.metadata, 'session_id', r.session_id,
                'trust', r.trust, 'bytes', octet_length(r.content), 'occurred_at', memory.to_micros(r.occurred_at),
                'written_at', memory.to_micros(r.written_at), 'replaced_at', memory.to_micros(r.replaced_at)
            ) AS text), r.content, r.metadata, 2, -r.revision
        FROM memory.memory_revisions AS r
        WHERE r.tenant_id = tenant AND r.memory_id = subject.memory_id
        UNION ALL
        SELECT 'apart', memory.describe(m), m.content, m.metadata, 3,
            CAST(row_number() OVER (ORDER BY m.created_at, m.memory_id) AS integer)
        FROM memory.memories AS m
        WHERE m.tenant_id = tenant
          AND (m.near_id = subject.memory_id OR m.memory_id = subject.near_id)
          AND (m.expires_at IS NULL OR m.expires_at > moment)
    ), ranked AS (
        SELECT t.*, count(*) OVER () AS entries, row_number() OVER (ORDER BY t.part, t.place) AS rank FROM told AS t
    ), weighed AS (
        SELECT r.*, sum(memory.weight(r.content, r.metadata)) OVER (ORDER BY r.rank) AS total FROM ranked AS r WHERE r.rank > skipped
    )
    SELECT w.entries, w.kind, w.record, CASE WHEN w.total <= budget THEN convert_to(w.content, 'UTF8') END
    FROM weighed AS w
    WHERE w.total <= budget OR w.rank = skipped + 1
    ORDER BY w.rank;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.weight(text, text),
    memory.search(text, text, text, bigint),
    memory.fetch(text, text, text, bigint),
    memory.read_content(text, text, bigint, bigint, bigint),
    memory.list(text, text, bigint),
    memory.history(text, text, text, bigint, bigint)
TO memory_rw;
