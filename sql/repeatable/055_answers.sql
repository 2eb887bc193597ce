-- Idempotency keys: what the first request with a key did is what every repetition of it is told.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What a request with this key did before; null when this is the first one, whose place is taken with that. A second
-- one that runs beside the first waits here for its end. `answer` is null for a request without a key.
CREATE OR REPLACE FUNCTION memory.first_answer(tenant text, answer jsonb, at timestamptz) RETURNS memory.answers
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
#variable_conflict use_column
DECLARE
    stored memory.answers;
BEGIN
    IF answer ->> 'scope' IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM memory.answers AS a
    WHERE a.tenant_id = tenant AND a.scope IN (
        SELECT lapsed.scope FROM memory.answers AS lapsed
        WHERE lapsed.tenant_id = tenant AND lapsed.lapses_at <= at AND lapsed.scope <> answer ->> 'scope'
        LIMIT 20
    ) OR a.tenant_id = tenant AND a.scope = answer ->> 'scope' AND a.lapses_at <= at;
    INSERT INTO memory.answers (tenant_id, scope, request_hash, lapses_at)
    VALUES (tenant, answer ->> 'scope', answer ->> 'request_hash', CAST(answer ->> 'lapses_at' AS timestamptz))
    ON CONFLICT (tenant_id, scope) DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO stored FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = answer ->> 'scope';
    RETURN stored;
END $$;

-- Keeps what the request did, in the transaction that did it.
CREATE OR REPLACE FUNCTION memory.keep_answer(tenant text, answer jsonb, outcome text, agents text[]) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE memory.answers AS a
    SET outcome = keep_answer.outcome, agents = keep_answer.agents
    WHERE a.tenant_id = tenant AND a.scope = answer ->> 'scope';
END $$;

GRANT EXECUTE ON FUNCTION
    memory.first_answer(text, jsonb, timestamptz),
    memory.keep_answer(text, jsonb, text, text[])
TO memory_rw;
