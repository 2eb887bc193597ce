-- What is believed of a fact now is one row, however often that has changed; and what a fact closed is looked up by it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- The fact first: the tenant first, and the planner took this small index for whatever is asked of a user.
CREATE INDEX fact_versions_current_idx ON memory.fact_versions (fact_id, tenant_id) WHERE known_to = 'infinity';
CREATE INDEX fact_versions_by_idx ON memory.fact_versions (tenant_id, by_id, known_from) WHERE by_id IS NOT NULL;
-- Beliefs that ended stay as long as their fact is kept, and every write looks for what has expired.
DROP INDEX memory.fact_versions_expired_idx;
CREATE INDEX fact_versions_expired_idx ON memory.fact_versions (tenant_id, expires_at)
    WHERE known_to = 'infinity' AND expires_at IS NOT NULL;
