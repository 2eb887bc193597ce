-- The searchable pieces of a memory's text, each with its vector. Rows are immutable (no UPDATE is granted): scans that
-- read only an index need pages that stay all-visible, so what changes lives in memory.memories and a changed text
-- gets new chunks. Hash partitions by tenant keep each later vector graph small and searched by few tenants.
-- No vector index here: which one is the deployment's choice, and it is built by resumable jobs, not by a migration.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE TABLE memory.chunks (
    tenant_id  text COLLATE "C" NOT NULL,
    chunk_id   uuid             NOT NULL,
    memory_id  uuid             NOT NULL,
    revision   integer          NOT NULL, -- of the text that this piece was cut from
    ordinal    integer          NOT NULL CHECK (ordinal >= 0),
    agent_id   text COLLATE "C" NOT NULL, -- the filter keys are copies of the memory's, which never change
    namespace  text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C",
    session_id text COLLATE "C",
    starts_at  integer          NOT NULL CHECK (starts_at >= 0), -- in characters of the memory's text
    ends_at    integer          NOT NULL CHECK (ends_at > starts_at),
    model      text             NOT NULL, -- what made the vector: texts are compared within one model only
    dimensions integer          NOT NULL CHECK (dimensions BETWEEN 1 AND 1024), -- meaningful; the rest is zero
    embedding  public.halfvec(1024) NOT NULL,
    created_at timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, chunk_id),
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memory.memories ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
COMMENT ON TABLE memory.chunks IS 'Pieces of stored texts with their vectors; rows are written once and deleted, never updated.';
CREATE UNIQUE INDEX chunks_tenant_memory_idx ON memory.chunks (tenant_id, memory_id, revision, ordinal);

ALTER TABLE memory.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY chunks_tenant ON memory.chunks TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

-- A partition reached by its own name is guarded by its own policy only. The application reaches none: no grants.
-- Insert-only tables are vacuumed late by default, and index-only scans live from what vacuum marks.
DO $$
DECLARE
    piece text;
BEGIN
    FOR slot IN 0..15 LOOP
        piece = format('chunks_p%s', lpad(CAST(slot AS text), 2, '0'));
        EXECUTE format(
            'CREATE TABLE memory.%I PARTITION OF memory.chunks FOR VALUES WITH (MODULUS 16, REMAINDER %s)'
            ' WITH (autovacuum_vacuum_insert_scale_factor = 0.02)', piece, slot);
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', piece);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            piece || '_tenant', piece);
    END LOOP;
END $$;

GRANT SELECT, INSERT, DELETE ON memory.chunks TO memory_rw;
