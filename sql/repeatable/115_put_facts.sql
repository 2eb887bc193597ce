-- Saying facts: a bundle of one user in one call, whole or not at all.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, answer, user_id, items, most, patience_ms}. One row, JSON: {version, known_at, facts}; or {refused} with the
-- place of the first item whose cardinality is not that of its predicate, or {crowded} with that of the first of whose
-- predicate more than `most` statements would stand, and nothing is changed; or beside what an earlier request with this
-- idempotency key did, `replayed`, its hash.
CREATE OR REPLACE FUNCTION memory.put_facts(tenant text, request text, budget bigint) RETURNS TABLE (told bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    of_user constant text = asked ->> 'user_id';
    first memory.answers;
    bundle memory.fact_bundles;
    outcome jsonb;
    refused bigint;
    crowded bigint;
    scope record;
    -- Past this the caller has been told that nothing happened, so nothing may.
    deadline constant timestamptz = clock_timestamp() + CAST(asked ->> 'patience_ms' AS bigint) * interval '1 millisecond';
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        outcome = coalesce(CAST(nullif(first.outcome, '') AS jsonb), '{"ids": []}');
        RETURN QUERY SELECT convert_to(CAST(outcome || jsonb_build_object('replayed', first.request_hash, 'facts',
            memory.told_facts(tenant, outcome -> 'ids', CAST(outcome ->> 'known_at' AS timestamptz), budget)) AS text), 'UTF8');
        RETURN;
    END IF;
    bundle = memory.next_bundle(tenant, of_user, at);
    -- What has expired is gone for every reader already; it leaves the disk with the user's next write, or the tenant's.
    PERFORM memory.remove_expired_facts(tenant, of_user, at, 1000), memory.remove_expired_facts(tenant, NULL, at, 5);
    refused = memory.insert_facts(tenant, asked, bundle);
    IF refused IS NULL THEN
        crowded = memory.crowded_facts(tenant, asked, of_user, CAST(asked ->> 'most' AS bigint));
    END IF;
    IF coalesce(refused, crowded) IS NOT NULL THEN
        DELETE FROM memory.facts AS f
        WHERE f.tenant_id = tenant AND f.user_id = of_user AND f.said / 1000 = bundle.version;
        DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = asked #>> '{answer,scope}';
        RETURN QUERY SELECT convert_to(CAST(
            jsonb_strip_nulls(jsonb_build_object('refused', refused, 'crowded', crowded)) AS text), 'UTF8');
        RETURN;
    END IF;
    FOR scope IN
        SELECT DISTINCT f.agent_id, f.subject_key, f.predicate_key, CASE f.cardinality WHEN 'many' THEN f.value_key END AS value_key
        FROM memory.facts AS f
        WHERE f.tenant_id = tenant AND f.user_id = of_user AND f.said / 1000 = bundle.version
          AND f.subject_key IN (SELECT CAST(each ->> 'subject_key' AS uuid) FROM jsonb_array_elements(asked -> 'items') AS each)
    LOOP
        PERFORM memory.settle_facts(tenant, of_user, scope.agent_id, scope.subject_key, scope.predicate_key, scope.value_key,
            bundle.known_at, 'asserted');
    END LOOP;
    IF clock_timestamp() > deadline THEN
        RAISE EXCEPTION 'out of time' USING ERRCODE = 'query_canceled';
    END IF;
    outcome = jsonb_build_object('version', bundle.version, 'known_at', bundle.known_at, 'ids', (
        SELECT jsonb_agg(jsonb_build_object('id', f.owner_id, 'said', f.fact_id) ORDER BY item.place)
        FROM jsonb_array_elements(asked -> 'items') WITH ORDINALITY AS item (fields, place)
        CROSS JOIN LATERAL (
            SELECT each.owner_id, each.fact_id FROM memory.facts AS each
            WHERE each.tenant_id = tenant AND each.fact_id = CAST(item.fields ->> 'id' AS uuid)
            OFFSET 0
        ) AS f
    ));
    IF asked #>> '{answer,scope}' IS NOT NULL THEN
        PERFORM memory.keep_answer(tenant, asked -> 'answer', CAST(outcome AS text), ARRAY(
            SELECT DISTINCT each ->> 'agent_id' FROM jsonb_array_elements(asked -> 'items') AS each
            WHERE each ->> 'agent_id' IS NOT NULL));
    END IF;
    RETURN QUERY SELECT convert_to(CAST(outcome || jsonb_build_object('facts',
        memory.told_facts(tenant, outcome -> 'ids', bundle.known_at, budget)) AS text), 'UTF8');
END $$;

GRANT EXECUTE ON FUNCTION memory.put_facts(text, text, bigint) TO memory_rw;
