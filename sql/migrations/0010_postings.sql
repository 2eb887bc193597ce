-- Which pieces of text hold which lexemes: search by words. Text search, LIKE and jsonb are not leakproof, so under
-- row-level security no index would serve them, and a search would read all tenants; equality of integers is. A lexeme is
-- a hash of 64 bits (domain/lexemes.py), made once for each text, whatever models its vectors are of.
-- A search reads the primary key alone; its prefixes are a lexeme of a tenant and of an agent. Rows are written once and
-- deleted, never updated.
-- And what ranking asks of a memory beside its text: whether it is pinned, and what stands before and after it in its
-- session.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

ALTER TABLE memory.memories ADD COLUMN pinned boolean NOT NULL DEFAULT false;
GRANT UPDATE (pinned) ON memory.memories TO memory_rw;

DROP INDEX memory.memories_tenant_session_idx;
CREATE INDEX memories_tenant_session_idx ON memory.memories
    (tenant_id, session_id, agent_id, namespace, occurred_at, memory_id) WHERE session_id IS NOT NULL;

CREATE TABLE memory.postings (
    tenant_id     text COLLATE "C" NOT NULL,
    lexeme        bigint           NOT NULL,
    agent_key     bigint           NOT NULL, -- hashes of the memory's ids, as in chunks
    namespace_key bigint           NOT NULL,
    memory_id     uuid             NOT NULL,
    ordinal       integer          NOT NULL CHECK (ordinal >= 0),
    tf            smallint         NOT NULL CHECK (tf > 0), -- how often the piece holds the lexeme
    length        smallint         NOT NULL CHECK (length >= 0), -- of the piece, in words
    -- The memory once more, for its foreign key alone: an index that begins with the memory_id of the key would be taken for
    -- single postings, and reads all of a memory, which may be very long.
    owner_id      uuid             NOT NULL GENERATED ALWAYS AS (memory_id) STORED,
    PRIMARY KEY (tenant_id, lexeme, agent_key, memory_id, ordinal) INCLUDE (namespace_key, tf, length),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES memory.memories ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
COMMENT ON TABLE memory.postings IS 'Lexemes of the pieces of stored texts, as hashes; rows are written once and deleted, never updated.';

ALTER TABLE memory.postings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY postings_tenant ON memory.postings TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

-- As in 0009: guarded by name too, and vacuumed early, for scans that read the index alone.
DO $$
DECLARE
    piece text;
BEGIN
    FOR slot IN 0..15 LOOP
        piece = format('postings_p%s', lpad(CAST(slot AS text), 2, '0'));
        EXECUTE format(
            'CREATE TABLE memory.%I PARTITION OF memory.postings FOR VALUES WITH (MODULUS 16, REMAINDER %s)'
            ' WITH (autovacuum_vacuum_insert_scale_factor = 0.02, vacuum_index_cleanup = on)', piece, slot);
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', piece);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            piece || '_tenant', piece);
    END LOOP;
END $$;

-- Its keys are equal for all postings of a memory, so that it stays small.
CREATE INDEX postings_owner_idx ON memory.postings (owner_id, tenant_id);

GRANT SELECT, INSERT, DELETE ON memory.postings TO memory_rw;
