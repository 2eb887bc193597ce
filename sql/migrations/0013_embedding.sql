-- Texts are stored although a model is away; their vectors come later, and for as long a memory says which ones it lacks.
-- Which model a memory has vectors of say its chunks alone: while one model takes the place of another, it has those of two.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What they are called with has changed.
DROP FUNCTION IF EXISTS
    memory.add_chunks(text, text, bigint, text, bigint, text),
    memory.store_one(text, jsonb, text, text, bigint, text);

ALTER TABLE memory.memories
    DROP COLUMN model,
    ADD COLUMN pending text[] COLLATE "C" NOT NULL DEFAULT '{}', -- models whose vectors are still to be made
    -- Arrays cannot be asked for by an index under row-level security.
    ADD COLUMN awaits boolean NOT NULL GENERATED ALWAYS AS (pending <> '{}') STORED;
CREATE INDEX memories_awaits_idx ON memory.memories (tenant_id, memory_id) WHERE awaits;
GRANT UPDATE (pending) ON memory.memories TO memory_rw;
