-- The end of a change from one embedding model to another: the vectors of the one before go, see ADR 24.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Takes away up to `at_most` vectors of a model, and once none is left what memories say of lacking some: how many went.
CREATE OR REPLACE FUNCTION memory.remove_model(tenant text, model text, at_most bigint) RETURNS TABLE (removed bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms'
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    WITH doomed AS (
        SELECT c.agent_id, c.namespace_key, c.memory_id, c.ordinal FROM memory.chunks AS c
        WHERE c.tenant_id = tenant AND c.model = remove_model.model
        ORDER BY c.agent_id, c.namespace_key, c.memory_id, c.ordinal LIMIT at_most
    ), gone AS (
        DELETE FROM memory.chunks AS c USING doomed AS d
        WHERE c.tenant_id = tenant AND c.model = remove_model.model AND c.agent_id = d.agent_id
          AND c.namespace_key = d.namespace_key AND c.memory_id = d.memory_id AND c.ordinal = d.ordinal
        RETURNING 1
    )
    SELECT count(*) INTO removed FROM gone;
    IF removed < at_most THEN
        UPDATE memory.memories AS m SET pending = array_remove(m.pending, remove_model.model)
        WHERE m.tenant_id = tenant AND m.awaits AND remove_model.model = ANY (m.pending);
    END IF;
    RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION memory.remove_model(text, text, bigint) TO memory_rw;
