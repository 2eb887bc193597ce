-- The first step of every operation's function: the tenant holds until the transaction ends, never longer, so a pooled
-- connection carries nothing to the next caller, and set inside a function it does not pin an RDS Proxy connection.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.enter_tenant(tenant text) RETURNS text
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    IF tenant IS NULL OR tenant !~ '^[a-z0-9-]{1,63}$' THEN
        RAISE EXCEPTION 'not a tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN set_config('memory.tenant_id', tenant, true);
END $$;

GRANT EXECUTE ON FUNCTION memory.enter_tenant(text) TO memory_rw;
