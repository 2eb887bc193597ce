-- What putting a procedure is made of, and removing procedures: physically, with all versions.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- The head of a procedure, locked; a new one has version 0. One that has expired is gone, with all its versions.
CREATE OR REPLACE FUNCTION memory.lock_procedure(tenant text, agent text, procedure text, at timestamptz) RETURNS memory.procedures
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    head memory.procedures;
BEGIN
    LOOP
        INSERT INTO memory.procedures (tenant_id, agent_id, name, version, content_key, created_at, updated_at)
        VALUES (tenant, agent, procedure, 0, '', at, at)
        ON CONFLICT (tenant_id, agent_id, name) DO NOTHING;
        SELECT * INTO head FROM memory.procedures AS p
        WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure FOR UPDATE;
        EXIT WHEN FOUND; -- else somebody deleted it in between
    END LOOP;
    RETURN head;
END $$;

-- Puts a version over the newest one of a locked procedure (see 120): how many phrases it had.
CREATE OR REPLACE FUNCTION memory.renew_procedure(tenant text, head memory.procedures, asked jsonb, written text) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    at constant timestamptz = greatest(CAST(asked ->> 'now' AS timestamptz), head.updated_at);
    gone bigint;
BEGIN
    DELETE FROM memory.procedure_triggers AS t
    WHERE t.tenant_id = tenant AND t.agent_id = head.agent_id AND t.name = head.name;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE memory.procedures AS p
    SET version = head.version + 1, content_key = asked ->> 'content_key', user_id = asked ->> 'user_id',
        purposes = memory.texts(asked -> 'purposes'), updated_at = at
    WHERE p.tenant_id = tenant AND p.agent_id = head.agent_id AND p.name = head.name;
    INSERT INTO memory.procedure_versions (tenant_id, agent_id, name, version, record, user_id, created_at)
    VALUES (tenant, head.agent_id, head.name, head.version + 1, written, asked ->> 'user_id', at);
    INSERT INTO memory.procedure_triggers (tenant_id, agent_id, name, ordinal, phrase, lexemes)
    SELECT tenant, head.agent_id, head.name, each.place - 1, each.phrase ->> 'text',
        ARRAY(SELECT CAST(lexeme AS bigint) FROM jsonb_array_elements_text(each.phrase -> 'lexemes') AS lexeme)
    FROM jsonb_array_elements(asked -> 'phrases') WITH ORDINALITY AS each (phrase, place);
    RETURN gone;
END $$;

-- Removes this procedure if it has expired, and some others that have: how many phrases they had.
CREATE OR REPLACE FUNCTION memory.remove_expired_procedures(
    tenant text, agent text, procedure text, at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    one record;
    gone bigint = 0;
BEGIN
    FOR one IN
        SELECT p.agent_id, p.name FROM memory.procedures AS p
        WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure AND p.expires_at <= at
        UNION
        (SELECT p.agent_id, p.name FROM memory.procedures AS p WHERE p.tenant_id = tenant AND p.expires_at <= at LIMIT 20)
    LOOP
        gone = gone + memory.remove_procedure(tenant, one.agent_id, one.name, at);
    END LOOP;
    RETURN gone;
END $$;

-- Removes a procedure, or only one that has expired at a time: how many phrases it had, and null when there was none.
CREATE OR REPLACE FUNCTION memory.remove_procedure(
    tenant text, agent text, procedure text, expired_at timestamptz DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM FROM memory.procedures AS p
    WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure
      AND (expired_at IS NULL OR p.expires_at <= expired_at)
    FOR UPDATE; -- from here on nobody adds a vector to it
    IF NOT FOUND THEN
        RETURN CASE WHEN expired_at IS NOT NULL THEN 0 END;
    END IF;
    SELECT count(*) INTO gone FROM memory.procedure_triggers AS t
    WHERE t.tenant_id = tenant AND t.agent_id = agent AND t.name = procedure;
    DELETE FROM memory.procedures AS p
    WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure;
    RETURN gone;
END $$;
GRANT EXECUTE ON FUNCTION
    memory.lock_procedure(text, text, text, timestamptz),
    memory.renew_procedure(text, memory.procedures, jsonb, text),
    memory.remove_expired_procedures(text, text, text, timestamptz),
    memory.remove_procedure(text, text, text, timestamptz)
TO memory_rw;
