-- Which tenants there are (see migration 0008): those that have a memory or a procedure, or of whose users something is
-- known. All other rows hang on one of these, but for answers, which lapse within a day.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Only the owner may lift FORCE, and while it is lifted its lock keeps everybody else from the table, until the transaction
-- ends. One step down the key for each tenant, not one for each row.
CREATE OR REPLACE FUNCTION memory.tenants() RETURNS SETOF text
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    heads constant text[] = ARRAY['memories', 'fact_bundles', 'procedures'];
    head text;
    found text;
    next text = '';
BEGIN
    FOREACH head IN ARRAY heads LOOP
        EXECUTE format('ALTER TABLE memory.%I NO FORCE ROW LEVEL SECURITY', head);
    END LOOP;
    LOOP
        found = next;
        next = NULL;
        FOREACH head IN ARRAY heads LOOP
            EXECUTE format('SELECT least($1, min(t.tenant_id)) FROM memory.%I AS t WHERE t.tenant_id > $2 COLLATE "C"', head)
            INTO next USING next, found;
        END LOOP;
        EXIT WHEN next IS NULL;
        RETURN NEXT next;
    END LOOP;
    FOREACH head IN ARRAY heads LOOP
        EXECUTE format('ALTER TABLE memory.%I FORCE ROW LEVEL SECURITY', head);
    END LOOP;
END $$;
