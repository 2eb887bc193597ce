-- How a search for the nearest vectors is planned: by counting what there is to read, and never by the planner's statistics,
-- which a new tenant or table does not have.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- How many chunks are read exactly rather than by the approximation of the layout. In the quantised one that is as many as
-- its shortlist has. Beside a graph, exact search costs the rows that it reads; the graph
-- costs what it visits until enough of the tenant's rows came by, which is inverse to the tenant's share of its partition.
-- Both meet near the square root of a thousand times the partition's rows.
CREATE OR REPLACE FUNCTION memory.exact_bound(tenant text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    piece oid;
BEGIN
    IF memory.vector_layout() = 'quantized' THEN
        RETURN 200;
    END IF;
    SELECT c.tableoid INTO piece FROM memory.chunks AS c WHERE c.tenant_id = tenant LIMIT 1;
    RETURN (SELECT coalesce(max(greatest(2000, sqrt(1000 * greatest(p.reltuples, 0)))), 2000)
            FROM pg_class AS p WHERE p.oid = piece);
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

-- The plan with the least to read: scope, what narrows it further, else what the layout has, graph or bits. `asked` comes back with the rarest of
-- its metadata entries, and with the plan for when a graph falls short.
CREATE OR REPLACE FUNCTION memory.nearest_plan(tenant text, INOUT asked jsonb, OUT plan text)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    bound constant integer = memory.exact_bound(tenant);
    -- A row that is looked up by itself, its memory first, costs as much as several that are read in a row; and a graph that
    -- passes over what a filter leaves out finds enough soon, as long as the filter leaves some hundreds.
    most constant integer = CASE memory.vector_layout() WHEN 'quantized' THEN bound ELSE bound / 4 END;
    fewest integer = bound + 1;
    narrowest text = 'scope';
    found integer;
    narrowing record;
BEGIN
    IF asked ? 'exactly' THEN
        plan = 'scope';
        RETURN;
    END IF;
    plan = CASE memory.vector_layout() WHEN 'quantized' THEN 'bits' ELSE 'graph' END;
    IF memory.scope_size(tenant, asked, bound + 1) <= bound THEN
        plan = 'scope';
        RETURN;
    END IF;
    FOR narrowing IN
        SELECT 'user' AS name, asked AS told WHERE asked ? 'user_id'
        UNION ALL
        SELECT 'session', asked WHERE asked ? 'session_id'
        UNION ALL
        SELECT 'metadata', asked || jsonb_build_object('rarest', entry)
        FROM jsonb_array_elements(coalesce(asked -> 'entries', '[]')) AS entry
        UNION ALL
        SELECT 'time', asked WHERE asked ?| ARRAY['from', 'to']
    LOOP
        EXECUTE format('SELECT count(*) FROM (%s LIMIT $2) AS counted', memory.narrowed_sql(narrowing.name))
            INTO found USING tenant, fewest, CAST(NULL AS text), narrowing.told;
        IF found < fewest THEN
            narrowest = narrowing.name;
            asked = narrowing.told;
            fewest = found;
        END IF;
    END LOOP;
    IF fewest <= most THEN
        plan = narrowest;
    END IF;
    asked = asked || jsonb_build_object('otherwise', narrowest);
END $$;

GRANT EXECUTE ON FUNCTION
    memory.exact_bound(text),
    memory.scope_size(text, jsonb, integer),
    memory.nearest_plan(text, jsonb)
TO memory_rw;
