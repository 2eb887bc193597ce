-- Deleting is physical: the rows go with the call, and with the next vacuum what was in their pages and in the graphs.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, answer}. One row: whether there was such a memory, and the hash of the first request with this
-- idempotency key when there was one.
CREATE OR REPLACE FUNCTION memory.delete(tenant text, id text, request text)
RETURNS TABLE (deleted boolean, replayed text)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    first memory.answers;
    found_live boolean;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT true, first.request_hash;
        RETURN;
    END IF;
    DELETE FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id = CAST(id AS uuid)
    RETURNING m.expires_at IS NULL OR m.expires_at > at INTO found_live;
    found_live = coalesce(found_live, false);
    IF NOT found_live THEN -- a refusal is not this transaction's to remember
        DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = asked #>> '{answer,scope}';
    END IF;
    RETURN QUERY SELECT found_live, CAST(NULL AS text);
END $$;

-- Memories of an agent, as many as have `at_most` chunks and at least one; the caller repeats it until nothing is left.
CREATE OR REPLACE FUNCTION memory.purge_agent(tenant text, agent text, at_most bigint) RETURNS TABLE (removed bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND agent = ANY (a.agents);
    DELETE FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id IN (
        SELECT counted.memory_id
        FROM (
            SELECT one.memory_id, one.chunk_count, sum(one.chunk_count) OVER (ORDER BY one.created_at, one.memory_id) AS total
            FROM memory.memories AS one WHERE one.tenant_id = tenant AND one.agent_id = agent
            ORDER BY one.created_at, one.memory_id LIMIT at_most
        ) AS counted
        WHERE counted.total <= at_most OR counted.total = counted.chunk_count
    );
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION memory.delete(text, text, text), memory.purge_agent(text, text, bigint) TO memory_rw;
