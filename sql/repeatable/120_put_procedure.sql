-- Writing procedures: one call, whole or not at all.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Vectors of the phrases of a procedure's newest version in one model, one a line, in the order of the phrases: how many are
-- new. Of another version than the newest, or of a procedure that is gone, nothing is added.
CREATE OR REPLACE FUNCTION memory.add_procedure_vectors(
    tenant text, agent text, procedure text, version bigint, model text, dimensions bigint, vectors text
) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    PERFORM FROM memory.procedures AS p
    WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure AND p.version = add_procedure_vectors.version
    FOR UPDATE; -- no other version comes while these are added
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO memory.procedure_vectors (tenant_id, agent_id, name, ordinal, model, dimensions, embedding)
    SELECT tenant, agent, procedure, line.place - 1, add_procedure_vectors.model, add_procedure_vectors.dimensions,
        CAST(line.words AS public.halfvec)
    FROM string_to_table(vectors, E'\n') WITH ORDINALITY AS line (words, place)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;

-- `request` {now, agent_id, name, content_key, user_id, purposes, expires_at, most, models, phrases, answer}, `record` the version
-- as it is kept, `vectors` those of the phrases, model by model. A new version, unless the newest says the same; then its expiry changes, and vectors
-- that it lacks are added. One row: {version, created, created_at, updated_at} as JSON; the hash of
-- the first request with this idempotency key when there was one, whose outcome this is; and by how many phrases the tenant
-- has more now, which is what counts of vectors, however many models make them. Past `most` procedures of one scope it fails with 54000.
CREATE OR REPLACE FUNCTION memory.put_procedure(tenant text, request text, record text, vectors text)
RETURNS TABLE (outcome text, replayed text, added bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    agent constant text = asked ->> 'agent_id';
    procedure constant text = asked ->> 'name';
    first memory.answers;
    head memory.procedures;
    same boolean;
    one record;
    lines constant text[] = string_to_array(vectors, E'\n');
    phrases constant bigint = jsonb_array_length(asked -> 'phrases');
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT first.outcome, first.request_hash, CAST(0 AS bigint);
        RETURN;
    END IF;
    added = -memory.remove_expired_procedures(tenant, agent, procedure, at);
    head = memory.lock_procedure(tenant, agent, procedure, at);
    same = head.content_key = asked ->> 'content_key';
    IF head.version = 0 AND (
        SELECT count(*) FROM (SELECT FROM memory.procedures AS p WHERE p.tenant_id = tenant AND p.agent_id = agent
            LIMIT CAST(asked ->> 'most' AS bigint) + 1) AS counted
    ) > CAST(asked ->> 'most' AS bigint) THEN
        RAISE EXCEPTION 'too many procedures' USING ERRCODE = 'program_limit_exceeded';
    END IF;
    IF NOT same THEN
        added = added + phrases - memory.renew_procedure(tenant, head, asked, record);
    END IF;
    UPDATE memory.procedures AS p SET expires_at = CAST(asked ->> 'expires_at' AS timestamptz)
    WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure
    RETURNING p.* INTO head;
    FOR one IN SELECT each.model, each.place FROM jsonb_array_elements(asked -> 'models') WITH ORDINALITY AS each (model, place) LOOP
        PERFORM memory.add_procedure_vectors(tenant, agent, procedure, head.version, one.model ->> 'model',
            CAST(one.model ->> 'dimensions' AS bigint),
            (SELECT string_agg(lines[line], E'\n' ORDER BY line)
             FROM generate_series((one.place - 1) * phrases + 1, one.place * phrases) AS line));
    END LOOP;
    outcome = CAST(jsonb_build_object('version', head.version, 'created', NOT same,
        'created_at', memory.to_micros(head.created_at), 'updated_at', memory.to_micros(head.updated_at)) AS text);
    PERFORM memory.keep_answer(tenant, asked -> 'answer', outcome, ARRAY[agent]);
    RETURN NEXT;
END $$;
GRANT EXECUTE ON FUNCTION
    memory.add_procedure_vectors(text, text, text, bigint, text, bigint, text),
    memory.put_procedure(text, text, text, text)
TO memory_rw;
