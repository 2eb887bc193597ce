-- Taking a fact back, and back again.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` {now, answer, what, patience_ms}: `what` is retract (all that says what the fact says is taken back, and what it
-- closed holds on) or restore (it takes its place again, by the same rule as if it had never left). One row, JSON:
-- {state}, which is done, absent, already (it stands, or is taken back, as asked) or clash (its predicate has got another
-- cardinality meanwhile); when done, or `replayed`, with version, known_at and facts as in 115.
CREATE OR REPLACE FUNCTION memory.change_fact(tenant text, id text, request text, budget bigint) RETURNS TABLE (told bytea)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    at constant timestamptz = CAST(asked ->> 'now' AS timestamptz);
    retracts constant boolean = asked ->> 'what' = 'retract';
    target constant uuid = CAST(id AS uuid);
    deadline constant timestamptz = clock_timestamp() + CAST(asked ->> 'patience_ms' AS bigint) * interval '1 millisecond';
    first memory.answers;
    subject memory.facts;
    bundle memory.fact_bundles;
    changed bigint;
    outcome jsonb;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    first = memory.first_answer(tenant, asked -> 'answer', at);
    IF first.scope IS NOT NULL THEN
        outcome = coalesce(CAST(nullif(first.outcome, '') AS jsonb), '{"ids": []}');
        RETURN QUERY SELECT convert_to(CAST(outcome || jsonb_build_object('replayed', first.request_hash, 'facts',
            memory.told_facts(tenant, outcome -> 'ids', CAST(outcome ->> 'known_at' AS timestamptz), budget)) AS text), 'UTF8');
        RETURN;
    END IF;
    SELECT f.* INTO subject FROM memory.facts AS f
    WHERE f.tenant_id = tenant AND f.fact_id = target AND EXISTS (
        SELECT FROM memory.fact_versions AS v
        WHERE v.tenant_id = tenant AND v.fact_id = target AND v.known_to = 'infinity'
          AND (v.expires_at IS NULL OR v.expires_at > at)
    );
    IF subject.fact_id IS NULL THEN
        outcome = '{"state": "absent"}';
    ELSE
        bundle = memory.next_bundle(tenant, subject.user_id, at);
        IF NOT retracts AND EXISTS (
            SELECT FROM memory.facts AS f
            WHERE f.tenant_id = tenant AND f.user_id = subject.user_id AND f.subject_key = subject.subject_key
              AND f.predicate_key = subject.predicate_key AND f.agent_id IS NOT DISTINCT FROM subject.agent_id
              AND f.retracted_by IS NULL AND f.cardinality <> subject.cardinality
        ) THEN
            outcome = '{"state": "clash"}';
        ELSE
            UPDATE memory.facts AS f SET retracted_by = CASE WHEN retracts THEN target END
            WHERE f.tenant_id = tenant AND f.user_id = subject.user_id AND f.subject_key = subject.subject_key
              AND f.predicate_key = subject.predicate_key
              AND CASE WHEN retracts THEN f.retracted_by IS NULL AND (f.owner_id = target OR f.fact_id = target)
                  ELSE f.retracted_by = target END;
            GET DIAGNOSTICS changed = ROW_COUNT;
            outcome = jsonb_build_object('state', CASE changed WHEN 0 THEN 'already' ELSE 'done' END);
        END IF;
    END IF;
    IF outcome ->> 'state' <> 'done' THEN -- a refusal is not this transaction's to remember
        DELETE FROM memory.answers AS a WHERE a.tenant_id = tenant AND a.scope = asked #>> '{answer,scope}';
        RETURN QUERY SELECT convert_to(CAST(outcome AS text), 'UTF8');
        RETURN;
    END IF;
    IF retracts THEN
        INSERT INTO memory.fact_versions (tenant_id, fact_id, known_from, user_id, why, said_by, purposes, expires_at)
        SELECT tenant, target, bundle.known_at, v.user_id, 'retracted', v.said_by, v.purposes, v.expires_at
        FROM memory.fact_versions AS v
        WHERE v.tenant_id = tenant AND v.fact_id = target AND v.known_to = 'infinity';
        UPDATE memory.fact_versions AS v SET known_to = bundle.known_at
        WHERE v.tenant_id = tenant AND v.fact_id = target AND v.known_to = 'infinity' AND v.known_from < bundle.known_at;
    END IF;
    PERFORM memory.settle_facts(tenant, subject.user_id, subject.agent_id, subject.subject_key, subject.predicate_key,
        CASE subject.cardinality WHEN 'many' THEN subject.value_key END, bundle.known_at,
        CASE WHEN retracts THEN 'retracted' ELSE 'restored' END);
    SELECT outcome || jsonb_build_object('version', bundle.version, 'known_at', bundle.known_at,
        'ids', jsonb_build_array(CASE WHEN retracts THEN target ELSE f.owner_id END)) INTO outcome
    FROM memory.facts AS f WHERE f.tenant_id = tenant AND f.fact_id = target;
    IF clock_timestamp() > deadline THEN
        RAISE EXCEPTION 'out of time' USING ERRCODE = 'query_canceled';
    END IF;
    IF asked #>> '{answer,scope}' IS NOT NULL THEN
        PERFORM memory.keep_answer(tenant, asked -> 'answer', CAST(outcome AS text),
            CASE WHEN subject.agent_id IS NULL THEN '{}' ELSE ARRAY[subject.agent_id] END);
    END IF;
    RETURN QUERY SELECT convert_to(CAST(outcome || jsonb_build_object('facts',
        memory.told_facts(tenant, outcome -> 'ids', bundle.known_at, budget)) AS text), 'UTF8');
END $$;

GRANT EXECUTE ON FUNCTION memory.change_fact(text, text, text, bigint) TO memory_rw;
