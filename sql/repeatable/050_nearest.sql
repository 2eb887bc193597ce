-- The memories nearest to a vector, within one tenant: how the search is planned, what it runs, and the walk over it.
--
-- Which plan is taken never depends on the planner's statistics, which a new tenant or table does not have. Exact search
-- reads a tenant's own rows and nothing else; the graph is taken only where it is the cheaper one, and where it comes to
-- its end with less than was asked for, the exact plan answers.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which the settings of its own below may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

CREATE OR REPLACE FUNCTION memory.key_of(id text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    -- The hash that hash partitions are made with, so it stays what it is over every upgrade; 0 is kept for "none".
    RETURN CASE WHEN id IS NULL THEN 0 ELSE coalesce(nullif(hashtextextended(id COLLATE "C", 0), 0), 1) END;
END $$;

-- How many chunks are read exactly rather than through the graph. Exact search costs the rows that it reads; the graph
-- costs what it visits until enough of the tenant's rows came by, which is inverse to the tenant's share of its partition.
-- Both meet near the square root of a thousand times the partition's rows.
CREATE OR REPLACE FUNCTION memory.exact_bound(tenant text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    piece oid;
BEGIN
    SELECT c.tableoid INTO piece FROM memory.chunks AS c WHERE c.tenant_id = tenant LIMIT 1;
    RETURN (SELECT coalesce(max(greatest(2000, sqrt(1000 * greatest(p.reltuples, 0)))), 2000)
            FROM pg_class AS p WHERE p.oid = piece);
END $$;

-- What holds of every chunk that is looked at; $1 tenant, $3 model, $4 what is asked.
CREATE OR REPLACE FUNCTION memory.chunk_filter(asked jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 'c.tenant_id = $1 AND c.model = $3'
        || CASE WHEN asked ? 'agent_id' THEN ' AND c.agent_id = $4 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ? 'namespace_key' THEN ' AND c.namespace_key = CAST($4 ->> ''namespace_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'user_key' THEN ' AND c.user_key = CAST($4 ->> ''user_key'' AS bigint)' ELSE '' END
        || CASE WHEN asked ? 'session_key' THEN ' AND c.session_key = CAST($4 ->> ''session_key'' AS bigint)' ELSE '' END;
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
            ' WHERE e.tenant_id = $1 AND e.entry = CAST($4 #>> ''{entries,0}'' AS uuid)'
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
    RETURN format('SELECT near.* FROM (%s OFFSET 0) AS near ORDER BY near.distance LIMIT $5', rows_read);
END $$;

-- How many chunks a search of the scope (tenant, agent, namespace) would read, as far as `most`.
CREATE OR REPLACE FUNCTION memory.scope_size(tenant text, asked jsonb, most integer) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    size bigint;
BEGIN
    EXECUTE 'SELECT coalesce(sum(counted.chunk_count), 0) FROM (SELECT m.chunk_count FROM memory.memories AS m WHERE m.tenant_id = $1'
        || CASE WHEN asked ? 'agent_id' THEN ' AND m.agent_id = $3 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ?& ARRAY['agent_id', 'namespace'] THEN ' AND m.namespace = $3 ->> ''namespace''' ELSE '' END
        || ' LIMIT $2) AS counted'
        INTO size USING tenant, most, asked;
    RETURN size;
END $$;

-- The plan with the least to read: scope, what narrows it further, else the graph.
CREATE OR REPLACE FUNCTION memory.nearest_plan(tenant text, asked jsonb) RETURNS text
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    bound constant integer = memory.exact_bound(tenant);
    best text = 'graph';
    fewest integer = bound + 1;
    found integer;
    filter text;
BEGIN
    IF memory.scope_size(tenant, asked, fewest) <= bound THEN
        RETURN 'scope';
    END IF;
    FOREACH filter IN ARRAY ARRAY['user', 'session', 'metadata', 'time'] LOOP
        CONTINUE WHEN NOT CASE filter
            WHEN 'user' THEN asked ? 'user_id'
            WHEN 'session' THEN asked ? 'session_id'
            WHEN 'metadata' THEN asked #> '{entries,0}' IS NOT NULL
            ELSE asked ?| ARRAY['from', 'to']
        END;
        EXECUTE format('SELECT count(*) FROM (%s LIMIT $2) AS counted', memory.narrowed_sql(filter))
            INTO found USING tenant, fewest, CAST(NULL AS text), asked;
        IF found < fewest THEN
            best = filter;
            fewest = found;
        END IF;
    END LOOP;
    RETURN best;
END $$;

-- Whether a memory lives and is what was asked for, as far as its chunks cannot tell.
CREATE OR REPLACE FUNCTION memory.is_wanted(tenant text, candidate uuid, asked jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    found memory.memories;
BEGIN
    -- By the primary key alone: more conditions in here would tempt the planner to another index.
    SELECT * INTO found FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = candidate;
    RETURN found.memory_id IS NOT NULL
        AND (found.expires_at IS NULL OR found.expires_at > CAST(asked ->> 'now' AS timestamptz))
        AND (asked ->> 'from' IS NULL OR found.occurred_at >= CAST(asked ->> 'from' AS timestamptz))
        AND (asked ->> 'to' IS NULL OR found.occurred_at <= CAST(asked ->> 'to' AS timestamptz))
        AND (asked #> '{entries,0}' IS NULL OR NOT EXISTS (
            SELECT
            FROM jsonb_array_elements_text(asked -> 'entries') AS entry (hash)
            WHERE NOT EXISTS (
                SELECT
                FROM memory.metadata_entries AS e
                WHERE e.tenant_id = tenant AND e.entry = CAST(entry.hash AS uuid) AND e.memory_id = candidate
            )
        ));
END $$;

-- Up to `wanted` live memories within `reach`, nearest first, each by its nearest chunk.
CREATE OR REPLACE FUNCTION memory.nearest(
    tenant text, asked jsonb, query public.halfvec, model text, wanted integer, reach double precision
) RETURNS TABLE (memory_id uuid, ordinal integer, distance double precision)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET hnsw.ef_search = 100 SET hnsw.iterative_scan = relaxed_order AS $$
#variable_conflict use_column
DECLARE
    best constant text = memory.nearest_plan(tenant, asked);
    plan text;
    depth integer = 4 * wanted + 40; -- a few chunks of one memory, a few expired ones
    walk refcursor;
    near record;
    enough boolean;
    seen integer;
    ids uuid[];
    places integer[];
    distances double precision[];
BEGIN
    FOREACH plan IN ARRAY ARRAY[best, CASE best WHEN 'graph' THEN 'scope' ELSE best END] LOOP
        ids = '{}';
        places = '{}';
        distances = '{}';
        seen = 0;
        enough = false;
        -- Where sorting is ruled out only the graph gives an order, whatever it seems to cost.
        PERFORM set_config('enable_sort', CASE plan WHEN 'graph' THEN 'off' ELSE 'on' END, true);
        OPEN walk FOR EXECUTE memory.nearest_sql(plan, asked)
            USING tenant, query, model, asked, CASE plan WHEN 'graph' THEN NULL ELSE depth END;
        PERFORM set_config('enable_sort', 'on', true);
        LOOP
            FETCH walk INTO near;
            EXIT WHEN NOT FOUND;
            seen = seen + 1;
            enough = near.distance > reach;
            EXIT WHEN enough;
            CONTINUE WHEN near.memory_id = ANY (ids) OR NOT memory.is_wanted(tenant, near.memory_id, asked);
            ids = ids || near.memory_id;
            places = places || near.ordinal;
            distances = distances || near.distance;
            enough = cardinality(ids) = wanted;
            EXIT WHEN enough;
        END LOOP;
        CLOSE walk;
        -- An exact plan that read less than its depth has read everything.
        EXIT WHEN enough OR (plan <> 'graph' AND seen < coalesce(depth, seen + 1));
        depth = NULL;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(ids, places, distances) AS found (memory_id, ordinal, distance) ORDER BY distance, memory_id;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.key_of(text),
    memory.exact_bound(text),
    memory.chunk_filter(jsonb),
    memory.narrowed_sql(text),
    memory.nearest_sql(text, jsonb),
    memory.scope_size(text, jsonb, integer),
    memory.nearest_plan(text, jsonb),
    memory.nearest(text, jsonb, public.halfvec, text, integer, double precision),
    memory.is_wanted(text, uuid, jsonb)
TO memory_rw;
