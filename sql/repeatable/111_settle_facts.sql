-- How beliefs follow the rule of 110: each that changed ends, and another one begins.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `cause` is what was done: asserted, retracted or restored. Why a belief changed follows from what it was and is:
-- another value closed it (superseded), something more trusted stands in its way (outranked), it says what another fact
-- says (merged), less is said of it than before (corrected), or what stood in its way is gone (restored).
CREATE OR REPLACE FUNCTION memory.settle_facts(
    tenant text, of_user text, of_agent text, of_subject uuid, of_predicate uuid, of_value uuid, known timestamptz, cause text
) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    WITH walked AS (
        SELECT w.run, w.same, w.joined, w.kept, w.outranked, w.cut, w.cut_by, f.fact_id, f.said, f.valid_from,
            least(f.valid_to, f.closed_at) AS valid_to, f.purposes, f.expires_at, f.owner_id,
            first_value(f.fact_id) OVER (PARTITION BY w.run, f.value_key ORDER BY f.said) AS leader
        FROM memory.fact_walk(tenant, of_user, of_agent, of_subject, of_predicate, of_value) AS w
        CROSS JOIN LATERAL (
            SELECT * FROM memory.facts AS each WHERE each.tenant_id = tenant AND each.fact_id = w.fact_id OFFSET 0
        ) AS f
    ), led AS (
        SELECT DISTINCT w.run, w.leader FROM walked AS w WHERE w.same
    ), moved AS (
        UPDATE memory.facts AS f SET owner_id = w.leader
        FROM walked AS w
        WHERE f.tenant_id = tenant AND f.fact_id = w.fact_id AND w.leader <> w.owner_id
    ), told AS (
        SELECT w.leader AS fact_id, min(w.valid_from) FILTER (WHERE w.joined) AS valid_from,
            least(max(w.valid_to) FILTER (WHERE w.joined), max(w.cut)) AS valid_to, 'holds' AS state,
            max(CAST(by_run.leader AS text)) AS by_id,
            (array_agg(w.fact_id ORDER BY w.said DESC) FILTER (WHERE w.joined))[1] AS said_by,
            ARRAY(
                SELECT DISTINCT purpose FROM walked AS all_of CROSS JOIN unnest(all_of.purposes) AS purpose
                WHERE all_of.run = w.run AND all_of.joined ORDER BY purpose
            ) AS purposes,
            CASE WHEN bool_and(w.expires_at IS NOT NULL) FILTER (WHERE w.kept)
                THEN max(w.expires_at) FILTER (WHERE w.kept) END AS expires_at
        FROM walked AS w
        LEFT JOIN led AS by_run ON by_run.run = w.cut_by
        WHERE w.same
        GROUP BY w.run, w.leader
        UNION ALL
        SELECT * FROM (SELECT DISTINCT ON (w.leader) w.leader, CAST(NULL AS timestamptz), CAST(NULL AS timestamptz),
            CASE WHEN bool_and(w.outranked) OVER (PARTITION BY w.leader) THEN 'outranked' ELSE 'superseded' END,
            CAST(l.leader AS text), w.fact_id, w.purposes, w.expires_at
        FROM walked AS w
        JOIN led AS l ON l.run = w.run
        WHERE NOT w.same
        ORDER BY w.leader, w.said DESC) AS without_effect
        UNION ALL
        SELECT w.fact_id, NULL, NULL, 'merged', CAST(w.leader AS text), w.fact_id, w.purposes, w.expires_at
        FROM walked AS w
        WHERE w.fact_id <> w.leader
    ), changed AS (
        SELECT t.fact_id, t.valid_from, t.valid_to, CAST(t.by_id AS uuid) AS by_id, t.said_by, t.purposes, t.expires_at,
            CASE
                WHEN t.state <> 'holds' THEN t.state
                WHEN cause <> 'asserted' AND (v.valid_to IS NULL OR t.valid_to > v.valid_to) THEN 'restored'
                WHEN v.valid_to IS NULL THEN 'asserted'
                WHEN t.by_id IS NOT NULL AND (t.valid_to < v.valid_to OR CAST(t.by_id AS uuid) <> v.by_id) THEN 'superseded'
                WHEN t.valid_to < v.valid_to OR t.valid_from > v.valid_from THEN 'corrected'
                WHEN cause = 'retracted' THEN 'corrected' -- some of what it was based on
                ELSE cause
            END AS why
        FROM told AS t
        LEFT JOIN memory.fact_versions AS v
            ON v.tenant_id = tenant AND v.fact_id = t.fact_id AND v.known_to = 'infinity'
        WHERE (t.state <> 'merged' OR v.fact_id IS NOT NULL)
          AND (v.fact_id IS NULL
            OR (t.valid_from, t.valid_to, CAST(t.by_id AS uuid), t.said_by, t.purposes, t.expires_at)
                IS DISTINCT FROM (v.valid_from, v.valid_to, v.by_id, v.said_by, v.purposes, v.expires_at))
    ), ended AS (
        UPDATE memory.fact_versions AS v SET known_to = known
        FROM changed AS c
        WHERE v.tenant_id = tenant AND v.fact_id = c.fact_id AND v.known_to = 'infinity'
    )
    INSERT INTO memory.fact_versions (tenant_id, fact_id, known_from, user_id, valid_from, valid_to, why, by_id, said_by,
        purposes, expires_at)
    SELECT tenant, c.fact_id, known, of_user, c.valid_from, c.valid_to, c.why, c.by_id, c.said_by, c.purposes, c.expires_at
    FROM changed AS c;
END $$;

GRANT EXECUTE ON FUNCTION memory.settle_facts(text, text, text, uuid, uuid, uuid, timestamptz, text) TO memory_rw;
