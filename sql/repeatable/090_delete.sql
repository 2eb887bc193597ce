-- Deleting is physical: the rows go with the call, and with the next vacuum what was in their pages and in the graphs.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What these return has grown: the functions of an earlier release go first.
DO $$ BEGIN
    IF pg_get_function_result(to_regprocedure('memory.delete(text,text,text)')) NOT LIKE '%vectors%' THEN
        DROP FUNCTION memory.delete(text, text, text), memory.purge_agent(text, text, bigint);
    END IF;
END $$;

-- `request` {now, answer}. One row: whether there was such a memory, the hash of the first request with this idempotency
-- key when there was one, and how many vectors are gone.
CREATE OR REPLACE FUNCTION memory.delete(tenant text, id text, request text)
RETURNS TABLE (deleted boolean, replayed text, vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    first memory.answers;
    found_live boolean;
    gone bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT true, first.request_hash, CAST(0 AS bigint);
        RETURN;
    END IF;
    DELETE FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id = CAST(id AS uuid)
    RETURNING m.expires_at IS NULL OR m.expires_at > at, m.chunk_count INTO found_live, gone;
    found_live = coalesce(found_live, false);
    IF NOT found_live THEN -- a refusal is not this transaction's to remember
        DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = asked #>> '{answer,scope}';
    END IF;
    RETURN QUERY SELECT found_live, CAST(NULL AS text), coalesce(gone, 0);
END $$;

-- Memories of an agent, as many as have `at_most` chunks and at least one, and how many vectors they had; the caller repeats it until nothing is left.
CREATE OR REPLACE FUNCTION memory.purge_agent(tenant text, agent text, at_most bigint) RETURNS TABLE (removed bigint, vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND agent = ANY (a.agents);
    WITH gone AS (
        DELETE FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id IN (
            SELECT counted.memory_id
            FROM (
                SELECT one.memory_id, one.chunk_count, sum(one.chunk_count) OVER (ORDER BY one.created_at, one.memory_id) AS total
                FROM memory.memories AS one WHERE one.tenant_id = tenant AND one.agent_id = agent
                ORDER BY one.created_at, one.memory_id LIMIT at_most
            ) AS counted
            WHERE counted.total <= at_most OR counted.total = counted.chunk_count
        )
        RETURNING m.chunk_count
    )
    SELECT count(*), coalesce(sum(g.chunk_count), 0) INTO removed, vectors FROM gone AS g;
    RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION memory.delete(text, text, text), memory.purge_agent(text, text, bigint) TO memory_rw;
