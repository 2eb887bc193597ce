-- Removing what an agent's purge removes, and reading what had no room in an answer.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Facts that only this agent knew, with their history, up to `at_most`: how many. What all agents of a user know stays.
CREATE OR REPLACE FUNCTION memory.purge_facts(tenant text, agent text, at_most bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND agent = ANY (a.agents);
    -- A change that is under way ends first, and a reader of the bundle hears of this.
    PERFORM memory.next_bundle(tenant, u.user_id, now())
    FROM (
        SELECT DISTINCT f.user_id FROM memory.facts AS f WHERE f.tenant_id = tenant AND f.agent_id = agent ORDER BY f.user_id
    ) AS u;
    DELETE FROM memory.facts AS f
    WHERE f.tenant_id = tenant AND f.fact_id IN (
        SELECT one.fact_id FROM memory.facts AS one WHERE one.tenant_id = tenant AND one.agent_id = agent LIMIT at_most
    );
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
