-- Search by words: which memories hold the lexemes of a query, and how much each of these tells.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- Lexemes of a memory's pieces, one a line, `length {lexeme,...} {count,...}`. When the memory is not there (its text was
-- merged into another one) there is nothing to add to.
CREATE OR REPLACE FUNCTION memory.add_postings(tenant text, id text, first_ordinal bigint, postings text) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM memory.enter_tenant(tenant);
    INSERT INTO memory.postings (tenant_id, lexeme, agent_key, namespace_key, memory_id, ordinal, tf, length)
    SELECT m.tenant_id, each.lexeme, memory.key_of(m.agent_id), memory.key_of(m.namespace), m.memory_id,
        add_postings.first_ordinal + line.place - 1, least(each.count, 32767),
        least(CAST(split_part(line.words, ' ', 1) AS integer), 32767)
    FROM memory.memories AS m
    CROSS JOIN string_to_table(add_postings.postings, E'\n') WITH ORDINALITY AS line (words, place)
    CROSS JOIN LATERAL unnest(
        CAST(split_part(line.words, ' ', 2) AS bigint[]), CAST(split_part(line.words, ' ', 3) AS integer[])
    ) AS each (lexeme, count)
    WHERE m.tenant_id = add_postings.tenant AND m.memory_id = CAST(add_postings.id AS uuid);
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;

-- The rarest of a query's lexemes, at most 32, the rarest first, each with its weight (idf over the tenant's pieces, or
-- the agent's) and how many pieces hold it. Counting ends at 40,000 pieces for all lexemes together, or 10,000 for one;
-- what is more common weighs next to nothing, whatever it is.
CREATE OR REPLACE FUNCTION memory.query_lexemes(tenant text, asked jsonb, lexemes bigint[])
RETURNS TABLE (lexeme bigint, holders bigint, weight double precision)
LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 8 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    most constant bigint = least(10000, 40000 / greatest(cardinality(lexemes), 1));
    pieces constant bigint = memory.scope_size(tenant, asked - 'namespace', 10000);
BEGIN
    RETURN QUERY EXECUTE
        'SELECT counted.lexeme, counted.holders, ln(1 + (counted.of_all - counted.held + 0.5) / (counted.held + 0.5))'
        ' FROM (SELECT each.lexeme, each.place, found.holders, greatest(found.holders, $4) AS of_all,'
        ' CAST(CASE WHEN found.holders > $3 THEN greatest(found.holders, $4) ELSE found.holders END AS double precision) AS held'
        ' FROM unnest($2) WITH ORDINALITY AS each (lexeme, place)'
        ' CROSS JOIN LATERAL (SELECT count(*) AS holders FROM (SELECT FROM memory.postings AS p'
        ' WHERE p.tenant_id = $1 AND p.lexeme = each.lexeme'
        || CASE WHEN asked ? 'agent_id' THEN ' AND p.agent_key = memory.key_of($5 ->> ''agent_id'')' ELSE '' END
        || ' LIMIT $3 + 1) AS held) AS found) AS counted'
        ' ORDER BY counted.held, counted.place LIMIT 32'
        USING tenant, lexemes, most, pieces, asked;
END $$;

-- What a piece that holds a lexeme `tf` times gains by it (domain/fusion.py): BM25, k1 1.2, b 0.4, average length 24.
CREATE OR REPLACE FUNCTION memory.gain_sql() RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 'p.tf * CAST(2.2 AS double precision) / (p.tf + CAST(1.2 AS double precision) * (CAST(0.6 AS double precision) + CAST(0.4 AS double precision) * p.length / 24))';
END $$;

