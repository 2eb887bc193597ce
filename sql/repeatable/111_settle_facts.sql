-- How beliefs follow the rule of 110: each that changed ends, and another one begins.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What follows from all that was said of one (user, agent, subject, predicate), and of one value where a predicate may have
-- many: a row for each statement, which is a fact of its own (`holds`, or without effect: outranked or superseded) or says
-- what another one says (`merged`, by that). `owner_id` is what was known as its fact so far. Of a fact that was said for
-- different purposes `views` has for each of these what was said for it. Apart from the writing, since these sets are joined
-- by hash, and tables must not be.
CREATE OR REPLACE FUNCTION memory.fact_beliefs(
    tenant text, of_user text, of_agent text, of_subject uuid, of_predicate uuid, of_value uuid
)
RETURNS TABLE (
    fact_id uuid, valid_from timestamptz, valid_to timestamptz, state text, by_id uuid, said_by uuid, purposes text[],
    expires_at timestamptz, views memory.fact_view[], owner_id uuid
)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH walked AS MATERIALIZED (
        SELECT w.run, w.same, w.joined, w.kept, w.outranked, w.cut, w.cut_by, f.fact_id, f.said, f.valid_from,
            least(f.valid_to, f.closed_at) AS valid_to, f.purposes, f.expires_at, f.owner_id,
            first_value(f.fact_id) OVER (PARTITION BY w.run, f.value_key ORDER BY f.said) AS leader
        FROM memory.fact_walk(tenant, of_user, of_agent, of_subject, of_predicate, of_value) AS w
        CROSS JOIN LATERAL (
            SELECT * FROM memory.facts AS each WHERE each.tenant_id = tenant AND each.fact_id = w.fact_id OFFSET 0
        ) AS f
    ), led AS (
        SELECT DISTINCT w.run, w.leader FROM walked AS w WHERE w.same
    ), heard AS (
        SELECT w.run, array_agg(DISTINCT purpose ORDER BY purpose) AS purposes
        FROM walked AS w
        CROSS JOIN unnest(w.purposes) AS purpose
        WHERE w.joined
        GROUP BY w.run
    ), mixed AS (
        SELECT w.run, min(h.purposes) AS purposes
        FROM walked AS w
        JOIN heard AS h ON h.run = w.run
        WHERE w.kept
        GROUP BY w.run
        HAVING count(DISTINCT w.purposes) > 1
    ), overheard AS ( -- each statement by those who hear it, and whether a stretch of what they hear begins with it
        SELECT w.*, one.purpose, w.joined AND w.valid_from > coalesce(
            max(w.valid_to) FILTER (WHERE w.joined) OVER (PARTITION BY w.run, one.purpose ORDER BY w.valid_from
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '-infinity') AS begins
        FROM walked AS w
        JOIN mixed AS m ON m.run = w.run
        CROSS JOIN LATERAL (
            SELECT DISTINCT each AS purpose FROM unnest(CASE w.purposes WHEN '{}' THEN m.purposes ELSE w.purposes END) AS each
        ) AS one
        WHERE w.kept
    ), stretched AS (
        SELECT o.*, count(*) FILTER (WHERE o.begins) OVER (PARTITION BY o.run, o.purpose ORDER BY o.valid_from) AS stretch,
            CASE WHEN bool_and(o.expires_at IS NOT NULL) OVER of_purpose THEN max(o.expires_at) OVER of_purpose END AS upto
        FROM overheard AS o
        WINDOW of_purpose AS (PARTITION BY o.run, o.purpose)
    ), beside AS (
        SELECT s.run, s.purpose, s.stretch, array_agg(DISTINCT other ORDER BY other) AS purposes
        FROM stretched AS s
        CROSS JOIN unnest(s.purposes || s.purpose) AS other
        WHERE s.joined
        GROUP BY s.run, s.purpose, s.stretch
    ), seen AS (
        SELECT s.run, s.purpose, max(s.said) AS said, min(s.valid_from) AS valid_from,
            least(max(s.valid_to), max(s.cut)) AS valid_to, (array_agg(s.fact_id ORDER BY s.said DESC))[1] AS said_by,
            min(b.purposes) AS purposes, max(s.upto) AS upto
        FROM stretched AS s
        JOIN beside AS b ON b.run = s.run AND b.purpose = s.purpose AND b.stretch = s.stretch
        WHERE s.joined
        GROUP BY s.run, s.purpose, s.stretch
    ), viewed AS (
        SELECT s.run, array_agg(CAST(ROW(s.purpose, s.valid_from, s.valid_to, s.said_by, s.purposes, s.upto) AS memory.fact_view)
            ORDER BY s.said, s.purpose, s.valid_from) AS views
        FROM seen AS s
        GROUP BY s.run
    ), told AS (
        SELECT w.leader AS fact_id, min(w.valid_from) FILTER (WHERE w.joined) AS valid_from,
            least(max(w.valid_to) FILTER (WHERE w.joined), max(w.cut)) AS valid_to, 'holds' AS state,
            max(CAST(by_run.leader AS text)) AS by_id,
            (array_agg(w.fact_id ORDER BY w.said DESC) FILTER (WHERE w.joined))[1] AS said_by,
            coalesce(max(h.purposes), '{}') AS purposes,
            CASE WHEN bool_and(w.expires_at IS NOT NULL) FILTER (WHERE w.kept)
                THEN max(w.expires_at) FILTER (WHERE w.kept) END AS expires_at,
            max(s.views) AS views
        FROM walked AS w
        LEFT JOIN led AS by_run ON by_run.run = w.cut_by
        LEFT JOIN heard AS h ON h.run = w.run
        LEFT JOIN viewed AS s ON s.run = w.run
        WHERE w.same
        GROUP BY w.run, w.leader
        UNION ALL
        SELECT * FROM (SELECT DISTINCT ON (w.leader) w.leader, CAST(NULL AS timestamptz), CAST(NULL AS timestamptz),
            CASE WHEN bool_and(w.outranked) OVER (PARTITION BY w.leader) THEN 'outranked' ELSE 'superseded' END,
            CAST(l.leader AS text), w.fact_id, w.purposes, w.expires_at, CAST(NULL AS memory.fact_view[])
        FROM walked AS w
        JOIN led AS l ON l.run = w.run
        WHERE NOT w.same
        ORDER BY w.leader, w.said DESC) AS without_effect
        UNION ALL
        SELECT w.fact_id, NULL, NULL, 'merged', CAST(w.leader AS text), w.fact_id, w.purposes, w.expires_at, NULL
        FROM walked AS w
        WHERE w.fact_id <> w.leader
    )
    SELECT t.fact_id, t.valid_from, t.valid_to, t.state, CAST(t.by_id AS uuid), t.said_by, t.purposes, t.expires_at,
        coalesce(t.views, '{}'), w.owner_id
    FROM told AS t
    JOIN walked AS w ON w.fact_id = t.fact_id;
END $$;

-- `cause` is what was done: asserted, retracted or restored. Why a belief changed follows from what it was and is:
-- another value closed it (superseded), something more trusted stands in its way (outranked), it says what another fact
-- says (merged), less is said of it than before (corrected), or what stood in its way is gone (restored).
-- One row at a time: under row-level security the planner would, by what it guesses, rather read all of the tenant's.
CREATE OR REPLACE FUNCTION memory.settle_facts(
    tenant text, of_user text, of_agent text, of_subject uuid, of_predicate uuid, of_value uuid, known timestamptz, cause text
) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    each record;
BEGIN
    FOR each IN
        SELECT t.*, CASE t.state WHEN 'merged' THEN t.by_id ELSE t.fact_id END AS now_of,
            (t.state <> 'merged' OR v.fact_id IS NOT NULL)
            AND (v.fact_id IS NULL
                OR (t.valid_from, t.valid_to, t.by_id, t.said_by, t.purposes, t.expires_at, t.views)
                    IS DISTINCT FROM (v.valid_from, v.valid_to, v.by_id, v.said_by, v.purposes, v.expires_at, v.views)) AS changed,
            CASE
                WHEN t.state <> 'holds' THEN t.state
                WHEN cause <> 'asserted' AND (v.valid_to IS NULL OR t.valid_to > v.valid_to) THEN 'restored'
                WHEN v.valid_to IS NULL THEN 'asserted'
                WHEN t.by_id IS NOT NULL AND (t.valid_to < v.valid_to OR t.by_id <> v.by_id) THEN 'superseded'
                WHEN t.valid_to < v.valid_to OR t.valid_from > v.valid_from THEN 'corrected'
                WHEN cause = 'retracted' THEN 'corrected' -- some of what it was based on
                ELSE cause
            END AS why
        FROM memory.fact_beliefs(tenant, of_user, of_agent, of_subject, of_predicate, of_value) AS t
        LEFT JOIN LATERAL (
            SELECT had.* FROM memory.fact_versions AS had
            WHERE had.tenant_id = tenant AND had.fact_id = t.fact_id AND had.known_to = 'infinity'
            OFFSET 0
        ) AS v ON true
    LOOP
        IF each.now_of <> each.owner_id THEN
            UPDATE memory.facts AS f SET owner_id = each.now_of WHERE f.tenant_id = tenant AND f.fact_id = each.fact_id;
        END IF;
        CONTINUE WHEN NOT each.changed;
        UPDATE memory.fact_versions AS v SET known_to = known
        WHERE v.tenant_id = tenant AND v.fact_id = each.fact_id AND v.known_to = 'infinity';
        INSERT INTO memory.fact_versions (tenant_id, fact_id, known_from, user_id, valid_from, valid_to, why, by_id, said_by,
            purposes, expires_at, views)
        VALUES (tenant, each.fact_id, known, of_user, each.valid_from, each.valid_to, each.why, each.by_id, each.said_by,
            each.purposes, each.expires_at, each.views);
    END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fact_beliefs(text, text, text, uuid, uuid, uuid),
    memory.settle_facts(text, text, text, uuid, uuid, uuid, timestamptz, text)
TO memory_rw;
