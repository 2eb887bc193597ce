-- From one layout of the vectors to the other while everybody reads and writes (ADR 18). An index for each partition is
-- built without blocking anybody, which no transaction can do, so every step is a call of its own, is kept in
-- memory_admin.schema_jobs, and can die anywhere; what PostgreSQL says of the indexes decides what is still to be done.
-- Then one short transaction makes the indexes the table's, tells searches, and drops those of the other layout.
-- Run by the master user, who asks to be memory_owner where that can be done for one transaction. Where it cannot, in
-- building, it inherits the owner's rights for as long as a run takes.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';

-- The master user may ask which layout is in force, though not read what stands in it.
SET LOCAL ROLE memory_owner;
GRANT EXECUTE ON FUNCTION memory.vector_layout() TO SESSION_USER;
SET LOCAL ROLE NONE;

-- Indexes of a layout: what their names end in, and their definition but for name and table.
CREATE OR REPLACE FUNCTION memory_admin.vector_indexes(layout text) RETURNS TABLE (suffix text, kind text, definition text)
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    key constant text = '(tenant_id, model, agent_id, namespace_key, memory_id, ordinal) INCLUDE (purpose_mask, user_key,'
        ' session_key, occurred_at, ';
BEGIN
    CASE layout
    WHEN 'hnsw' THEN
        RETURN QUERY VALUES ('hnsw_key', 'UNIQUE INDEX', key || 'embedding)'),
            ('hnsw_graph', 'INDEX', 'USING hnsw (embedding public.halfvec_cosine_ops) WITH (m = 16, ef_construction = 64)');
    WHEN 'quantized' THEN
        RETURN QUERY VALUES ('quantized_key', 'UNIQUE INDEX', key || 'bits) WITH (fillfactor = 100)'); -- ids come in the order of time
    END CASE;
END $$;

-- Each index of each partition, whether it is there, and how it is made: absent, building, broken (whoever built it is
-- gone) or valid.
CREATE OR REPLACE FUNCTION memory_admin.vector_steps(layout text) RETURNS TABLE (step text, state text, statement text)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT CAST(p.relname AS text) || '_' || v.suffix,
        CASE WHEN i.indexrelid IS NULL THEN 'absent'
            WHEN i.indisvalid THEN 'valid'
            WHEN EXISTS (SELECT FROM pg_stat_progress_create_index AS b WHERE b.relid = p.oid) THEN 'building'
            ELSE 'broken' END,
        format('CREATE %s CONCURRENTLY %I ON memory.%I %s', v.kind, CAST(p.relname AS text) || '_' || v.suffix, p.relname, v.definition)
    FROM pg_inherits AS h
    JOIN pg_class AS p ON p.oid = h.inhrelid
    CROSS JOIN memory_admin.vector_indexes(layout) AS v
    LEFT JOIN pg_class AS c ON c.relnamespace = p.relnamespace AND c.relname = CAST(p.relname AS text) || '_' || v.suffix
    LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
    WHERE h.inhparent = CAST('memory.chunks' AS regclass)
    ORDER BY v.suffix DESC, p.relname;
END $$;

