-- The versions of a procedure, within a budget as in 123; and what an exchange of the embedding model asks of procedures.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, name, agent_id, before, limit}: the newest first, of the procedure that `get_procedure` reads, where `before`
-- is a version. `found` counts what the budget had no room for as well.
CREATE OR REPLACE FUNCTION memory.list_procedure_versions(tenant text, request text, budget bigint) RETURNS TABLE (
    agent_id text, name text, version bigint, record bytea, created_at bigint, updated_at bigint, expires_at bigint,
    found bigint)
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
    WITH told AS (
        SELECT page.*, sum(memory.weight('', page.record)) OVER (ORDER BY page.version DESC) AS total,
            row_number() OVER (ORDER BY page.version DESC) AS place, count(*) OVER () AS found
        FROM (
            SELECT v.* FROM memory.procedure_versions AS v
            WHERE v.tenant_id = tenant AND v.agent_id = head.agent_id AND v.name = head.name
              AND (NOT asked ? 'before' OR v.version < CAST(asked ->> 'before' AS bigint))
            ORDER BY v.version DESC LIMIT CAST(asked ->> 'limit' AS bigint)
        ) AS page
    )
    SELECT t.agent_id, t.name, CAST(t.version AS bigint), convert_to(t.record, 'UTF8'),
        memory.to_micros(head.created_at), memory.to_micros(t.created_at), memory.to_micros(head.expires_at), t.found
    FROM told AS t
    WHERE t.total <= budget OR t.place = 1
    ORDER BY t.place;
END $$;

-- For whoever exchanges the embedding model: procedures that lack a vector of it, and their phrases as a JSON array in the
-- order that `add_procedure_vectors` (120) takes vectors in. What it returns has to be embedded and added, or the procedure is found
-- by words alone once that model is the served one.
CREATE OR REPLACE FUNCTION memory.procedures_without(tenant text, model text, at_most bigint)
RETURNS TABLE (agent_id text, name text, version bigint, phrases text)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    SELECT p.agent_id, p.name, CAST(p.version AS bigint), (
        SELECT CAST(jsonb_agg(t.phrase ORDER BY t.ordinal) AS text) FROM memory.procedure_triggers AS t
        WHERE t.tenant_id = tenant AND t.agent_id = p.agent_id AND t.name = p.name)
    FROM memory.procedures AS p
    WHERE p.tenant_id = tenant AND EXISTS (
        SELECT FROM memory.procedure_triggers AS t
        WHERE t.tenant_id = tenant AND t.agent_id = p.agent_id AND t.name = p.name AND NOT EXISTS (
            SELECT FROM memory.procedure_vectors AS v
            WHERE v.tenant_id = tenant AND v.agent_id = t.agent_id AND v.name = t.name AND v.ordinal = t.ordinal
              AND v.model = procedures_without.model))
    ORDER BY p.agent_id, p.name LIMIT at_most;
END $$;

-- Vectors of a model that is no longer asked for, some at a time: how many are gone, 0 when none is left.
CREATE OR REPLACE FUNCTION memory.remove_procedure_vectors(tenant text, model text, at_most bigint, OUT vectors bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
BEGIN
    PERFORM memory.enter_tenant(tenant);
    DELETE FROM memory.procedure_vectors AS v
    WHERE v.tenant_id = tenant AND (v.agent_id, v.name, v.ordinal, v.model) IN (
        SELECT o.agent_id, o.name, o.ordinal, o.model FROM memory.procedure_vectors AS o
        WHERE o.tenant_id = tenant AND o.model = remove_procedure_vectors.model LIMIT at_most);
    GET DIAGNOSTICS vectors = ROW_COUNT;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.list_procedure_versions(text, text, bigint),
    memory.procedures_without(text, text, bigint),
    memory.remove_procedure_vectors(text, text, bigint)
TO memory_rw;
