-- Who may do what, before anything exists to do it to. Runs as the cluster's master user, which is no superuser.
--   memory_owner     owns every table of the schema `memory`; nobody logs in as it
--   memory_migrator  may become memory_owner; the master user, and an operator who is granted it, change the schema so
--   memory_rw        holds the grants and is named in the policies
--   memory_app       logs in with a password (Data API, RDS Proxy), memory_app_iam with an IAM token (direct);
--                    both are created unable to log in, and the schema function enables the one that is used
-- Roles belong to the cluster and not to the database, hence the question before each CREATE.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';

DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT wanted
        FROM unnest(ARRAY['memory_owner', 'memory_migrator', 'memory_rw', 'memory_app', 'memory_app_iam']) AS wanted
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)
    LOOP
        EXECUTE format('CREATE ROLE %I NOLOGIN', missing);
    END LOOP;
END $$;

GRANT memory_owner TO memory_migrator;
GRANT memory_migrator TO CURRENT_USER WITH INHERIT FALSE, SET TRUE; -- it must ask; it never owns by accident
GRANT memory_rw TO memory_app, memory_app_iam;

-- What PostgreSQL gives to everybody, nobody here needs.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO memory_rw, memory_migrator', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO memory_owner, memory_rw; -- pgvector's types live there

-- Tenants' data, behind row-level security without exception.
CREATE SCHEMA memory AUTHORIZATION memory_owner;

-- What the schema function keeps about its own work: no tenant's data, and the master user's alone to change, so
-- that whoever becomes memory_owner cannot rewrite history or have the master user run code.
CREATE SCHEMA memory_admin;
GRANT USAGE ON SCHEMA memory_admin TO memory_rw;

CREATE TABLE memory_admin.ledger (
    name       text        PRIMARY KEY,
    version    integer     UNIQUE, -- null: a repeatable script
    sha256     text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE memory_admin.ledger IS 'SQL files that this database has seen, written with their effect in one transaction.';
GRANT SELECT ON memory_admin.ledger TO memory_rw;

-- A function is executable by everybody unless told otherwise; told here, once, for what these two create from now on.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
SET LOCAL ROLE memory_owner;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA memory TO memory_rw;
