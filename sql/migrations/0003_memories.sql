-- What a caller stored, whole, and what it said before it was changed. One row answers for all chunks of its text.
-- Every key begins with the tenant: a key without it would tell one tenant that another holds the same id.
-- Ids sort and compare by bytes (COLLATE "C"), so no index depends on the machine's language files.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE TABLE memory.memories (
    tenant_id   text COLLATE "C" NOT NULL CHECK (tenant_id ~ '^[a-z0-9-]{1,63}$'),
    memory_id   uuid             NOT NULL,
    agent_id    text COLLATE "C" NOT NULL CHECK (octet_length(agent_id) BETWEEN 1 AND 256),
    namespace   text COLLATE "C" NOT NULL DEFAULT 'default' CHECK (octet_length(namespace) BETWEEN 1 AND 256),
    user_id     text COLLATE "C" CHECK (octet_length(user_id) BETWEEN 1 AND 256),
    session_id  text COLLATE "C" CHECK (octet_length(session_id) BETWEEN 1 AND 256),
    revision    integer          NOT NULL DEFAULT 1 CHECK (revision >= 1),
    content     text             NOT NULL CHECK (content <> ''),
    metadata    text             NOT NULL DEFAULT '{}', -- JSON as written: jsonb would rewrite its numbers
    purposes    text[]           NOT NULL DEFAULT '{}',
    source_kind text,
    source_id   text,
    trust       text             NOT NULL DEFAULT 'direct_user'
        CHECK (trust IN ('direct_user', 'inference', 'tool_internal', 'tool_external')),
    occurred_at timestamptz      NOT NULL, -- what filters by time mean; the caller's time, else that of storing
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL,
    expires_at  timestamptz,
    deleted_at  timestamptz, -- set: gone for every reader, not yet from the disk
    PRIMARY KEY (tenant_id, memory_id)
);
COMMENT ON TABLE memory.memories IS 'Stored texts as the caller gave them, one row each.';
CREATE INDEX memories_tenant_agent_created_idx ON memory.memories (tenant_id, agent_id, created_at, memory_id);
CREATE INDEX memories_tenant_user_idx ON memory.memories (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX memories_expires_idx ON memory.memories (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_deleted_idx ON memory.memories (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE memory.memory_revisions (
    tenant_id   text COLLATE "C" NOT NULL,
    memory_id   uuid             NOT NULL,
    revision    integer          NOT NULL,
    content     text             NOT NULL,
    metadata    text             NOT NULL,
    replaced_at timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, memory_id, revision),
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memory.memories ON DELETE CASCADE
);
COMMENT ON TABLE memory.memory_revisions IS 'Earlier texts of a memory: merging a near duplicate never destroys one.';

-- Fail closed: without a tenant the setting is null or '' and nothing matches. The sub-select runs once a statement,
-- not once a row. The owner obeys too (FORCE), so it has the same policy: with a tenant it can backfill, without none.
ALTER TABLE memory.memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY memories_tenant ON memory.memories TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

ALTER TABLE memory.memory_revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY memory_revisions_tenant ON memory.memory_revisions TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

-- Grants after the guard. Whose a memory is, and when it came, is never rewritten; nor is history.
GRANT SELECT, INSERT, DELETE ON memory.memories TO memory_rw;
GRANT UPDATE (revision, content, metadata, purposes, source_kind, source_id, trust, occurred_at, updated_at,
    expires_at, deleted_at) ON memory.memories TO memory_rw;
GRANT SELECT, INSERT, DELETE ON memory.memory_revisions TO memory_rw;
