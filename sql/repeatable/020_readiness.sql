-- What the health route tells about the database: the newest migration, and how much long work is still to be done.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.readiness(OUT schema_version integer, OUT running_jobs integer)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    SELECT max(version) INTO schema_version FROM memory_admin.ledger;
    SELECT count(*) INTO running_jobs FROM memory_admin.schema_jobs WHERE state IN ('pending', 'running');
END $$;

GRANT EXECUTE ON FUNCTION memory.readiness() TO memory_rw;
