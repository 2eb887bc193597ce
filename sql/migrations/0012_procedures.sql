-- Procedures: named ways of doing something, in versions, found by what triggers them. A procedure belongs to an agent, or
-- to all agents of the tenant: those have no agent, which is '' here, since a key holds no null.
-- The head says what stands now and is locked by whoever writes; a version is written once. Phrases and vectors are those
-- of the newest version alone, for nothing else is ever matched; vectors of several models stand beside each other while
-- one is exchanged.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

CREATE TABLE memory.procedures (
    tenant_id   text COLLATE "C" NOT NULL CHECK (tenant_id ~ '^[a-z0-9-]{1,63}$'),
    agent_id    text COLLATE "C" NOT NULL CHECK (octet_length(agent_id) <= 256),
    name        text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 256),
    version     integer          NOT NULL CHECK (version >= 0), -- of the newest one; 0 only while the first is written
    content_key text COLLATE "C" NOT NULL, -- hash of what the newest version says, so that a repetition makes none
    user_id     text COLLATE "C",
    purposes    text[]           NOT NULL DEFAULT '{}',
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL,
    expires_at  timestamptz,
    PRIMARY KEY (tenant_id, agent_id, name)
);
COMMENT ON TABLE memory.procedures IS 'What stands now of each procedure, one row each.';
CREATE INDEX procedures_tenant_name_idx ON memory.procedures (tenant_id, name, agent_id);
CREATE INDEX procedures_tenant_expires_idx ON memory.procedures (tenant_id, expires_at);

CREATE TABLE memory.procedure_versions (
    tenant_id  text COLLATE "C" NOT NULL,
    agent_id   text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    version    integer          NOT NULL CHECK (version >= 1),
    record     text             NOT NULL, -- JSON as written: jsonb would rewrite its numbers
    user_id    text COLLATE "C",
    created_at timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, name, version),
    FOREIGN KEY (tenant_id, agent_id, name) REFERENCES memory.procedures ON DELETE CASCADE
);
COMMENT ON TABLE memory.procedure_versions IS 'Every version of each procedure, whole.';
CREATE INDEX procedure_versions_tenant_user_idx ON memory.procedure_versions (tenant_id, user_id);

CREATE TABLE memory.procedure_triggers (
    tenant_id text COLLATE "C" NOT NULL,
    agent_id  text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    ordinal   integer          NOT NULL CHECK (ordinal >= 0),
    phrase    text             NOT NULL,
    lexemes   bigint[]         NOT NULL, -- each once
    PRIMARY KEY (tenant_id, agent_id, name, ordinal),
    FOREIGN KEY (tenant_id, agent_id, name) REFERENCES memory.procedures ON DELETE CASCADE
);
COMMENT ON TABLE memory.procedure_triggers IS 'Phrases that the newest version of a procedure is found by.';

CREATE TABLE memory.procedure_vectors (
    tenant_id  text COLLATE "C" NOT NULL,
    agent_id   text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    ordinal    integer          NOT NULL,
    model      text COLLATE "C" NOT NULL CHECK (octet_length(model) <= 128), -- texts compare within one model only
    dimensions integer          NOT NULL CHECK (dimensions BETWEEN 1 AND 1024), -- meaningful; the rest is zero
    embedding  public.halfvec(1024) NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, name, ordinal, model),
    FOREIGN KEY (tenant_id, agent_id, name, ordinal) REFERENCES memory.procedure_triggers ON DELETE CASCADE
);
COMMENT ON TABLE memory.procedure_vectors IS 'Vectors of triggers. All of a scope are compared, so they stand in their rows.';
ALTER TABLE memory.procedure_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['procedures', 'procedure_versions', 'procedure_triggers', 'procedure_vectors'] LOOP
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format('ALTER TABLE memory.%I SET (vacuum_index_cleanup = on)', guarded);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            guarded || '_tenant', guarded);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON memory.%I TO memory_rw', guarded);
    END LOOP;
END $$;
GRANT UPDATE (version, content_key, user_id, purposes, updated_at, expires_at) ON memory.procedures TO memory_rw;
