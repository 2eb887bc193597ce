-- Storing: one call for one text or for a batch, whole or not at all.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Chunks of a memory, one a line, `starts_at ends_at [vector]`. When the memory is not there (its text was merged into
-- another one, which has its chunks) there is nothing to add to.
CREATE OR REPLACE FUNCTION memory.add_chunks(
    tenant text, id text, first_ordinal bigint, model text, dimensions bigint, chunks text
) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    INSERT INTO memory.chunks (tenant_id, memory_id, ordinal, agent_id, namespace_key, user_key, session_key,
        starts_at, ends_at, model, dimensions, embedding)
    SELECT m.tenant_id, m.memory_id, add_chunks.first_ordinal + line.place - 1, m.agent_id,
        memory.key_of(m.namespace), memory.key_of(m.user_id), memory.key_of(m.session_id),
        CAST(split_part(line.words, ' ', 1) AS integer), CAST(split_part(line.words, ' ', 2) AS integer),
        add_chunks.model, add_chunks.dimensions, CAST(split_part(line.words, ' ', 3) AS public.halfvec)
    FROM memory.memories AS m
    CROSS JOIN string_to_table(add_chunks.chunks, E'\n') WITH ORDINALITY AS line (words, place)
    WHERE m.tenant_id = add_chunks.tenant AND m.memory_id = CAST(add_chunks.id AS uuid);
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;

-- One text: merged into its twin, or a memory of its own. `chunks` are its lines, null when they follow by add_chunks.
CREATE OR REPLACE FUNCTION memory.store_one(
    tenant text, item jsonb, fresh text, model text, dimensions bigint, chunks text
) RETURNS jsonb
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    at constant timestamptz = CAST(item ->> 'now' AS timestamptz);
    -- A text of several chunks has no one vector; it merges with its equal only.
    query constant public.halfvec = CASE WHEN CAST(item ->> 'chunk_count' AS integer) = 1
        THEN CAST(split_part(chunks, ' ', 3) AS public.halfvec) END;
    twin record;
    target uuid = CAST(item ->> 'memory_id' AS uuid);
    stored memory.memories;
BEGIN
    IF CAST(item ->> 'dedupe' AS boolean) THEN
        SELECT * INTO twin FROM memory.twin(tenant, item, fresh, model, query);
    ELSE
        SELECT CAST(NULL AS uuid) AS same, CAST(NULL AS uuid) AS apart INTO twin;
    END IF;
    IF twin.same IS NOT NULL THEN
        target = twin.same;
        IF memory.merge_into(tenant, target, item, fresh) THEN
            DELETE FROM memory.chunks AS c
            WHERE c.tenant_id = tenant AND c.agent_id = item ->> 'agent_id'
              AND c.namespace_key = memory.key_of(item ->> 'namespace') AND c.memory_id = target;
            PERFORM memory.add_chunks(tenant, CAST(target AS text), 0, model, dimensions, chunks);
        END IF;
    ELSE
        INSERT INTO memory.memories (tenant_id, memory_id, agent_id, namespace, user_id, session_id, content, metadata,
            purposes, source_kind, source_id, trust, occurred_at, created_at, updated_at, expires_at, chunk_count,
            marks, words, near_id)
        VALUES (tenant, target, item ->> 'agent_id', item ->> 'namespace', item ->> 'user_id', item ->> 'session_id',
            fresh, coalesce(item ->> 'metadata', '{}'), coalesce(memory.texts(item -> 'purposes'), '{}'),
            item ->> 'source_kind', item ->> 'source_id', item ->> 'trust',
            coalesce(CAST(item ->> 'timestamp' AS timestamptz), at), at, at, CAST(item ->> 'expires_at' AS timestamptz),
            CAST(item ->> 'chunk_count' AS integer), memory.texts(item -> 'marks'), memory.texts(item -> 'words'),
            twin.apart);
        PERFORM memory.add_entries(tenant, target, item);
        IF chunks IS NOT NULL THEN
            PERFORM memory.add_chunks(tenant, CAST(target AS text), 0, model, dimensions, chunks);
        END IF;
    END IF;
    SELECT * INTO STRICT stored FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = target;
    RETURN CAST(memory.describe(stored) AS jsonb) - 'metadata'
        || jsonb_build_object('deduplicated', twin.same IS NOT NULL, 'near_id', stored.near_id);
END $$;

-- `request` {now, model, dimensions, answer, items}; the text of each item is the next `bytes` of `contents`, its chunks
-- are the next `lines` of `chunks`. One row: the outcomes as a JSON array in the order of the items, and the hash of the
-- first request with this idempotency key when there was one, whose outcomes these then are.
CREATE OR REPLACE FUNCTION memory.store(tenant text, request text, contents bytea, chunks text)
RETURNS TABLE (outcomes text, replayed text)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    lines constant text[] = string_to_array(chunks, E'\n');
    first memory.answers;
    item jsonb;
    scope_lock bigint;
    byte integer = 1;
    line integer = 1;
    results jsonb = '[]';
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT first.outcome, first.request_hash;
        RETURN;
    END IF;
    -- What has expired is gone for every reader already; it leaves the disk with the tenant's next writes.
    DELETE FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id IN (
        SELECT e.memory_id FROM memory.memories AS e WHERE e.tenant_id = tenant AND e.expires_at <= at LIMIT 20
    );
    -- Two writers of one scope would both find no twin. All scopes of a batch in one order, or two batches would
    -- wait for each other.
    FOR scope_lock IN
        SELECT DISTINCT hashtextextended(CAST(jsonb_build_array(tenant, each -> 'agent_id', each -> 'user_id', each -> 'namespace') AS text), 0)
        FROM jsonb_array_elements(asked -> 'items') AS each
        WHERE CAST(each ->> 'dedupe' AS boolean)
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(scope_lock);
    END LOOP;
    FOR item IN SELECT each || jsonb_build_object('now', asked -> 'now') FROM jsonb_array_elements(asked -> 'items') AS each LOOP
        results = results || jsonb_build_array(memory.store_one(
            tenant, item, convert_from(substring(contents FROM byte FOR CAST(item ->> 'bytes' AS integer)), 'UTF8'),
            asked ->> 'model', CAST(asked ->> 'dimensions' AS bigint),
            (SELECT string_agg(lines[place], E'\n' ORDER BY place)
             FROM generate_series(line, line + CAST(item ->> 'lines' AS integer) - 1) AS place)
        ));
        byte = byte + CAST(item ->> 'bytes' AS integer);
        line = line + CAST(item ->> 'lines' AS integer);
    END LOOP;
    IF asked #>> '{answer,scope}' IS NOT NULL THEN
        PERFORM memory.keep_answer(tenant, asked -> 'answer', CAST(results AS text),
            ARRAY(SELECT DISTINCT each ->> 'agent_id' FROM jsonb_array_elements(asked -> 'items') AS each));
    END IF;
    RETURN QUERY SELECT CAST(results AS text), CAST(NULL AS text);
END $$;

GRANT EXECUTE ON FUNCTION
    memory.add_chunks(text, text, bigint, text, bigint, text),
    memory.store_one(text, jsonb, text, text, bigint, text),
    memory.store(text, text, bytea, text)
TO memory_rw;
