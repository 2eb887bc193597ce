-- One fact said for different purposes is told to each reader as far as it was said for theirs.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What a reader for one purpose knows of a belief, for a stretch of its time: whose words, for whom these were said as well.
CREATE TYPE memory.fact_view AS (
    purpose    text,
    valid_from timestamptz,
    valid_to   timestamptz,
    said_by    uuid,
    purposes   text[],
    expires_at timestamptz
);

-- In the order in which their words were said; empty where all that was said of the fact is for the same purposes.
ALTER TABLE memory.fact_versions ADD COLUMN views memory.fact_view[] NOT NULL DEFAULT '{}';
