-- What of a belief is told to whom: what was said for other purposes alone is not there for a reader.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- A belief as those may see it who hear what was said for `heard`, at a valid time, or else by the last words they hear; null
-- when they may not see it. The fact that closed it is named to those who see that one. The same stands in
-- domain/fact_beliefs.py (`seen`).
CREATE OR REPLACE FUNCTION memory.fact_seen(v memory.fact_versions, heard text[], as_of timestamptz) RETURNS memory.fact_versions
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    last record;
BEGIN
    IF v.views <> '{}' THEN
        SELECT w.* INTO last FROM unnest(v.views) WITH ORDINALITY AS w
        WHERE w.purpose = ANY (heard) AND (as_of IS NULL OR w.valid_from <= as_of AND w.valid_to > as_of)
        ORDER BY w.ordinality DESC LIMIT 1;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        v.valid_from = last.valid_from;
        v.valid_to = last.valid_to;
        v.said_by = last.said_by;
        v.purposes = last.purposes;
        v.expires_at = last.expires_at;
        v.views = '{}';
    ELSIF v.purposes <> '{}' AND NOT v.purposes && heard THEN
        RETURN NULL;
    END IF;
    IF v.by_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM memory.fact_versions AS other
        WHERE other.tenant_id = v.tenant_id AND other.fact_id = v.by_id AND other.known_to = 'infinity'
          AND (other.purposes = '{}' OR other.purposes && heard)
    ) THEN
        v.by_id = NULL;
    END IF;
    RETURN v;
END $$;

-- A belief as the one sees it who has just said `own` of it. Where own words are without effect on what others are told for
-- their purposes, they say what a fact says, and that is all that is told.
CREATE OR REPLACE FUNCTION memory.fact_told(v memory.fact_versions, own memory.facts) RETURNS memory.fact_versions
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    seen memory.fact_versions = memory.fact_seen(v, own.purposes, NULL);
BEGIN
    IF seen.fact_id IS NULL THEN
        v.valid_from = NULL;
        v.valid_to = NULL;
        v.why = 'merged';
        v.by_id = NULL;
        v.said_by = own.fact_id;
        v.purposes = own.purposes;
        v.expires_at = own.expires_at;
        v.views = '{}';
        RETURN v;
    END IF;
    RETURN seen;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fact_seen(memory.fact_versions, text[], timestamptz),
    memory.fact_told(memory.fact_versions, memory.facts)
TO memory_rw;
