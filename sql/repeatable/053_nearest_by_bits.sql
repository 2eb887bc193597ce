-- The memories nearest to a vector in the quantised layout: the signs of all vectors are compared with the query's, in an
-- index that holds nothing else; the most alike are compared again, and only the best of these by their vectors (ADR 18).
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Loads pgvector, without which its types and settings may not be named.
SELECT CAST(CAST('[1]' AS public.vector) AS text);

-- How many numbers of a vector say something: a shorter one is filled up with zeros.
CREATE OR REPLACE FUNCTION memory.bits_said(query public.halfvec) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN greatest(1, bit_count(public.binary_quantize(query))
        + bit_count(public.binary_quantize(CAST(array_fill(CAST(0 AS real), ARRAY[1024]) AS public.halfvec) OPERATOR(public.-) query)));
END $$;

-- By how much the query's numbers are moved to be told apart better than by their signs: 0.8 of their spread.
CREATE OR REPLACE FUNCTION memory.bits_step(query public.halfvec) RETURNS public.halfvec
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CAST(array_fill(CAST(0.8 * public.l2_norm(query) / sqrt(memory.bits_said(query)) AS real), ARRAY[1024]) AS public.halfvec);
END $$;

-- $1 tenant, $2 the vector, $3 model, $4 what is asked, $5 the size of the shortlist, $6 how many of it are compared by
-- their vectors, $7 how many candidates may be looked at for the shortlist, $8 the step.
-- `sieved` asks each candidate's memory whether it is wanted before it takes a place in the shortlist.
CREATE OR REPLACE FUNCTION memory.bits_sql(asked jsonb, sieved boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
DECLARE
    -- OFFSET 0 keeps what is read apart from how it is chosen and sorted.
    alike constant text = format(
        'SELECT a.* FROM (SELECT c.memory_id, c.ordinal, c.agent_id, c.namespace_key, c.bits,'
        ' c.bits OPERATOR(public.<~>) public.binary_quantize($2) AS differing'
        ' FROM memory.chunks AS c WHERE %s OFFSET 0) AS a%s ORDER BY a.differing, a.memory_id DESC, a.ordinal LIMIT $7',
        memory.chunk_filter(asked),
        -- A set that is made once: IS TRUE keeps it from being a join.
        CASE WHEN asked ? 'rarest' THEN ' WHERE (a.memory_id IN (SELECT e.memory_id FROM memory.metadata_entries AS e'
            ' WHERE e.tenant_id = $1 AND e.entry = CAST($4 ->> ''rarest'' AS uuid))) IS TRUE' ELSE '' END);
    shortlist constant text = CASE WHEN sieved THEN format(
        'SELECT s.* FROM (%s) AS s CROSS JOIN LATERAL (SELECT each AS memory FROM memory.memories AS each'
        ' WHERE each.tenant_id = $1 AND each.memory_id = s.memory_id OFFSET 0) AS m'
        ' WHERE memory.fits($1, m.memory, $4) ORDER BY s.differing, s.memory_id DESC, s.ordinal LIMIT $5', alike)
        ELSE alike END;
    exactly constant text = 'SELECT c.embedding OPERATOR(public.<=>) $2 AS distance FROM memory.chunks AS c'
        ' WHERE c.tenant_id = $1 AND c.model = $3 AND c.agent_id = f.agent_id AND c.namespace_key = f.namespace_key'
        ' AND c.ordinal = f.ordinal';
BEGIN
    RETURN format(
        'SELECT f.memory_id, f.ordinal, e.distance, f.shortlisted FROM ('
        'SELECT s.*, count(*) OVER () AS shortlisted FROM (%s) AS s ORDER BY s.differing'
        ' + (s.bits OPERATOR(public.<~>) public.binary_quantize($2 OPERATOR(public.-) $8))'
        ' + (s.bits OPERATOR(public.<~>) public.binary_quantize($2 OPERATOR(public.+) $8)), s.memory_id DESC, s.ordinal LIMIT $6'
        ') AS f CROSS JOIN LATERAL ('
        -- The first chunk is found by the hash of its memory, one page away. That would find all chunks of a long text, so the
        -- others are found by the whole key; so is every one where there are no statistics to tell that a hash finds few.
        '%s AND f.ordinal = 0 AND c.memory_id = f.memory_id'
        ' UNION ALL %s AND f.ordinal > 0 AND c.memory_id >= f.memory_id AND c.memory_id <= f.memory_id'
        ' OFFSET 0) AS e ORDER BY e.distance, f.memory_id DESC, f.ordinal', shortlist, exactly, exactly);
END $$;

-- What is asked, with the rarest of its metadata, when so few memories have that that a search may keep them all in mind.
CREATE OR REPLACE FUNCTION memory.bits_asked(tenant text, asked jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    fewest integer = 20000;
    found integer;
    wanted text;
    told jsonb = asked - 'rarest';
BEGIN
    FOR wanted IN SELECT jsonb_array_elements_text(coalesce(asked -> 'entries', '[]')) LOOP
        SELECT count(*) INTO found FROM (
            SELECT FROM memory.metadata_entries AS e
            WHERE e.tenant_id = tenant AND e.entry = CAST(wanted AS uuid) LIMIT fewest + 1
        ) AS counted;
        IF found <= fewest THEN
            fewest = found;
            told = asked || jsonb_build_object('rarest', wanted);
        END IF;
    END LOOP;
    RETURN told;
END $$;

-- As `nearest`. What is not in the index beside the bits (expiry, trust, metadata that many have) is asked of those that
-- come out near; only where one of them is unwanted, of all that might take a place in the shortlist.
CREATE OR REPLACE FUNCTION memory.nearest_by_bits(
    tenant text, asked jsonb, query public.halfvec, model text, wanted integer, reach double precision
) RETURNS TABLE (memory_id uuid, ordinal integer, distance double precision)
LANGUAGE plpgsql SECURITY INVOKER ROWS 10 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    told constant jsonb = memory.bits_asked(tenant, asked);
    step constant public.halfvec = memory.bits_step(query);
    sieved boolean = asked #> '{entries,0}' IS NOT NULL AND NOT told ? 'rarest';
    -- Fewer numbers have fewer signs to choose by, so more is compared.
    compared integer = CAST((50 + 3 * wanted) * greatest(1, 768.0 / memory.bits_said(query)) AS integer);
    looked_at integer;
    near record;
    seen integer; -- of the shortlist, by their vectors
    shortlisted integer;
    unwanted boolean;
    enough boolean;
    ids uuid[];
    places integer[];
    distances double precision[];
BEGIN
    LOOP
        -- 200 for ten that are wanted. A sieve stops when it has as many, so it may look at more.
        looked_at = coalesce(looked_at, compared * 5 / 2 * CASE WHEN sieved THEN 8 ELSE 1 END);
        ids = '{}';
        places = '{}';
        distances = '{}';
        seen = 0;
        shortlisted = 0;
        unwanted = false;
        enough = false;
        FOR near IN EXECUTE memory.bits_sql(told, sieved)
            USING tenant, query, model, told, compared * 5 / 2, compared, looked_at, step
        LOOP
            shortlisted = near.shortlisted;
            seen = least(compared, shortlisted);
            enough = near.distance > reach;
            EXIT WHEN enough;
            CONTINUE WHEN near.memory_id = ANY (ids);
            IF NOT sieved AND NOT memory.is_wanted(tenant, near.memory_id, asked) THEN
                unwanted = true;
                CONTINUE;
            END IF;
            ids = ids || near.memory_id;
            places = places || near.ordinal;
            distances = distances || near.distance;
            enough = cardinality(ids) = wanted;
            EXIT WHEN enough;
        END LOOP;
        IF NOT sieved THEN
            EXIT WHEN seen < compared OR (enough AND NOT unwanted); -- everything was compared, or enough
            sieved = unwanted;
            IF NOT unwanted THEN -- many chunks of few memories
                compared = compared * 4;
            END IF;
            looked_at = NULL;
        ELSIF shortlisted = compared * 5 / 2 THEN
            EXIT WHEN enough;
            compared = compared * 4;
            looked_at = looked_at * 4;
        ELSE
            EXIT WHEN (enough OR seen < compared) AND memory.scope_size(tenant, asked, looked_at + 1) <= looked_at;
            compared = CASE WHEN enough OR seen < compared THEN compared ELSE compared * 4 END;
            looked_at = looked_at * 8;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(ids, places, distances) AS found (memory_id, ordinal, distance) ORDER BY distance, memory_id DESC;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.bits_said(public.halfvec),
    memory.bits_step(public.halfvec),
    memory.bits_sql(jsonb, boolean),
    memory.bits_asked(text, jsonb),
    memory.nearest_by_bits(text, jsonb, public.halfvec, text, integer, double precision)
TO memory_rw;
