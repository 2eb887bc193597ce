-- Near duplicates: what a new text is merged into, and how. Only memories of one (tenant, agent, user, namespace) are
-- ever merged, under a lock of that scope.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

SELECT CAST(CAST('[1]' AS public.vector) AS text);

CREATE OR REPLACE FUNCTION memory.texts(list jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CASE jsonb_typeof(list) WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(list)) END;
END $$;

-- The place of a source in the order of trust, from 1.
CREATE OR REPLACE FUNCTION memory.trust_rank(trust text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN array_position(ARRAY['tool_external', 'tool_internal', 'inference', 'direct_user'], trust);
END $$;

-- The memory that a new text is to be merged into (`same`), or the one that it nearly repeats and contradicts (`apart`).
-- Equal texts always merge. Of near ones (cosine over `merge_above`) the nearest merges that says the same, which means
-- that each text keeps the other's marks (names, numbers, negations), unless the words of a less trusted source would
-- stand over those of a more trusted one.
CREATE OR REPLACE FUNCTION memory.twin(
    tenant text, item jsonb, fresh text, model text, query public.halfvec, OUT same uuid, OUT apart uuid
)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    reach constant double precision = 1 - CAST(item ->> 'merge_above' AS double precision);
    asked constant jsonb = jsonb_strip_nulls(jsonb_build_object(
        'now', item -> 'now',
        'agent_id', item -> 'agent_id',
        'namespace', item -> 'namespace',
        'namespace_key', memory.key_of(item ->> 'namespace'),
        'user_id', item -> 'user_id',
        'user_key', memory.key_of(item ->> 'user_id')
    ));
    near record;
BEGIN
    SELECT m.memory_id INTO same
    FROM memory.memories AS m
    WHERE m.tenant_id = tenant
      AND m.content_key = CAST(md5(fresh) AS uuid)
      AND m.content = fresh
      AND m.agent_id = item ->> 'agent_id'
      AND m.namespace = item ->> 'namespace'
      AND m.user_id IS NOT DISTINCT FROM item ->> 'user_id'
      AND (m.expires_at IS NULL OR m.expires_at > CAST(item ->> 'now' AS timestamptz))
      AND EXISTS (
          SELECT FROM memory.chunks AS c
          WHERE c.tenant_id = tenant AND c.agent_id = m.agent_id AND c.namespace_key = memory.key_of(m.namespace)
            AND c.memory_id = m.memory_id AND c.model = twin.model
      )
    ORDER BY m.created_at
    LIMIT 1;
    IF same IS NOT NULL OR query IS NULL THEN
        RETURN;
    END IF;
    FOR near IN
        SELECT m.memory_id, m.marks, m.words, m.trust
        FROM memory.nearest(tenant, asked, query, model, 5, reach) AS n
        JOIN memory.memories AS m ON m.tenant_id = tenant AND m.memory_id = n.memory_id
        WHERE n.distance < reach AND m.chunk_count = 1
        ORDER BY n.distance
    LOOP
        IF near.marks <@ memory.texts(item -> 'words')
            AND memory.texts(item -> 'marks') <@ near.words
            AND memory.trust_rank(item ->> 'trust') >= memory.trust_rank(near.trust)
        THEN
            same = near.memory_id;
            apart = NULL;
            RETURN;
        END IF;
        apart = coalesce(apart, near.memory_id);
    END LOOP;
END $$;

-- Puts a text over the one of a memory; what stood there goes into the history, and a repetition that changes neither
-- text nor metadata leaves no trace but its time. Tells whether the text has to be cut and embedded anew.
CREATE OR REPLACE FUNCTION memory.merge_into(tenant text, target uuid, item jsonb, fresh text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    at constant timestamptz = CAST(item ->> 'now' AS timestamptz);
    expiry constant timestamptz = CAST(item ->> 'expires_at' AS timestamptz);
    old memory.memories;
    new memory.memories;
BEGIN
    SELECT * INTO STRICT old FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = target;
    new = old;
    new.content = fresh;
    new.metadata = coalesce(item ->> 'metadata', old.metadata);
    new.occurred_at = coalesce(CAST(item ->> 'timestamp' AS timestamptz), old.occurred_at);
    new.updated_at = greatest(at, old.updated_at);
    IF CAST(item ->> 'chunk_count' AS integer) = 1 THEN -- the chunks of a longer text stay, and with them their session
        new.session_id = coalesce(item ->> 'session_id', old.session_id);
    END IF;
    IF item ->> 'source_kind' IS NOT NULL THEN
        new.source_kind = item ->> 'source_kind';
        new.source_id = item ->> 'source_id';
    END IF;
    new.purposes = ARRAY(
        SELECT DISTINCT purpose FROM unnest(old.purposes || memory.texts(item -> 'purposes')) AS purpose ORDER BY purpose
    );
    -- The same words from two sources are as good as the better one.
    IF memory.trust_rank(item ->> 'trust') > memory.trust_rank(old.trust) THEN
        new.trust = item ->> 'trust';
    END IF;
    -- Both were to be kept, so the later expiry holds; null is never.
    new.expires_at = CASE WHEN expiry IS NOT NULL AND old.expires_at IS NOT NULL THEN greatest(expiry, old.expires_at) END;
    IF (new.content, new.metadata) IS DISTINCT FROM (old.content, old.metadata) THEN
        new.revision = old.revision + 1;
        INSERT INTO memory.memory_revisions (tenant_id, memory_id, revision, content, metadata, session_id, trust,
            occurred_at, written_at, replaced_at)
        VALUES (tenant, target, old.revision, old.content, old.metadata, old.session_id, old.trust,
            old.occurred_at, old.updated_at, at);
    END IF;
    UPDATE memory.memories AS m
    SET content = new.content, metadata = new.metadata, session_id = new.session_id, occurred_at = new.occurred_at,
        source_kind = new.source_kind, source_id = new.source_id, purposes = new.purposes, trust = new.trust,
        expires_at = new.expires_at, revision = new.revision, updated_at = new.updated_at,
        marks = memory.texts(item -> 'marks'), words = memory.texts(item -> 'words')
    WHERE m.tenant_id = tenant AND m.memory_id = target;
    IF new.metadata <> old.metadata THEN
        DELETE FROM memory.metadata_entries AS e WHERE e.tenant_id = tenant AND e.memory_id = target;
        PERFORM memory.add_entries(tenant, target, item);
    END IF;
    RETURN new.content <> old.content OR new.session_id IS DISTINCT FROM old.session_id;
END $$;

CREATE OR REPLACE FUNCTION memory.add_entries(tenant text, target uuid, item jsonb) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id)
    SELECT tenant, CAST(entry AS uuid), target FROM unnest(memory.texts(item -> 'entries')) AS entry;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.texts(jsonb),
    memory.trust_rank(text),
    memory.twin(text, jsonb, text, text, public.halfvec),
    memory.merge_into(text, uuid, jsonb, text),
    memory.add_entries(text, uuid, jsonb)
TO memory_rw;
