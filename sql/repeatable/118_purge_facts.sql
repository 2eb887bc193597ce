-- Removing what an agent's purge removes, and reading what had no room in an answer.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Facts that only this agent knew, with their history, up to `at_most`: how many. What all agents of a user know stays.
CREATE OR REPLACE FUNCTION memory.purge_facts(tenant text, agent text, at_most bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    ids uuid[];
    users text[];
BEGIN
    PERFORM memory.enter_tenant(tenant);
    DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND agent = ANY (a.agents);
    SELECT array_agg(one.fact_id), array_agg(DISTINCT one.user_id) INTO ids, users
    FROM (
        SELECT f.fact_id, f.user_id FROM memory.facts AS f WHERE f.tenant_id = tenant AND f.agent_id = agent LIMIT at_most
    ) AS one;
    -- A change that is under way ends first, and whoever keeps the user's facts in mind hears of this.
    PERFORM FROM memory.fact_bundles AS b
    WHERE b.tenant_id = tenant AND b.user_id = ANY (users)
    ORDER BY b.user_id FOR UPDATE;
    UPDATE memory.fact_bundles AS b SET version = b.version + 1 WHERE b.tenant_id = tenant AND b.user_id = ANY (users);
    DELETE FROM memory.facts AS f WHERE f.tenant_id = tenant AND f.fact_id = ANY (ids);
    GET DIAGNOSTICS removed = ROW_COUNT;
END $$;

-- Facts of a write by their ids (a JSON array), as they were believed at a known time: JSON as in 114.
CREATE OR REPLACE FUNCTION memory.read_facts(tenant text, ids text, known_at text, budget bigint) RETURNS TABLE (told bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY SELECT convert_to(CAST(
        memory.told_facts(tenant, CAST(ids AS jsonb), CAST(known_at AS timestamptz), budget) AS text), 'UTF8');
END $$;

GRANT EXECUTE ON FUNCTION
    memory.purge_facts(text, text, bigint),
    memory.read_facts(text, text, text, bigint)
TO memory_rw;
