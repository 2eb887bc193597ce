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

-- `request` {now, agent_id, name, content_key, user_id, purposes, expires_at, most, model, dimensions, phrases, answer}, `record`
-- the version as it is kept, `vectors` those of the phrases. A new version, unless the newest says the same; then only its
-- expiry changes, and vectors that it lacks are added. One row: {version, created, created_at, updated_at} as JSON; the hash of
-- the first request with this idempotency key when there was one, whose outcome this is; and by how many vectors the tenant
-- has more now. Past `most` procedures of one scope it fails with 54000.
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
        added = added - memory.renew_procedure(tenant, head, asked, record);
    END IF;
    UPDATE memory.procedures AS p SET expires_at = CAST(asked ->> 'expires_at' AS timestamptz)
    WHERE p.tenant_id = tenant AND p.agent_id = agent AND p.name = procedure
    RETURNING p.* INTO head;
    added = added + memory.add_procedure_vectors(tenant, agent, procedure, head.version, asked ->> 'model',
        CAST(asked ->> 'dimensions' AS bigint), vectors);
    outcome = CAST(jsonb_build_object('version', head.version, 'created', NOT same,
        'created_at', memory.to_micros(head.created_at), 'updated_at', memory.to_micros(head.updated_at)) AS text);
    PERFORM memory.keep_answer(tenant, asked -> 'answer', outcome, ARRAY[agent]);
    RETURN NEXT;
END $$;
GRANT EXECUTE ON FUNCTION
    memory.add_procedure_vectors(text, text, text, bigint, text, bigint, text),
    memory.lock_procedure(text, text, text, timestamptz),
    memory.put_procedure(text, text, text, text)
TO memory_rw;
