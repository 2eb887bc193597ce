-- Facts that have expired are gone for every reader; this takes them off the disk.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Removes up to `at_most` expired facts of the tenant, or of one user, with their history, and tells how many. What an
-- expired fact closed, or stood in the way of, stays so: forgetting the newer value must not bring back the older one. A
-- user whose facts somebody is changing is passed over.
CREATE OR REPLACE FUNCTION memory.remove_expired_facts(tenant text, of_user text, at timestamptz, at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    each record;
    closed record;
    removed bigint = 0;
BEGIN
    FOR each IN
        SELECT v.fact_id, v.user_id FROM memory.fact_versions AS v
        WHERE v.tenant_id = tenant AND v.expires_at <= remove_expired_facts.at AND v.known_to = 'infinity'
          AND (of_user IS NULL OR v.user_id = of_user)
        LIMIT at_most
    LOOP
        PERFORM FROM memory.fact_bundles AS b
        WHERE b.tenant_id = tenant AND b.user_id = each.user_id
        FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        -- Another one may have said meanwhile that it is to be kept.
        PERFORM FROM memory.fact_versions AS v
        WHERE v.tenant_id = tenant AND v.fact_id = each.fact_id AND v.known_to = 'infinity'
          AND v.expires_at <= remove_expired_facts.at;
        CONTINUE WHEN NOT FOUND;
        FOR closed IN -- one at a time, as in 111
            SELECT v.fact_id, v.valid_to FROM memory.fact_versions AS v
            WHERE v.tenant_id = tenant AND v.user_id = each.user_id AND v.known_to = 'infinity' AND v.by_id = each.fact_id
              AND v.why <> 'merged'
        LOOP
            UPDATE memory.facts AS f SET closed_at = least(f.closed_at, coalesce(closed.valid_to, f.valid_from))
            WHERE f.tenant_id = tenant AND f.owner_id = closed.fact_id AND f.owner_id <> each.fact_id;
        END LOOP;
        DELETE FROM memory.facts AS f
        WHERE f.tenant_id = tenant AND (f.owner_id = each.fact_id OR f.fact_id = each.fact_id);
        removed = removed + 1;
    END LOOP;
    RETURN removed;
END $$;

GRANT EXECUTE ON FUNCTION memory.remove_expired_facts(text, text, timestamptz, bigint) TO memory_rw;
