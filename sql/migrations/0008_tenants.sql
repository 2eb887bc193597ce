-- Which tenants there are: what a migration loops over that changes rows. The owner obeys row-level security like
-- everybody, so an UPDATE that names no tenant changes nothing, and says so nowhere. Such a migration reads
--     FOR tenant IN SELECT memory.tenants() LOOP
--         PERFORM set_config('memory.tenant_id', tenant, true);
--         UPDATE memory.memories AS m SET ... WHERE m.tenant_id = tenant;
--     END LOOP;
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Tenants that have a memory (all other rows hang on one, but for answers, which lapse within a day). Only the owner may
-- lift FORCE, and while it is lifted its lock keeps everybody else from the table, until the transaction ends. One step
-- down the key for each tenant, not one for each row.
CREATE FUNCTION memory.tenants() RETURNS SETOF text
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    found text = '';
BEGIN
    ALTER TABLE memory.memories NO FORCE ROW LEVEL SECURITY;
    LOOP
        SELECT min(m.tenant_id) INTO found FROM memory.memories AS m WHERE m.tenant_id > found COLLATE "C";
        EXIT WHEN found IS NULL;
        RETURN NEXT found;
    END LOOP;
    ALTER TABLE memory.memories FORCE ROW LEVEL SECURITY;
END $$;
