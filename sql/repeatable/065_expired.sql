-- What has expired is gone for every reader; this takes it off the disk.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Removes up to `at_most` expired memories of the tenant: how many vectors they had.
CREATE OR REPLACE FUNCTION memory.remove_expired(tenant text, at text, at_most bigint, OUT vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    WITH gone AS (
        DELETE FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id IN (
            SELECT e.memory_id FROM memory.memories AS e
            WHERE e.tenant_id = tenant AND e.expires_at <= CAST(at AS timestamptz)
            LIMIT at_most FOR UPDATE SKIP LOCKED
        )
        RETURNING m.chunk_count
    )
    SELECT coalesce(sum(g.chunk_count), 0) INTO vectors FROM gone AS g;
END $$;

GRANT EXECUTE ON FUNCTION memory.remove_expired(text, text, bigint) TO memory_rw;
