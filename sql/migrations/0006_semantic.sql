-- What search and merging need beside the base tables. No release has stored a memory yet, so what 0003 and 0004 got
-- wrong is replaced here instead of being carried along: deleting is physical (no deleted_at), and a chunk is known by
-- its memory and its place. Later changes of these tables expand first and contract a release later.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

DROP INDEX memory.memories_deleted_idx, memory.memories_tenant_user_idx;
ALTER TABLE memory.memories
    DROP COLUMN deleted_at,
    -- Equal texts are found without a vector.
    ADD COLUMN content_key uuid NOT NULL GENERATED ALWAYS AS (CAST(md5(content) AS uuid)) STORED,
    ADD COLUMN chunk_count integer NOT NULL CHECK (chunk_count >= 1),
    ADD COLUMN model text COLLATE "C" NOT NULL, -- of the vectors of its chunks
    -- What must not be lost when a near duplicate is merged, and what may be found of it in another; null for a text of
    -- several chunks, which is never merged by likeness.
    ADD COLUMN marks text[],
    ADD COLUMN words text[],
    -- The memory that this one nearly repeats but contradicts, so that it was kept apart.
    ADD COLUMN near_id uuid,
    ADD CONSTRAINT memories_near_fk FOREIGN KEY (tenant_id, near_id) REFERENCES memory.memories
        ON DELETE SET NULL (near_id);
-- How much an exact search of a tenant, an agent or a namespace would read, without reading it.
CREATE INDEX memories_scope_idx ON memory.memories (tenant_id, agent_id, namespace) INCLUDE (chunk_count);
CREATE INDEX memories_tenant_created_idx ON memory.memories (tenant_id, created_at, memory_id);
CREATE INDEX memories_tenant_user_created_idx ON memory.memories (tenant_id, user_id, created_at, memory_id)
    WHERE user_id IS NOT NULL;
CREATE INDEX memories_tenant_session_idx ON memory.memories (tenant_id, session_id)
    WHERE session_id IS NOT NULL;
CREATE INDEX memories_tenant_occurred_idx ON memory.memories (tenant_id, occurred_at);
CREATE INDEX memories_tenant_content_idx ON memory.memories (tenant_id, content_key);
CREATE INDEX memories_tenant_near_idx ON memory.memories (tenant_id, near_id);
GRANT UPDATE (session_id, chunk_count, marks, words, near_id) ON memory.memories TO memory_rw;

ALTER TABLE memory.memory_revisions
    ADD COLUMN session_id text COLLATE "C",
    ADD COLUMN source_kind text,
    ADD COLUMN source_id text,
    ADD COLUMN trust text NOT NULL,
    ADD COLUMN occurred_at timestamptz NOT NULL,
    ADD COLUMN written_at timestamptz NOT NULL;

-- Metadata that can be filtered by: one row for each (key, value), as a hash. jsonb's operators are not leakproof, so
-- under row-level security no index would serve them; equality of uuids is.
CREATE TABLE memory.metadata_entries (
    tenant_id text COLLATE "C" NOT NULL,
    entry     uuid             NOT NULL,
    memory_id uuid             NOT NULL,
    PRIMARY KEY (tenant_id, entry, memory_id),
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memory.memories ON DELETE CASCADE
);
COMMENT ON TABLE memory.metadata_entries IS 'Hashes of the top-level metadata of each memory.';
CREATE INDEX metadata_entries_memory_idx ON memory.metadata_entries (tenant_id, memory_id);

-- First outcomes of requests with an Idempotency-Key, written in the transaction of their effect. No content.
CREATE TABLE memory.answers (
    tenant_id    text COLLATE "C" NOT NULL,
    scope        text COLLATE "C" NOT NULL, -- hash of route and key
    request_hash text COLLATE "C" NOT NULL,
    outcome      text             NOT NULL DEFAULT '', -- JSON without content; empty until the first request ends
    agents       text[]           NOT NULL DEFAULT '{}', -- whose records it tells of, so that a purge finds it
    lapses_at    timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, scope)
);
COMMENT ON TABLE memory.answers IS 'What the first request with an idempotency key did.';
CREATE INDEX answers_lapses_idx ON memory.answers (tenant_id, lapses_at);

-- What was deleted has to leave tables and indexes, not only be skipped. The master user, who owns the database, may
-- vacuum its tables without a right to read them, but has to see their names.
GRANT USAGE ON SCHEMA memory TO SESSION_USER;
ALTER TABLE memory.memories SET (vacuum_index_cleanup = on);
ALTER TABLE memory.memory_revisions SET (vacuum_index_cleanup = on);
ALTER TABLE memory.metadata_entries SET (vacuum_index_cleanup = on);

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['metadata_entries', 'answers'] LOOP
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            guarded || '_tenant', guarded);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON memory.%I TO memory_rw', guarded);
    END LOOP;
END $$;
GRANT UPDATE (outcome, agents) ON memory.answers TO memory_rw;
