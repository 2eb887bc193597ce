-- Facts as the functions of the API receive them, and the one place that reads what was believed.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

CREATE OR REPLACE FUNCTION memory.finite_micros(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN CASE WHEN isfinite(moment) THEN memory.to_micros(moment) END;
END $$;

-- A belief and the words it is about: times as microseconds since 1970 (null for no end), JSON as the text that came in.
CREATE OR REPLACE FUNCTION memory.describe_fact(v memory.fact_versions, f memory.facts) RETURNS text
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog AS $$
BEGIN
    RETURN jsonb_build_object(
        'id', v.fact_id,
        'user_id', v.user_id,
        'agent_id', f.agent_id,
        'subject', f.subject,
        'predicate', f.predicate,
        'cardinality', f.cardinality,
        'value', f.value,
        'valid_from', memory.finite_micros(v.valid_from),
        'valid_to', memory.finite_micros(v.valid_to),
        'known_from', memory.finite_micros(v.known_from),
        'known_to', memory.finite_micros(v.known_to),
        'why', v.why,
        'by', v.by_id,
        'trust', f.trust,
        'session_id', f.session_id,
        'source_kind', f.source_kind,
        'source_id', f.source_id,
        'metadata', f.metadata,
        'purposes', v.purposes,
        'expires_at', memory.finite_micros(v.expires_at)
    );
END $$;

-- What is believed of a user at a known time (null for now) to hold at a valid time, the newest first, behind a position.
-- `asked` {now, as_of, known_at, agent_id, subject_key, predicate_key, purpose, after_at, after_id, limit}. An agent knows
-- its own facts and those that all agents of the user know. Where the predicate is asked for, its rows are looked up first,
-- else what is believed.
CREATE OR REPLACE FUNCTION memory.facts_at(tenant text, of_user text, asked jsonb)
RETURNS TABLE (version memory.fact_versions, fact memory.facts)
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    as_of constant text = 'CAST($3 ->> ''as_of'' AS timestamptz)';
    known constant text = 'CAST($3 ->> ''known_at'' AS timestamptz)';
    believed constant text = 'v.user_id = $2'
        || CASE WHEN asked ? 'known_at' THEN format(' AND v.known_from <= %1$s AND v.known_to > %1$s', known)
            ELSE ' AND v.known_to = ''infinity''' END
        || format(' AND v.valid_from <= %1$s AND v.valid_to > %1$s', as_of)
        || ' AND (v.purposes = ''{}'' OR $3 ->> ''purpose'' = ANY (v.purposes))'
        ' AND (s.upto IS NULL OR s.upto > CAST($3 ->> ''now'' AS timestamptz))'
        || CASE WHEN asked ? 'after_id' THEN ' AND (s.valid_from, v.fact_id)'
            ' < (CAST($3 ->> ''after_at'' AS timestamptz), CAST($3 ->> ''after_id'' AS uuid))' ELSE '' END;
    -- How long a fact is kept is what is believed of that now, whatever was believed at the known time.
    latest constant text = CASE WHEN asked ? 'known_at' THEN
        ' CROSS JOIN LATERAL (SELECT each.expires_at, each.views FROM memory.fact_versions AS each'
        ' WHERE each.tenant_id = $1 AND each.fact_id = v.fact_id AND each.known_to = ''infinity'' OFFSET 0) AS k'
        ' CROSS JOIN LATERAL (SELECT CASE WHEN count(*) > 0 THEN max(w.expires_at) ELSE k.expires_at END AS upto'
        ' FROM unnest(k.views) AS w WHERE w.purpose = $3 ->> ''purpose'') AS l' ELSE '' END;
    -- What the reader may see of it (109): those that may be shown are counted before whole rows are read.
    seen constant text = latest || format(
        ' CROSS JOIN LATERAL (SELECT v.valid_from, %2$s AS upto WHERE v.views = ''{}'''
        ' UNION ALL SELECT w.valid_from, %3$s FROM unnest(v.views) AS w'
        ' WHERE w.purpose = $3 ->> ''purpose'' AND w.valid_from <= %1$s AND w.valid_to > %1$s OFFSET 0) AS s', as_of,
        CASE latest WHEN '' THEN 'v.expires_at' ELSE 'l.upto' END, CASE latest WHEN '' THEN 'w.expires_at' ELSE 'l.upto' END);
    named constant text = 'f.user_id = $2'
        || CASE WHEN asked ? 'agent_id' THEN ' AND (f.agent_id IS NULL OR f.agent_id = $3 ->> ''agent_id'')' ELSE '' END
        || CASE WHEN asked ? 'subject_key' THEN ' AND f.subject_key = CAST($3 ->> ''subject_key'' AS uuid)' ELSE '' END
        || CASE WHEN asked ? 'predicate_key' THEN ' AND f.predicate_key = CAST($3 ->> ''predicate_key'' AS uuid)' ELSE '' END;
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT w.version, w.fact FROM (SELECT v.fact_id, v.known_from, s.valid_from FROM '
        || CASE WHEN asked ? 'subject_key' AND asked ? 'predicate_key' THEN
            'memory.facts AS f CROSS JOIN LATERAL (SELECT each.* FROM memory.fact_versions AS each'
            ' WHERE each.tenant_id = $1 AND each.said_by = f.fact_id OFFSET 0) AS v%3$s WHERE f.tenant_id = $1 AND %1$s AND %2$s'
        ELSE
            'memory.fact_versions AS v%3$s'
            ' CROSS JOIN LATERAL (SELECT FROM memory.facts AS f WHERE f.tenant_id = $1 AND f.fact_id = v.said_by AND %1$s OFFSET 0) AS n'
            ' WHERE v.tenant_id = $1 AND %2$s'
        END
        || ' ORDER BY s.valid_from DESC, v.fact_id DESC LIMIT CAST($3 ->> ''limit'' AS bigint)) AS p'
        ' CROSS JOIN LATERAL (SELECT memory.fact_seen(v, array_remove(ARRAY[$3 ->> ''purpose''], NULL), %4$s) AS version'
        ' FROM memory.fact_versions AS v WHERE v.tenant_id = $1 AND v.fact_id = p.fact_id AND v.known_from = p.known_from OFFSET 0) AS b'
        ' CROSS JOIN LATERAL (SELECT b.version, f AS fact FROM memory.facts AS f'
        ' WHERE f.tenant_id = $1 AND f.fact_id = (b.version).said_by OFFSET 0) AS w ORDER BY p.valid_from DESC, p.fact_id DESC',
        named, believed, seen, as_of)
    USING tenant, of_user, asked;
END $$;

GRANT EXECUTE ON FUNCTION
    memory.finite_micros(timestamptz),
    memory.describe_fact(memory.fact_versions, memory.facts),
    memory.facts_at(text, text, jsonb)
TO memory_rw;
