-- Reading procedures. Lists give as many whole records as a weight of `budget` bytes holds, and one in any case; the caller
-- goes on behind the last.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, name, agent_id, version}: the agent's own procedure, else the one of all agents; without an agent that one.
-- No row when there is no such procedure, or no such version of it.
CREATE OR REPLACE FUNCTION memory.get_procedure(tenant text, request text) RETURNS TABLE (
    agent_id text, name text, version bigint, record bytea, created_at bigint, updated_at bigint, expires_at bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    head memory.procedures;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    SELECT * INTO head FROM memory.procedures AS p
    WHERE p.tenant_id = tenant AND p.name = asked ->> 'name' AND p.agent_id IN ('', coalesce(asked ->> 'agent_id', ''))
      AND p.version > 0 AND (p.expires_at IS NULL OR p.expires_at > CAST(asked ->> 'now' AS timestamptz))
    ORDER BY p.agent_id DESC LIMIT 1;
    RETURN QUERY
    SELECT v.agent_id, v.name, CAST(v.version AS bigint), convert_to(v.record, 'UTF8'),
        memory.to_micros(head.created_at), memory.to_micros(v.created_at), memory.to_micros(head.expires_at)
    FROM memory.procedure_versions AS v
    WHERE v.tenant_id = tenant AND v.agent_id = head.agent_id AND v.name = head.name
      AND v.version = coalesce(CAST(asked ->> 'version' AS bigint), head.version);
END $$;

-- `request` {now, agent_id, after_name, after_agent, limit}: what stands now, by name; with an agent what it may use, where its
-- own procedure hides the one of all agents. `found` counts what the budget had no room for as well.
CREATE OR REPLACE FUNCTION memory.list_procedures(tenant text, request text, budget bigint) RETURNS TABLE (
    agent_id text, name text, version bigint, record bytea, created_at bigint, updated_at bigint, expires_at bigint,
    found bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    agent constant text = asked ->> 'agent_id';
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH page AS (
        SELECT p.* FROM memory.procedures AS p
        WHERE p.tenant_id = tenant AND p.version > 0 AND (p.expires_at IS NULL OR p.expires_at > at)
          AND (p.name, p.agent_id) > (coalesce(asked ->> 'after_name', ''), coalesce(asked ->> 'after_agent', ''))
          AND (agent IS NULL OR p.agent_id = agent OR p.agent_id = '' AND NOT EXISTS (
              SELECT FROM memory.procedures AS own
              WHERE own.tenant_id = tenant AND own.agent_id = agent AND own.name = p.name AND own.version > 0
                AND (own.expires_at IS NULL OR own.expires_at > at)))
        ORDER BY p.name, p.agent_id LIMIT CAST(asked ->> 'limit' AS bigint)
    ), told AS (
        SELECT p.*, v.record, v.created_at AS written_at, count(*) OVER () AS found,
            sum(memory.weight('', v.record)) OVER (ORDER BY p.name, p.agent_id) AS total,
            row_number() OVER (ORDER BY p.name, p.agent_id) AS place
        FROM page AS p
        JOIN memory.procedure_versions AS v
          ON v.tenant_id = tenant AND v.agent_id = p.agent_id AND v.name = p.name AND v.version = p.version
    )
    SELECT t.agent_id, t.name, CAST(t.version AS bigint), convert_to(t.record, 'UTF8'), memory.to_micros(t.created_at),
        memory.to_micros(t.written_at), memory.to_micros(t.expires_at), t.found
    FROM told AS t
    WHERE t.total <= budget OR t.place = 1
    ORDER BY t.place;
END $$;

GRANT EXECUTE ON FUNCTION memory.get_procedure(text, text), memory.list_procedures(text, text, bigint) TO memory_rw;
