-- The searchable pieces of a memory's text, each with its vector; replaces the table of 0004, which no release filled.
-- Rows are immutable (no UPDATE is granted): scans that read only an index need pages that stay all-visible. Hash
-- partitions by tenant keep each vector graph small and shared by few tenants.
-- The graphs are made here and not by a job because the table is empty. Filters that narrow a search stand in the row as
-- hashes of fixed size (0 for none), so that the covering index holds them whatever the length of an id: a b-tree entry
-- has at most 2,704 bytes, and the vector alone takes 2,056.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

DROP TABLE memory.chunks;
CREATE TABLE memory.chunks (
    tenant_id     text COLLATE "C" NOT NULL,
    memory_id     uuid             NOT NULL,
    ordinal       integer          NOT NULL CHECK (ordinal >= 0),
    agent_id      text COLLATE "C" NOT NULL,
    namespace_key bigint           NOT NULL,
    user_key      bigint           NOT NULL,
    session_key   bigint           NOT NULL,
    starts_at     integer          NOT NULL CHECK (starts_at >= 0), -- in characters of the memory's text
    ends_at       integer          NOT NULL CHECK (ends_at > starts_at),
    model         text COLLATE "C" NOT NULL CHECK (octet_length(model) <= 128), -- texts compare within one model only
    dimensions    integer          NOT NULL CHECK (dimensions BETWEEN 1 AND 1024), -- meaningful; the rest is zero
    embedding     public.halfvec(1024) NOT NULL,
    -- Exact search reads this index alone; its prefixes are a tenant, an agent, and a namespace of an agent. No other index
    -- of the table begins with the tenant, so that the planner, to whom vectors stored away from their rows look cheap,
    -- has no other choice.
    PRIMARY KEY (tenant_id, agent_id, namespace_key, memory_id, ordinal)
        INCLUDE (user_key, session_key, model, embedding),
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memory.memories ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
COMMENT ON TABLE memory.chunks IS 'Pieces of stored texts with their vectors; rows are written once and deleted, never updated.';

ALTER TABLE memory.chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY chunks_tenant ON memory.chunks TO memory_rw, memory_owner
    USING (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')));

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

-- The chunks of a memory. The tenant is not in its key, only beside it; see above.
CREATE INDEX chunks_memory_idx ON memory.chunks (memory_id) INCLUDE (tenant_id);
CREATE INDEX chunks_graph_idx ON memory.chunks USING hnsw (embedding public.halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);

GRANT SELECT, INSERT, DELETE ON memory.chunks TO memory_rw;
