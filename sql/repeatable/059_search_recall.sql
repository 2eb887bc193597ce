-- Whether the approximation still finds what is nearest: both answers to one search, compared. The functions call it for a
-- share of the searches, after the answer, and tell a metric of it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Of `nearest` memories as many as were asked for (`request` as of memory.search), how many the search finds.
CREATE OR REPLACE FUNCTION memory.search_recall(tenant text, request text, query text) RETURNS TABLE (found bigint, nearest bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    asked constant jsonb = memory.asked_of(CAST(request AS jsonb));
    vector constant public.halfvec = CAST(query AS public.halfvec);
    top_k constant integer = CAST(asked ->> 'top_k' AS integer);
    reach constant double precision = CAST(asked ->> 'reach' AS double precision);
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH exact AS MATERIALIZED (
        SELECT n.memory_id FROM memory.nearest(tenant, asked || '{"exactly": true}', vector, asked ->> 'model', top_k, reach) AS n
    ), told AS MATERIALIZED (
        SELECT n.memory_id FROM memory.nearest(tenant, asked, vector, asked ->> 'model', top_k, reach) AS n
    )
    SELECT count(*) FILTER (WHERE e.memory_id IN (SELECT t.memory_id FROM told AS t)), count(*) FROM exact AS e;
END $$;

GRANT EXECUTE ON FUNCTION memory.search_recall(text, text, text) TO memory_rw;
