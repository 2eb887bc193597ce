-- Storing one text with its chunks.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- One text: merged into its twin, or a memory of its own. `chunks` are its lines, those of the model that is searched first,
-- null when they follow by add_chunks; its `postings` likewise by add_postings. `pending` of the item are models whose
-- vectors come later: by words the text is found at once, and without a vector it merges with its equal only.
CREATE OR REPLACE FUNCTION memory.store_one(
    tenant text, item jsonb, fresh text, model text, models text, chunks text
) RETURNS jsonb
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    at constant timestamptz = CAST(item ->> 'now' AS timestamptz);
    -- A text of several chunks has no one vector; it merges with its equal only.
    query constant public.halfvec = CASE WHEN CAST(item ->> 'chunk_count' AS integer) = 1
        AND CAST(models AS jsonb) -> CAST(split_part(chunks, ' ', 1) AS integer) ->> 'name' = model
        THEN CAST(split_part(split_part(chunks, E'\n', 1), ' ', 5) AS public.halfvec) END;
    twin record;
    before integer = 0;
    target uuid = CAST(item ->> 'memory_id' AS uuid);
    stored memory.memories;
BEGIN
    IF CAST(item ->> 'dedupe' AS boolean) THEN
        SELECT * INTO twin FROM memory.twin(tenant, item, fresh, model, query);
    ELSE
        SELECT CAST(NULL AS uuid) AS same, CAST(NULL AS uuid) AS apart INTO twin;
    END IF;
    IF twin.same IS NOT NULL THEN
        target = twin.same;
        SELECT m.chunk_count INTO STRICT before FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = target;
        IF memory.merge_into(tenant, target, item, fresh) THEN
            DELETE FROM memory.chunks AS c WHERE c.tenant_id = tenant AND c.memory_id = target; -- of all models
            PERFORM memory.add_chunks(tenant, CAST(target AS text), models, chunks);
            UPDATE memory.memories AS m SET pending = memory.texts(item -> 'pending') WHERE m.tenant_id = tenant AND m.memory_id = target;
            DELETE FROM memory.postings AS p WHERE p.tenant_id = tenant AND p.owner_id = target;
            PERFORM memory.add_postings(tenant, CAST(target AS text), 0, item ->> 'postings');
        ELSIF chunks IS NOT NULL THEN -- vectors that the same words lack are welcome
            PERFORM FROM memory.memories AS m CROSS JOIN LATERAL memory.add_vectors(tenant, CAST(target AS text),
                CAST(jsonb_build_object('revision', m.revision, 'content_key', m.content_key, 'models', CAST(models AS jsonb),
                    'pieces', item -> 'chunk_count', 'gone', '[]') AS text), chunks)
            WHERE m.tenant_id = tenant AND m.memory_id = target AND m.content = fresh
              AND (m.awaits OR memory.count_vectors(m, model) = 0);
        END IF;
    ELSE
        INSERT INTO memory.memories (tenant_id, memory_id, agent_id, namespace, user_id, session_id, content, metadata,
            purposes, source_kind, source_id, trust, occurred_at, created_at, updated_at, expires_at, chunk_count,
            marks, words, near_id, pinned, pending)
        VALUES (tenant, target, item ->> 'agent_id', item ->> 'namespace', item ->> 'user_id', item ->> 'session_id',
            fresh, coalesce(item ->> 'metadata', '{}'), coalesce(memory.texts(item -> 'purposes'), '{}'),
            item ->> 'source_kind', item ->> 'source_id', item ->> 'trust',
            coalesce(CAST(item ->> 'timestamp' AS timestamptz), at), at, at, CAST(item ->> 'expires_at' AS timestamptz),
            CAST(item ->> 'chunk_count' AS integer), memory.texts(item -> 'marks'), memory.texts(item -> 'words'),
            twin.apart, coalesce(CAST(item ->> 'pinned' AS boolean), false), memory.texts(item -> 'pending'));
        PERFORM memory.add_entries(tenant, target, item);
        IF chunks IS NOT NULL THEN
            PERFORM memory.add_chunks(tenant, CAST(target AS text), models, chunks);
        END IF;
        IF item ->> 'postings' IS NOT NULL THEN
            PERFORM memory.add_postings(tenant, CAST(target AS text), 0, item ->> 'postings');
        END IF;
    END IF;
    SELECT * INTO STRICT stored FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = target;
    -- What the caller sent is not sent back: an answer has a limit, which would be met after the fact.
    RETURN jsonb_build_object(
        'memory_id', target,
        'deduplicated', twin.same IS NOT NULL,
        'near_id', stored.near_id,
        'vectors', stored.chunk_count - before,
        'revision', stored.revision,
        'trust', stored.trust,
        'pending', stored.awaits,
        'occurred_at', memory.to_micros(stored.occurred_at),
        'created_at', memory.to_micros(stored.created_at),
        'updated_at', memory.to_micros(stored.updated_at),
        'expires_at', memory.to_micros(stored.expires_at)
    );
END $$;

GRANT EXECUTE ON FUNCTION memory.store_one(text, jsonb, text, text, text, text) TO memory_rw;
