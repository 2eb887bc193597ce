-- Deleting procedures, by name and by agent.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, agent_id, name, answer}. One row: whether there was such a live procedure, the hash of the first request with
-- this idempotency key when there was one, and how many phrases are gone.
CREATE OR REPLACE FUNCTION memory.delete_procedure(tenant text, request text)
RETURNS TABLE (deleted boolean, replayed text, vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    first memory.answers;
    expired bigint;
    removed bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT true, first.request_hash, CAST(0 AS bigint);
        RETURN;
    END IF;
    expired = memory.remove_procedure(tenant, asked ->> 'agent_id', asked ->> 'name', at);
    removed = memory.remove_procedure(tenant, asked ->> 'agent_id', asked ->> 'name');
    IF removed IS NULL THEN -- a refusal is not this transaction's to remember
        DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = asked #>> '{answer,scope}';
    END IF;
    PERFORM memory.keep_answer(tenant, asked -> 'answer', '', ARRAY[asked ->> 'agent_id']);
    RETURN QUERY SELECT removed IS NOT NULL, CAST(NULL AS text), expired + coalesce(removed, 0);
END $$;

-- Up to `at_most` of an agent's own procedures, and how many phrases they had; the caller repeats it until nothing is left.
CREATE OR REPLACE FUNCTION memory.purge_procedures(tenant text, agent text, at_most bigint) RETURNS TABLE (removed bigint, vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    one record;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    removed = 0;
    vectors = 0;
    FOR one IN
        SELECT p.name FROM memory.procedures AS p
        WHERE p.tenant_id = tenant AND p.agent_id = agent AND agent <> '' ORDER BY p.name LIMIT at_most
    LOOP
        vectors = vectors + coalesce(memory.remove_procedure(tenant, agent, one.name), 0);
        removed = removed + 1;
    END LOOP;
    RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION memory.delete_procedure(text, text), memory.purge_procedures(text, text, bigint) TO memory_rw;
