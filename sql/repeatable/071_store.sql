-- Storing: one call for one text or for a batch, whole or not at all.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What it returns has grown: the function of an earlier release goes first.
DO $$ BEGIN
    IF pg_get_function_result(to_regprocedure('memory.store(text,text,bytea,text)')) NOT LIKE '%vectors%' THEN
        DROP FUNCTION memory.store(text, text, bytea, text);
    END IF;
END $$;

-- `request` {now, model, models, answer, items, patience_ms}; the text of each item is the next `bytes` of `contents`, its chunks
-- are the next `lines` of `chunks`. One row: the outcomes as a JSON array in the order of the items; what a single text was
-- merged into; the hash of the first request with this idempotency key when there was one, whose outcomes these are; and by how
-- many vectors the tenant has more now.
CREATE OR REPLACE FUNCTION memory.store(tenant text, request text, contents bytea, chunks text)
RETURNS TABLE (outcomes text, merged_record bytea, replayed text, vectors bigint)
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
    merged memory.memories;
    removed bigint;
    -- Past this the caller has been told that nothing happened, so nothing may.
    deadline constant timestamptz = clock_timestamp() + CAST(asked ->> 'patience_ms' AS bigint) * interval '1 millisecond';
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        RETURN QUERY SELECT first.outcome, CAST(NULL AS bytea), first.request_hash, CAST(0 AS bigint);
        RETURN;
    END IF;
    -- What has expired is gone for every reader already; it leaves the disk with the tenant's next writes.
    removed = memory.remove_expired(tenant, asked ->> 'now', 20);
    -- Two writers of one scope would both find no twin. All scopes of a batch in one order, or two batches would
    -- wait for each other. Locks belong to the whole database, and hashtext alone runs backwards: an id could be chosen
    -- that makes one tenant wait for another, or the schema function for a tenant. SHA-256 stands between.
    FOR scope_lock IN
        SELECT DISTINCT hashtextextended(encode(sha256(convert_to(CAST(jsonb_build_array(
            tenant, each -> 'agent_id', each -> 'user_id', each -> 'namespace') AS text), 'UTF8')), 'hex'), 0)
        FROM jsonb_array_elements(asked -> 'items') AS each
        WHERE CAST(each ->> 'dedupe' AS boolean)
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(scope_lock);
        IF clock_timestamp() > deadline THEN
            RAISE EXCEPTION 'out of time' USING ERRCODE = 'query_canceled';
        END IF;
    END LOOP;
    FOR item IN SELECT each || jsonb_build_object('now', asked -> 'now') FROM jsonb_array_elements(asked -> 'items') AS each LOOP
        results = results || jsonb_build_array(memory.store_one(
            tenant, item, convert_from(substring(contents FROM byte FOR CAST(item ->> 'bytes' AS integer)), 'UTF8'),
            asked ->> 'model', asked ->> 'models',
            (SELECT string_agg(lines[place], E'\n' ORDER BY place)
             FROM generate_series(line, line + CAST(item ->> 'lines' AS integer) - 1) AS place)
        ));
        byte = byte + CAST(item ->> 'bytes' AS integer);
        line = line + CAST(item ->> 'lines' AS integer);
    END LOOP;
    IF clock_timestamp() > deadline THEN
        RAISE EXCEPTION 'out of time' USING ERRCODE = 'query_canceled';
    END IF;
    IF asked #>> '{answer,scope}' IS NOT NULL THEN
        PERFORM memory.keep_answer(tenant, asked -> 'answer', CAST(results AS text),
            ARRAY(SELECT DISTINCT each ->> 'agent_id' FROM jsonb_array_elements(asked -> 'items') AS each));
    END IF;
    IF jsonb_array_length(results) = 1 AND CAST(results #>> '{0,deduplicated}' AS boolean) THEN
        SELECT * INTO merged FROM memory.memories AS m
        WHERE m.tenant_id = tenant AND m.memory_id = CAST(results #>> '{0,memory_id}' AS uuid);
    END IF;
    RETURN QUERY SELECT CAST(results AS text), convert_to(memory.describe(merged), 'UTF8'), CAST(NULL AS text),
        (SELECT CAST(sum(CAST(each ->> 'vectors' AS bigint)) AS bigint) FROM jsonb_array_elements(results) AS each) - removed;
END $$;

GRANT EXECUTE ON FUNCTION memory.store(text, text, bytea, text) TO memory_rw;
