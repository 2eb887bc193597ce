-- The searchable pieces of a memory's text, each with its vector; replaces the table of 0007, which no release filled.
-- Rows are immutable (no UPDATE is granted): scans that read only an index need pages that stay all-visible. A text, a
-- session or a time that changes gets rows of its own. Filters stand in the row as hashes of fixed size (0 for none), so
-- that a covering index holds them whatever the length of an id: a b-tree entry has at most 2,704 bytes, and the vector
-- alone takes 2,056.
-- The model is in the key: while vectors are made anew with another model, a memory has chunks of both.
-- Vectors stand in their rows (PLAIN), so that re-ranking a candidate reads one page.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

DROP TABLE memory.chunks;

CREATE TABLE memory.chunks (
    tenant_id     text COLLATE "C" NOT NULL,
    model         text COLLATE "C" NOT NULL CHECK (octet_length(model) <= 128), -- texts compare within one model only
    agent_id      text COLLATE "C" NOT NULL,
    namespace_key bigint           NOT NULL,
    memory_id     uuid             NOT NULL,
    ordinal       integer          NOT NULL CHECK (ordinal >= 0),
    user_key      bigint           NOT NULL,
    session_key   bigint           NOT NULL,
    purpose_mask  integer          NOT NULL, -- a bit for each of the memory's purposes; 0 has none and is shown for all
    occurred_at   timestamptz      NOT NULL, -- the memory's
    starts_at     integer          NOT NULL CHECK (starts_at >= 0), -- in characters of the memory's text
    ends_at       integer          NOT NULL CHECK (ends_at > starts_at),
    dimensions    integer          NOT NULL CHECK (dimensions BETWEEN 1 AND 1024), -- meaningful; the rest is zero
    embedding     public.halfvec(1024) STORAGE PLAIN NOT NULL,
    -- The sign of each number, which is enough to choose candidates by.
    bits          bit(1024) STORAGE PLAIN NOT NULL GENERATED ALWAYS AS (public.binary_quantize(embedding)) STORED,
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memory.memories ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
COMMENT ON TABLE memory.chunks IS 'Pieces of stored texts with their vectors; rows are written once and deleted, never updated.';

ALTER TABLE memory.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY chunks_tenant ON memory.chunks TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

-- The chunks of a memory, of all models, one page away. But for the index of a layout none begins with the tenant, so that
-- the planner has no choice where a search reads a tenant.
CREATE INDEX chunks_memory_idx ON memory.chunks USING hash (memory_id);

-- A partition reached by its own name is guarded by its own policy only. The application reaches none, having no grants.
-- Vacuum has to come early for inserts, since index-only scans live from the pages that it marks, and to be thorough for
-- deletes, since what was deleted has to leave the graph as well.
DO $$
DECLARE
    piece text;
BEGIN
    FOR slot IN 0..15 LOOP
        piece = format('chunks_p%s', lpad(CAST(slot AS text), 2, '0'));
        EXECUTE format(
            'CREATE TABLE memory.%I PARTITION OF memory.chunks FOR VALUES WITH (MODULUS 16, REMAINDER %s)'
            ' WITH (autovacuum_vacuum_insert_scale_factor = 0.02, vacuum_index_cleanup = on)', piece, slot);
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', piece);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            piece || '_tenant', piece);
    END LOOP;
END $$;

-- Indexes that searches read are those of a layout, `hnsw` here; the schema function builds another one beside it, and
-- then drops this (ADR 18). Each is made on its partition and then attached, as a switch makes it.
CREATE UNIQUE INDEX chunks_hnsw_key ON ONLY memory.chunks (tenant_id, model, agent_id, namespace_key, memory_id, ordinal)
    INCLUDE (purpose_mask, user_key, session_key, occurred_at, embedding);
CREATE INDEX chunks_hnsw_graph ON ONLY memory.chunks USING hnsw (embedding public.halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);

DO $$
DECLARE
    piece text;
BEGIN
    FOR slot IN 0..15 LOOP
        piece = format('chunks_p%s', lpad(CAST(slot AS text), 2, '0'));
        EXECUTE format(
            'CREATE UNIQUE INDEX %I ON memory.%I (tenant_id, model, agent_id, namespace_key, memory_id, ordinal)'
            ' INCLUDE (purpose_mask, user_key, session_key, occurred_at, embedding)', piece || '_hnsw_key', piece);
        EXECUTE format(
            'CREATE INDEX %I ON memory.%I USING hnsw (embedding public.halfvec_cosine_ops)'
            ' WITH (m = 16, ef_construction = 64)', piece || '_hnsw_graph', piece);
        EXECUTE format('ALTER INDEX memory.chunks_hnsw_key ATTACH PARTITION memory.%I', piece || '_hnsw_key');
        EXECUTE format('ALTER INDEX memory.chunks_hnsw_graph ATTACH PARTITION memory.%I', piece || '_hnsw_graph');
    END LOOP;
END $$;

GRANT SELECT, INSERT, DELETE ON memory.chunks TO memory_rw;

-- The layout in force. Made anew by the switch, in the transaction that drops the indexes of the other one.
CREATE FUNCTION memory.vector_layout() RETURNS text
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 'hnsw';
END $$;
GRANT EXECUTE ON FUNCTION memory.vector_layout() TO memory_rw;
