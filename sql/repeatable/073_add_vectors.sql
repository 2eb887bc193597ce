-- Vectors that come after their text: how they are added. Nothing here waits for a model, and each call may be repeated: what
-- is there already stays.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Vectors of a memory, as lines of `add_chunks`. `request` {revision, content_key, models, pieces, gone}: what the text was when it
-- was embedded, into how many pieces it was cut, and models whose vectors it need not get any more. Where its text has
-- changed, or it is gone, nothing happens. Tells whether it was there, whether it still lacks vectors, and by how many pieces
-- more it was cut than when it was stored.
CREATE OR REPLACE FUNCTION memory.add_vectors(tenant text, id text, request text, chunks text)
RETURNS TABLE (there boolean, awaits boolean, pieces bigint)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1500ms' AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb = CAST(request AS jsonb);
    cut constant integer = CAST(asked ->> 'pieces' AS integer);
    target memory.memories;
    before integer;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    SELECT * INTO target FROM memory.memories AS m
    WHERE m.tenant_id = tenant AND m.memory_id = CAST(add_vectors.id AS uuid)
      AND m.revision = CAST(asked ->> 'revision' AS integer) AND m.content_key = CAST(asked ->> 'content_key' AS uuid)
    FOR NO KEY UPDATE;
    IF target.memory_id IS NULL THEN
        RETURN QUERY SELECT false, false, CAST(0 AS bigint);
        RETURN;
    END IF;
    before = target.chunk_count;
    IF before <> cut THEN -- the length of pieces was changed meanwhile: those of two cuts do not go together
        DELETE FROM memory.chunks AS c WHERE c.tenant_id = tenant AND c.memory_id = target.memory_id;
        target.chunk_count = cut;
    END IF;
    PERFORM memory.add_chunks(tenant, add_vectors.id, asked ->> 'models', chunks);
    target.pending = ARRAY(
        SELECT model FROM unnest(target.pending) AS model
        WHERE NOT model = ANY (memory.texts(asked -> 'gone')) AND memory.count_vectors(target, model) < cut
    );
    UPDATE memory.memories AS m SET pending = target.pending, chunk_count = cut
    WHERE m.tenant_id = tenant AND m.memory_id = target.memory_id
      AND (m.pending IS DISTINCT FROM target.pending OR m.chunk_count <> cut);
    RETURN QUERY SELECT true, cardinality(target.pending) > 0, CAST(cut - before AS bigint);
END $$;

GRANT EXECUTE ON FUNCTION memory.add_vectors(text, text, text, text) TO memory_rw;
