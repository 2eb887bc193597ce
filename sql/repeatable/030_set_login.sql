-- Lets exactly one of the application's two roles log in. A function, because ALTER ROLE takes no bound parameters and
-- a verifier (never the password itself) that is bound shows up in no statement log. Owned and run by the master user.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';

CREATE OR REPLACE FUNCTION memory_admin.set_login(login_role text, verifier text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    CASE login_role
    WHEN 'memory_app' THEN
        ALTER ROLE memory_app_iam NOLOGIN;
        ALTER ROLE memory_app LOGIN;
        IF verifier IS NOT NULL THEN
            EXECUTE format('ALTER ROLE memory_app PASSWORD %L', verifier);
        END IF;
    WHEN 'memory_app_iam' THEN
        ALTER ROLE memory_app NOLOGIN PASSWORD NULL;
        GRANT rds_iam TO memory_app_iam; -- Aurora's own role: its members log in with IAM tokens only
        ALTER ROLE memory_app_iam LOGIN;
    END CASE;
    RETURN true;
END $$;

