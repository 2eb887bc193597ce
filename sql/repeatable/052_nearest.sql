-- The memories nearest to a vector, within one tenant: the walk over what the plan's statement gives. Where the graph comes
-- to its end with less than was asked for, the exact plan answers.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- Whether a memory lives and is what was asked for, as far as its chunks cannot tell.
CREATE OR REPLACE FUNCTION memory.fits(tenant text, found memory.memories, asked jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    -- Keys of chunks are hashes, and a hash can be met on purpose: the ids themselves decide.
    RETURN found.memory_id IS NOT NULL
        AND (NOT asked ? 'namespace_key' OR found.namespace = asked ->> 'namespace')
        AND (NOT asked ? 'user_key' OR found.user_id IS NOT DISTINCT FROM asked ->> 'user_id')
        AND (NOT asked ? 'session_key' OR found.session_id = asked ->> 'session_id')
        AND (NOT asked ? 'one_chunk' OR found.chunk_count = 1)
        AND (NOT asked ? 'purposes' OR (found.purposes @> memory.texts(asked -> 'purposes') AND found.purposes <@ memory.texts(asked -> 'purposes')))
        AND (NOT asked ? 'shown_for' OR cardinality(found.purposes) = 0 OR asked ->> 'shown_for' = ANY (found.purposes))
        AND (NOT asked ? 'except_namespace' OR found.namespace <> asked ->> 'except_namespace')
        AND (NOT asked ? 'min_trust' OR memory.trust_rank(found.trust) >= memory.trust_rank(asked ->> 'min_trust'))
        AND (found.expires_at IS NULL OR found.expires_at > CAST(asked ->> 'now' AS timestamptz))
        AND (asked ->> 'from' IS NULL OR found.occurred_at >= CAST(asked ->> 'from' AS timestamptz))
        AND (asked ->> 'to' IS NULL OR found.occurred_at <= CAST(asked ->> 'to' AS timestamptz))
        AND (asked #> '{entries,0}' IS NULL OR NOT EXISTS (
            SELECT
            FROM jsonb_array_elements_text(asked -> 'entries') AS entry (hash)
            WHERE NOT EXISTS (
                SELECT
                FROM memory.metadata_entries AS e
                WHERE e.tenant_id = tenant AND e.entry = CAST(entry.hash AS uuid) AND e.memory_id = found.memory_id
            )
        ));
END $$;

CREATE OR REPLACE FUNCTION memory.is_wanted(tenant text, candidate uuid, asked jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    found memory.memories;
BEGIN
    -- By the primary key alone: more conditions in here would tempt the planner to another index.
    SELECT * INTO found FROM memory.memories AS m WHERE m.tenant_id = tenant AND m.memory_id = candidate;
    RETURN memory.fits(tenant, found, asked);
END $$;

-- Up to `wanted` live memories within `reach`, nearest first, each by its nearest chunk.
CREATE OR REPLACE FUNCTION memory.nearest(
    tenant text, asked jsonb, query public.halfvec, model text, wanted integer, reach double precision
) RETURNS TABLE (memory_id uuid, ordinal integer, distance double precision)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET hnsw.ef_search = 100 SET hnsw.iterative_scan = relaxed_order AS $$
#variable_conflict use_column
DECLARE
    best record;
    plan text;
    depth integer = 4 * wanted + 40; -- a few chunks of one memory, a few expired ones
    walk refcursor;
    near record;
    enough boolean;
    seen integer;
    beyond integer;
    ids uuid[];
    places integer[];
    distances double precision[];
BEGIN
    SELECT * INTO best FROM memory.nearest_plan(tenant, asked);
    IF best.plan = 'bits' THEN
        RETURN QUERY SELECT * FROM memory.nearest_by_bits(tenant, asked, query, model, wanted, reach);
        RETURN;
    END IF;
    FOREACH plan IN ARRAY ARRAY[best.plan, CASE best.plan WHEN 'graph' THEN best.asked ->> 'otherwise' ELSE best.plan END] LOOP
        ids = '{}';
        places = '{}';
        distances = '{}';
        seen = 0;
        beyond = 0;
        enough = false;
        -- Where sorting is ruled out only the graph gives an order, whatever it seems to cost.
        PERFORM set_config('enable_sort', CASE plan WHEN 'graph' THEN 'off' ELSE 'on' END, true);
        OPEN walk FOR EXECUTE memory.nearest_sql(plan, asked)
            USING tenant, query, model, best.asked, CASE plan WHEN 'graph' THEN NULL ELSE depth END;
        PERFORM set_config('enable_sort', 'on', true);
        LOOP
            FETCH walk INTO near;
            EXIT WHEN NOT FOUND;
            seen = seen + 1;
            IF near.distance > reach THEN -- the graph's order is only nearly right, so a few more rows are looked at
                beyond = beyond + 1;
                enough = plan <> 'graph' OR beyond > 40;
                EXIT WHEN enough;
                CONTINUE;
            END IF;
            CONTINUE WHEN near.memory_id = ANY (ids) OR NOT memory.is_wanted(tenant, near.memory_id, asked);
            ids = ids || near.memory_id;
            places = places || near.ordinal;
            distances = distances || near.distance;
            enough = cardinality(ids) = wanted;
            EXIT WHEN enough;
        END LOOP;
        CLOSE walk;
        -- An exact plan that read less than its depth has read everything.
        EXIT WHEN enough OR (plan <> 'graph' AND seen < coalesce(depth, seen + 1));
        depth = NULL;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(ids, places, distances) AS found (memory_id, ordinal, distance) ORDER BY distance, memory_id DESC;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.fits(text, memory.memories, jsonb),
    memory.is_wanted(text, uuid, jsonb),
    memory.nearest(text, jsonb, public.halfvec, text, integer, double precision)
TO memory_rw;
