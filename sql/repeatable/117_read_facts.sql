-- Reading what is known of a user.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- `request` as in memory.facts_at, with user_id; as_of and known_at are optional: by default what is known now of now, by
-- whichever clock is ahead, so that what another function said a moment ago holds. Rows up to `budget` bytes, at least one; each
-- says which times were meant, with which the next page goes on. STABLE, so that the bundle and the facts are of one moment.
CREATE OR REPLACE FUNCTION memory.list_facts(tenant text, request text, budget bigint)
RETURNS TABLE (id text, record bytea, more boolean, as_of bigint, known_at bigint)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    asked jsonb = jsonb_strip_nulls(CAST(request AS jsonb));
    latest timestamptz;
    moment timestamptz;
    known timestamptz;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    SELECT b.known_at INTO latest FROM memory.fact_bundles AS b WHERE b.tenant_id = tenant AND b.user_id = asked ->> 'user_id';
    moment = coalesce(CAST(asked ->> 'as_of' AS timestamptz), greatest(CAST(asked ->> 'now' AS timestamptz), latest));
    known = least(CAST(asked ->> 'known_at' AS timestamptz), latest); -- what will be known is not known yet
    IF known = latest THEN
        asked = asked - 'known_at';
    END IF;
    RETURN QUERY
    WITH page AS (
        SELECT k.version, memory.describe_fact(k.version, k.fact) AS record,
            row_number() OVER (ORDER BY (k.version).valid_from DESC, (k.version).fact_id DESC) AS place
        FROM memory.facts_at(tenant, asked ->> 'user_id', asked
            || jsonb_build_object('as_of', moment, 'limit', CAST(asked ->> 'limit' AS bigint) + 1)) AS k
    ), weighed AS (
        SELECT p.*, sum(octet_length(p.record) * 4 / 3 + 200) OVER (ORDER BY p.place) AS total, count(*) OVER () AS found FROM page AS p
    )
    SELECT CAST((w.version).fact_id AS text), convert_to(w.record, 'UTF8'), w.place < w.found, memory.to_micros(moment), memory.to_micros(known)
    FROM weighed AS w
    WHERE (w.total <= budget OR w.place = 1) AND w.place <= CAST(asked ->> 'limit' AS bigint)
    ORDER BY w.place;
END $$;

-- What was believed of a fact, the newest first, behind a belief (microseconds, or null); no rows when there is no such fact.
CREATE OR REPLACE FUNCTION memory.fact_history(tenant text, id text, at text, before bigint, top bigint, budget bigint)
RETURNS TABLE (record bytea, more boolean)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM memory.enter_tenant(tenant);
    RETURN QUERY
    WITH told AS (
        SELECT v.known_from, memory.describe_fact(v, f.fact) AS record
        FROM memory.fact_versions AS v
        CROSS JOIN LATERAL (
            SELECT each AS fact FROM memory.facts AS each WHERE each.tenant_id = tenant AND each.fact_id = v.said_by OFFSET 0
        ) AS f
        WHERE v.tenant_id = tenant AND v.fact_id = CAST(id AS uuid)
          AND (before IS NULL OR v.known_from < to_timestamp(0) + before * interval '1 microsecond')
          AND EXISTS (
              SELECT FROM memory.fact_versions AS last
              WHERE last.tenant_id = tenant AND last.fact_id = CAST(id AS uuid) AND last.known_to = 'infinity'
                AND (last.expires_at IS NULL OR last.expires_at > CAST(fact_history.at AS timestamptz))
          )
        ORDER BY v.known_from DESC
        LIMIT top + 1
    ), weighed AS (
        SELECT t.*, sum(octet_length(t.record) * 4 / 3 + 100) OVER (ORDER BY t.known_from DESC) AS total,
            row_number() OVER (ORDER BY t.known_from DESC) AS place, count(*) OVER () AS found
        FROM told AS t
    )
    SELECT convert_to(w.record, 'UTF8'), w.place < w.found FROM weighed AS w
    WHERE (w.total <= budget OR w.place = 1) AND w.place <= top ORDER BY w.place;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.list_facts(text, text, bigint),
    memory.fact_history(text, text, text, bigint, bigint, bigint)
TO memory_rw;