-- The memories that the narrowest of the filters leaves, when these are at most `most`; else null.
CREATE OR REPLACE FUNCTION memory.narrowed_ids(tenant text, asked jsonb, most integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    narrowing record;
    found uuid[];
    fewest uuid[];
BEGIN
    FOR narrowing IN
        SELECT 'user' AS name, asked AS told WHERE asked ? 'user_id'
        UNION ALL
        SELECT 'session', asked WHERE asked ? 'session_id'
        UNION ALL
        SELECT 'metadata', asked || jsonb_build_object('rarest', entry)
        FROM jsonb_array_elements(coalesce(asked -> 'entries', '[]')) AS entry
        UNION ALL
        SELECT 'time', asked WHERE asked ?| ARRAY['from', 'to']
    LOOP
        EXECUTE format('SELECT array_agg(left_over.memory_id) FROM (%s LIMIT $2) AS left_over', memory.narrowed_sql(narrowing.name))
            INTO found USING tenant, most + 1, CAST(NULL AS text), narrowing.told;
        IF coalesce(cardinality(found), 0) <= least(most, cardinality(fewest)) THEN
            fewest = coalesce(found, '{}');
        END IF;
    END LOOP;
    RETURN fewest;
END $$;

-- The postings of a lexeme `each` in a memory `one`, of an agent with a key.
CREATE OR REPLACE FUNCTION memory.posting_sql() RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN 'SELECT p.memory_id, p.ordinal, ' || memory.gain_sql() || ' AS gain FROM memory.postings AS p WHERE p.tenant_id = $1'
        ' AND p.lexeme = each.lexeme AND p.agent_key = one.agent_key AND p.memory_id = one.memory_id OFFSET 0';
END $$;

-- Up to `wanted` memories that are as asked and hold the lexemes, the best by these first. Where few memories are left by a
-- filter the lexemes are looked up in these. Else lexemes are read from the rarest on, as long as all pieces that were read
-- are at most 10,000; the first that is held at all is always read. The others are left to `weighed`, which looks them up
-- for what was found. At most 2,000 memories are looked at: most of what is not as asked is seen to be so in passing (the
-- agent here alone), and `is_wanted` decides on the rest.
CREATE OR REPLACE FUNCTION memory.worded(
    tenant text, asked jsonb, lexemes bigint[], holders bigint[], weights double precision[], wanted integer
) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY INVOKER ROWS 30 SET search_path = pg_catalog
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    narrowed constant uuid[] = memory.narrowed_ids(tenant, asked, 1000);
    told constant text = '(SELECT said.*, sum(said.holders) OVER (ORDER BY said.place) AS total'
        ' FROM unnest($2, $3, $4) WITH ORDINALITY AS said (lexeme, holders, weight, place)) AS each';
    pieces text;
    near record;
    found integer = 0;
BEGIN
    IF narrowed IS NULL THEN
        pieces = told || ' CROSS JOIN LATERAL (SELECT p.memory_id, p.ordinal, ' || memory.gain_sql() || ' AS gain'
            ' FROM memory.postings AS p WHERE p.tenant_id = $1 AND p.lexeme = each.lexeme'
            || CASE WHEN asked ? 'agent_id' THEN ' AND p.agent_key = memory.key_of($5 ->> ''agent_id'')' ELSE '' END
            || CASE WHEN asked ? 'namespace_key' THEN ' AND p.namespace_key = CAST($5 ->> ''namespace_key'' AS bigint)' ELSE '' END
            || CASE WHEN asked ? 'except_key' THEN ' AND p.namespace_key <> CAST($5 ->> ''except_key'' AS bigint)' ELSE '' END
            || ' LIMIT each.holders) AS p WHERE each.total <= 10000 OR each.total = each.holders';
    ELSE
        pieces = '(SELECT m.memory_id, memory.key_of(m.agent_id) AS agent_key FROM unnest($6) AS few (memory_id)'
            ' CROSS JOIN LATERAL (SELECT m.* FROM memory.memories AS m WHERE m.tenant_id = $1 AND m.memory_id = few.memory_id'
            ' OFFSET 0) AS m OFFSET 0) AS one CROSS JOIN ' || told || ' CROSS JOIN LATERAL (' || memory.posting_sql() || ') AS p';
    END IF;
    FOR near IN EXECUTE
        'SELECT best.memory_id FROM (SELECT piece.memory_id'
        ' FROM (SELECT p.memory_id, p.ordinal, sum(each.weight * p.gain) AS score FROM ' || pieces
        || ' GROUP BY p.memory_id, p.ordinal) AS piece'
        ' GROUP BY piece.memory_id ORDER BY max(piece.score) DESC, piece.memory_id DESC LIMIT 2000) AS best'
        ' CROSS JOIN LATERAL (SELECT FROM memory.memories AS m WHERE m.tenant_id = $1 AND m.memory_id = best.memory_id'
        ' AND (m.expires_at IS NULL OR m.expires_at > CAST($5 ->> ''now'' AS timestamptz))'
        ' AND (m.purposes = ''{}'' OR $5 ->> ''shown_for'' = ANY (m.purposes))'
        || CASE WHEN asked ? 'agent_id' THEN ' AND m.agent_id = $5 ->> ''agent_id''' ELSE '' END
        || CASE WHEN asked ? 'from' THEN ' AND m.occurred_at >= CAST($5 ->> ''from'' AS timestamptz)' ELSE '' END
        || CASE WHEN asked ? 'to' THEN ' AND m.occurred_at <= CAST($5 ->> ''to'' AS timestamptz)' ELSE '' END
        || CASE WHEN asked ? 'user_id' THEN ' AND m.user_id = $5 ->> ''user_id''' ELSE '' END
        || CASE WHEN asked ? 'session_id' THEN ' AND m.session_id = $5 ->> ''session_id''' ELSE '' END
        || CASE WHEN asked ? 'min_trust' THEN ' AND memory.trust_rank(m.trust) >= memory.trust_rank($5 ->> ''min_trust'')' ELSE '' END
        || ' OFFSET 0) AS m'
        USING tenant, lexemes, holders, weights, asked, narrowed
    LOOP
        IF memory.is_wanted(tenant, near.memory_id, asked) THEN
            RETURN NEXT near.memory_id;
            found = found + 1;
            EXIT WHEN found = wanted;
        END IF;
    END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.add_postings(text, text, bigint, text),
    memory.query_lexemes(text, jsonb, bigint[]),
    memory.gain_sql(),
    memory.posting_sql(),
    memory.narrowed_ids(text, jsonb, integer),
    memory.worded(text, jsonb, bigint[], bigint[], double precision[], integer)
TO memory_rw;