CREATE OR REPLACE FUNCTION memory_admin.inherit_owner(inherited boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    IF inherited THEN
        GRANT memory_owner TO CURRENT_USER WITH INHERIT TRUE, SET FALSE;
    ELSE
        EXECUTE format('REVOKE memory_owner FROM %I GRANTED BY %I', current_user, current_user);
    END IF;
    RETURN inherited;
END $$;

-- Drops the indexes of a layout that is not in force, or one of them.
CREATE OR REPLACE FUNCTION memory_admin.drop_vector_indexes(layout text, only_step text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1s' AS $$
DECLARE
    leftovers constant text[] = ARRAY(SELECT s.step FROM memory_admin.vector_steps(layout) AS s
        WHERE s.state <> 'absent' AND s.step = coalesce(only_step, s.step));
    leftover text;
BEGIN
    PERFORM set_config('role', 'memory_owner', true);
    FOREACH leftover IN ARRAY leftovers LOOP
        EXECUTE format('DROP INDEX memory.%I', leftover);
    END LOOP;
    PERFORM set_config('role', 'none', true);
    RETURN cardinality(leftovers) > 0;
END $$;

-- Writes down what is to be done to come to a layout; how many steps, none when it is in force.
CREATE OR REPLACE FUNCTION memory_admin.begin_layout(layout text) RETURNS integer
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    other constant text = CASE layout WHEN 'hnsw' THEN 'quantized' WHEN 'quantized' THEN 'hnsw' END;
BEGIN
    IF memory.vector_layout() = layout THEN
        PERFORM memory_admin.drop_vector_indexes(other, NULL);
        DELETE FROM memory_admin.schema_jobs WHERE name LIKE 'chunks\_%' AND state <> 'done';
        RETURN 0;
    END IF;
    DELETE FROM memory_admin.schema_jobs WHERE name LIKE 'chunks\_%' || other || '\_%';
    INSERT INTO memory_admin.schema_jobs (name)
    SELECT s.step FROM memory_admin.vector_steps(layout) AS s
    UNION ALL SELECT 'chunks_' || layout || '_switch'
    ON CONFLICT (name) DO UPDATE SET state = 'pending';
    UPDATE memory_admin.schema_jobs AS j
    SET state = CASE s.state WHEN 'valid' THEN 'done' ELSE 'pending' END, updated_at = now()
    FROM memory_admin.vector_steps(layout) AS s
    WHERE j.name = s.step;
    RETURN (SELECT count(*) FROM memory_admin.schema_jobs WHERE name LIKE 'chunks\_%' AND state <> 'done');
END $$;

-- Begins a step, or looks how far it is. What is broken is dropped, and absent then.
CREATE OR REPLACE FUNCTION memory_admin.begin_step(layout text, wanted text) RETURNS text
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    found text;
BEGIN
    SELECT s.state INTO STRICT found FROM memory_admin.vector_steps(layout) AS s WHERE s.step = wanted;
    IF found = 'broken' THEN
        PERFORM memory_admin.drop_vector_indexes(layout, wanted);
        found = 'absent';
    END IF;
    IF found = 'absent' THEN
        PERFORM memory_admin.inherit_owner(true);
    END IF;
    UPDATE memory_admin.schema_jobs AS j
    SET state = CASE found WHEN 'valid' THEN 'done' ELSE 'running' END, updated_at = now(),
        attempts = j.attempts + CASE found WHEN 'absent' THEN 1 ELSE 0 END
    WHERE j.name = wanted;
    RETURN found;
END $$;

-- The other layout, at once. False where a step is missing.
CREATE OR REPLACE FUNCTION memory_admin.switch_layout(layout text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET lock_timeout = '1s' AS $$
DECLARE
    other constant text = CASE layout WHEN 'hnsw' THEN 'quantized' WHEN 'quantized' THEN 'hnsw' END;
    changes constant text[] = ARRAY(
        SELECT format('CREATE %s %I ON ONLY memory.chunks %s', v.kind, 'chunks_' || v.suffix, v.definition)
        FROM memory_admin.vector_indexes(layout) AS v
    ) || ARRAY(
        SELECT format('ALTER INDEX memory.%I ATTACH PARTITION memory.%I', 'chunks_' || v.suffix, s.step)
        FROM memory_admin.vector_indexes(layout) AS v
        JOIN memory_admin.vector_steps(layout) AS s ON right(s.step, length(v.suffix)) = v.suffix
    ) || ARRAY(
        SELECT format('DROP INDEX IF EXISTS memory.%I', 'chunks_' || v.suffix) -- with those of its partitions
        FROM memory_admin.vector_indexes(other) AS v
    ) || format('CREATE OR REPLACE FUNCTION memory.vector_layout() RETURNS text LANGUAGE plpgsql STABLE SECURITY INVOKER'
        ' SET search_path = pg_catalog AS %L', format('BEGIN RETURN %L; END', layout));
    change text;
BEGIN
    IF memory.vector_layout() <> layout THEN
        IF EXISTS (SELECT FROM memory_admin.vector_steps(layout) AS s WHERE s.state <> 'valid') THEN
            RETURN false;
        END IF;
        PERFORM set_config('role', 'memory_owner', true);
        LOCK TABLE memory.chunks IN ACCESS EXCLUSIVE MODE; -- with its partitions, before anything else
        FOREACH change IN ARRAY changes LOOP
            EXECUTE change;
        END LOOP;
        PERFORM set_config('role', 'none', true);
    END IF;
    UPDATE memory_admin.schema_jobs SET state = 'done', updated_at = now() WHERE name LIKE 'chunks\_%' AND state <> 'done';
    RETURN true;
END $$;
