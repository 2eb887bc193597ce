-- The pieces of a text with their vectors: where all of them come in.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Chunks of a memory, one a line, `place_of_model ordinal starts_at ends_at [vector]`; `models` is a JSON array of {name, dimensions}.
-- Those that are there already stay. When the memory is not there (its text was merged into another one, which has its
-- chunks) there is nothing to add to.
CREATE OR REPLACE FUNCTION memory.add_chunks(tenant text, id text, models text, chunks text) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    INSERT INTO memory.chunks (tenant_id, model, agent_id, namespace_key, memory_id, ordinal, user_key, session_key,
        purpose_mask, occurred_at, starts_at, ends_at, dimensions, embedding)
    SELECT m.tenant_id, of.model ->> 'name', m.agent_id, memory.key_of(m.namespace), m.memory_id,
        CAST(line.parts[2] AS integer), memory.key_of(m.user_id), memory.key_of(m.session_id),
        memory.purpose_mask(m.purposes), m.occurred_at, CAST(line.parts[3] AS integer), CAST(line.parts[4] AS integer),
        CAST(of.model ->> 'dimensions' AS integer), CAST(line.parts[5] AS public.halfvec)
    FROM memory.memories AS m
    CROSS JOIN (
        SELECT string_to_array(words, ' ') AS parts FROM string_to_table(add_chunks.chunks, E'\n') AS words OFFSET 0
    ) AS line
    CROSS JOIN LATERAL (SELECT CAST(add_chunks.models AS jsonb) -> CAST(line.parts[1] AS integer) AS model) AS of
    WHERE m.tenant_id = add_chunks.tenant AND m.memory_id = CAST(add_chunks.id AS uuid)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;

GRANT EXECUTE ON FUNCTION memory.add_chunks(text, text, text, text) TO memory_rw;
