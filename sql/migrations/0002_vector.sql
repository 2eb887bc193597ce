-- pgvector, at least 0.8.0: halfvec and iterative scans came with it. An engine upgrade does not upgrade an extension
-- that is already there, so that is asked for here. Fails with SQLSTATE 0A000 when the engine offers nothing newer.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';

CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;

DO $$
DECLARE
    enough constant integer[] = ARRAY[0, 8, 0];
    found integer[];
BEGIN
    SELECT CAST(string_to_array(extversion, '.') AS integer[]) INTO found FROM pg_extension WHERE extname = 'vector';
    IF found < enough THEN
        ALTER EXTENSION vector UPDATE;
    END IF;
    SELECT CAST(string_to_array(extversion, '.') AS integer[]) INTO found FROM pg_extension WHERE extname = 'vector';
    IF found < enough THEN
        RAISE EXCEPTION 'pgvector is older than 0.8.0' USING ERRCODE = 'feature_not_supported';
    END IF;
END $$;
