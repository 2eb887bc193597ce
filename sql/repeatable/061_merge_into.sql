-- Near duplicates: how a text is merged into a memory.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.add_entries(tenant text, target uuid, item jsonb) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id)
    SELECT tenant, CAST(entry AS uuid), target FROM unnest(memory.texts(item -> 'entries')) AS entry;
END $$;

-- Chunks say of their memory what searches filter by. They are never updated: where that has changed and the text has
-- not, they are written again, with the vectors that they have, of all models.
CREATE OR REPLACE FUNCTION memory.rewrite_chunks(tenant text, target uuid) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    WITH gone AS (
        DELETE FROM memory.chunks AS c WHERE c.tenant_id = tenant AND c.memory_id = target RETURNING c.*
    )
    INSERT INTO memory.chunks (tenant_id, model, agent_id, namespace_key, memory_id, ordinal, user_key, session_key,
        purpose_mask, occurred_at, starts_at, ends_at, dimensions, embedding)
    SELECT g.tenant_id, g.model, g.agent_id, g.namespace_key, g.memory_id, g.ordinal, g.user_key,
        memory.key_of(m.session_id), memory.purpose_mask(m.purposes), m.occurred_at, g.starts_at, g.ends_at, g.dimensions, g.embedding
    FROM gone AS g
    JOIN memory.memories AS m ON m.tenant_id = tenant AND m.memory_id = target;
END $$;

-- Puts a text over the one of a memory; what stood there goes into the history, and a repetition that changes neither
-- text nor metadata leaves no trace but its time. A text that was said before what stands there goes into the history
-- itself, and equal words of a less trusted source change nothing but how long they are kept. Tells whether the text has
-- to be cut and embedded anew.
CREATE OR REPLACE FUNCTION memory.merge_into(tenant text, target uuid, item jsonb, fresh text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    at constant timestamptz = CAST(item ->> 'now' AS timestamptz);
    said constant timestamptz = coalesce(CAST(item ->> 'timestamp' AS timestamptz), at);
    expiry constant timestamptz = CAST(item ->> 'expires_at' AS timestamptz);
    old memory.memories;
    new memory.memories;
    earlier memory.memories;
BEGIN
    SELECT * INTO STRICT old FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = target;
    new = old;
    IF memory.trust_rank(item ->> 'trust') >= memory.trust_rank(old.trust) THEN
        new.content = fresh;
        new.metadata = coalesce(item ->> 'metadata', old.metadata);
        new.occurred_at = said;
        new.trust = item ->> 'trust';
        new.pinned = coalesce(CAST(item ->> 'pinned' AS boolean), old.pinned);
        new.marks = memory.texts(item -> 'marks');
        new.words = memory.texts(item -> 'words');
        new.chunk_count = CAST(item ->> 'chunk_count' AS integer);
        IF new.chunk_count = 1 THEN -- the chunks of a longer text stay, and with them their session
            new.session_id = coalesce(item ->> 'session_id', old.session_id);
        END IF;
        IF item ->> 'source_kind' IS NOT NULL THEN
            new.source_kind = item ->> 'source_kind';
            new.source_id = item ->> 'source_id';
        END IF;
    END IF;
    earlier = old;
    IF new.occurred_at < old.occurred_at THEN
        earlier = new;
        earlier.updated_at = at;
        new = old;
    END IF;
    -- Both were to be kept, so the later expiry holds; null is never.
    new.expires_at = CASE WHEN expiry IS NOT NULL AND old.expires_at IS NOT NULL THEN greatest(expiry, old.expires_at) END;
    new.updated_at = greatest(at, old.updated_at);
    IF (new.content, new.metadata) IS DISTINCT FROM (earlier.content, earlier.metadata) THEN
        new.revision = old.revision + 1;
        INSERT INTO memory.memory_revisions (tenant_id, memory_id, revision, content, metadata, session_id, source_kind,
            source_id, trust, occurred_at, written_at, replaced_at)
        VALUES (tenant, target, old.revision, earlier.content, earlier.metadata, earlier.session_id, earlier.source_kind,
            earlier.source_id, earlier.trust, earlier.occurred_at, earlier.updated_at, at);
    END IF;
    UPDATE memory.memories AS m
    SET content = new.content, metadata = new.metadata, session_id = new.session_id, occurred_at = new.occurred_at,
        source_kind = new.source_kind, source_id = new.source_id, trust = new.trust,
        pinned = new.pinned,
        expires_at = new.expires_at, revision = new.revision, updated_at = new.updated_at,
        chunk_count = new.chunk_count, marks = new.marks, words = new.words
    WHERE m.tenant_id = tenant AND m.memory_id = target;
    IF new.metadata <> old.metadata THEN
        DELETE FROM memory.metadata_entries AS e WHERE e.tenant_id = tenant AND e.memory_id = target;
        PERFORM memory.add_entries(tenant, target, item);
    END IF;
    IF new.content = old.content AND (new.session_id, new.occurred_at, new.purposes)
        IS DISTINCT FROM (old.session_id, old.occurred_at, old.purposes) THEN
        PERFORM memory.rewrite_chunks(tenant, target);
    END IF;
    RETURN new.content <> old.content;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.add_entries(text, uuid, jsonb),
    memory.rewrite_chunks(text, uuid),
    memory.merge_into(text, uuid, jsonb, text)
TO memory_rw;
