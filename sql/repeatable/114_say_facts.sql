-- Parts of every change of a user's facts.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- The next version of what is known of the user, and the lock of it until the transaction ends.
CREATE OR REPLACE FUNCTION memory.next_bundle(tenant text, of_user text, at timestamptz) RETURNS memory.fact_bundles
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
DECLARE
    bundle memory.fact_bundles;
BEGIN
    INSERT INTO memory.fact_bundles AS b (tenant_id, user_id, version, known_at) VALUES (tenant, of_user, 1, at)
    ON CONFLICT (tenant_id, user_id) DO UPDATE
    SET version = b.version + 1, known_at = greatest(b.known_at + interval '1 microsecond', excluded.known_at)
    RETURNING * INTO bundle;
    RETURN bundle;
END $$;

-- What became of the facts of a write, in order: JSON objects {id, superseded, fact}, read as they were believed then, so
-- that a repetition tells the same. `ids` are the facts' own, or {id, said} with the statement that was made: then that is told
-- which was said for its purposes as well. Past `budget` bytes a fact is null.
CREATE OR REPLACE FUNCTION memory.told_facts(tenant text, ids jsonb, known timestamptz, budget bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN (
        WITH asked AS MATERIALIZED ( -- an index is looked up by columns, and by no expression that could leak
            SELECT each.item, each.place, CAST(coalesce(each.item ->> 'id', each.item #>> '{}') AS uuid) AS id,
                CAST(each.item ->> 'said' AS uuid) AS said
            FROM jsonb_array_elements(ids) WITH ORDINALITY AS each (item, place)
        ), told AS (
            SELECT a.*, v.user_id, coalesce(own.purposes, v.purposes) AS heard,
                CAST(CAST(memory.describe_fact(v.version, f.fact) AS jsonb) || '{"known_to": null}' AS text) AS record -- then it had no end
            FROM asked AS a
            LEFT JOIN LATERAL (
                SELECT each AS fact, each.purposes FROM memory.facts AS each
                WHERE each.tenant_id = tenant AND each.fact_id = a.said
                OFFSET 0
            ) AS own ON true
            LEFT JOIN LATERAL (
                SELECT CASE WHEN a.said IS NULL THEN each ELSE memory.fact_told(each, own.fact) END AS version, each.user_id,
                    each.purposes
                FROM memory.fact_versions AS each
                WHERE each.tenant_id = tenant AND each.fact_id = a.id AND each.known_from <= known AND each.known_to > known
                OFFSET 0
            ) AS v ON true
            LEFT JOIN LATERAL (
                SELECT each AS fact FROM memory.facts AS each
                WHERE each.tenant_id = tenant AND each.fact_id = (v.version).said_by
                OFFSET 0
            ) AS f ON true
        )
        SELECT jsonb_agg(jsonb_build_object(
            'id', t.item,
            'superseded', (
                SELECT coalesce(jsonb_agg(v.fact_id ORDER BY v.valid_from, v.fact_id), '[]')
                FROM memory.fact_versions AS v
                WHERE v.tenant_id = tenant AND v.user_id = t.user_id AND v.by_id = t.id
                  AND v.known_from = known AND v.why = 'superseded' AND (v.purposes = '{}' OR v.purposes && t.heard)
            ),
            'fact', CASE WHEN t.weight <= budget THEN CAST(t.record AS jsonb) END
        ) ORDER BY t.place)
        FROM (SELECT *, sum(octet_length(record) * 2) OVER (ORDER BY place) AS weight FROM told) AS t
    );
END $$;

-- Keeps what was said, items numbered on behind the version. A predicate keeps the cardinality that it has: null, or the
-- place (from 0) of the first item that says another one, and nothing is kept.
CREATE OR REPLACE FUNCTION memory.insert_facts(tenant text, asked jsonb, bundle memory.fact_bundles) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    item record;
    known text;
BEGIN
    FOR item IN
        SELECT each.fields AS said, each.place FROM jsonb_array_elements(asked -> 'items') WITH ORDINALITY AS each (fields, place)
    LOOP
        SELECT f.cardinality INTO known FROM memory.facts AS f
        WHERE f.tenant_id = tenant AND f.user_id = bundle.user_id
          AND f.subject_key = CAST(item.said ->> 'subject_key' AS uuid)
          AND f.predicate_key = CAST(item.said ->> 'predicate_key' AS uuid)
          AND f.agent_id IS NOT DISTINCT FROM item.said ->> 'agent_id'
          AND f.retracted_by IS NULL AND f.said / 1000 < bundle.version
        LIMIT 1;
        IF known <> item.said ->> 'cardinality' THEN
            DELETE FROM memory.facts AS f
            WHERE f.tenant_id = tenant AND f.user_id = bundle.user_id AND f.said / 1000 = bundle.version;
            RETURN item.place - 1;
        END IF;
        INSERT INTO memory.facts (tenant_id, fact_id, owner_id, user_id, agent_id, subject, predicate, subject_key, predicate_key,
            cardinality, value, value_key, valid_from, valid_to, said, trust, session_id, source_kind, source_id, metadata,
            purposes, expires_at, recorded_at)
        SELECT tenant, s.id, s.id, bundle.user_id, s.agent_id, s.subject, s.predicate, s.subject_key, s.predicate_key,
            coalesce(s.cardinality, known, 'one'), s.value, s.value_key,
            coalesce(s.valid_from, least(bundle.known_at, s.valid_to - interval '1 microsecond')),
            coalesce(s.valid_to, 'infinity'), bundle.version * 1000 + item.place, s.trust, s.session_id, s.source_kind,
            s.source_id, s.metadata, s.purposes, s.expires_at, bundle.known_at
        FROM jsonb_to_record(item.said) AS s (id uuid, agent_id text, subject text, predicate text, subject_key uuid,
            predicate_key uuid, cardinality text, value text, value_key uuid, valid_from timestamptz, valid_to timestamptz,
            trust text, session_id text, source_kind text, source_id text, metadata text, purposes text[],
            expires_at timestamptz);
    END LOOP;
    RETURN NULL;
END $$;

-- The place (from 0) of the first item of whose predicate more would stand than `most`: every change looks at all of that.
CREATE OR REPLACE FUNCTION memory.crowded_facts(tenant text, asked jsonb, of_user text, most bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN (
        SELECT min(scope.place) - 1
        FROM (
            SELECT each.fields ->> 'agent_id' AS agent_id, CAST(each.fields ->> 'subject_key' AS uuid) AS subject_key,
                CAST(each.fields ->> 'predicate_key' AS uuid) AS predicate_key, min(each.place) AS place
            FROM jsonb_array_elements(asked -> 'items') WITH ORDINALITY AS each (fields, place)
            GROUP BY 1, 2, 3
        ) AS scope
        CROSS JOIN LATERAL (
            SELECT count(*) AS standing FROM memory.facts AS f
            WHERE f.tenant_id = tenant AND f.user_id = of_user AND f.subject_key = scope.subject_key
              AND f.predicate_key = scope.predicate_key AND f.agent_id IS NOT DISTINCT FROM scope.agent_id
              AND f.retracted_by IS NULL
            OFFSET 0
        ) AS f
        WHERE f.standing > most
    );
END $$;

GRANT EXECUTE ON FUNCTION
    memory.next_bundle(text, text, timestamptz),
    memory.told_facts(text, jsonb, timestamptz, bigint),
    memory.insert_facts(text, jsonb, memory.fact_bundles),
    memory.crowded_facts(text, jsonb, text, bigint)
TO memory_rw;
