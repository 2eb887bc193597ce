-- The rule of facts: what follows from everything that was said of one (user, agent, subject, predicate), and of one value
-- where a predicate may have many. The same rule stands in domain/facts.py (`timeline`), and tests compare the two.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- What stands (was not retracted), as a walk through valid time: which run of equal values each row belongs to (`same`), or
-- by which run it has no effect, because that is more trusted (`outranked`) or the later word on the same time; whether it
-- takes part in its run (`joined`), or at least in how long that is kept (`kept`); and where the run ends that another
-- value closed, and by which.
-- Of rows that begin at the same time the most trusted stands, of those the last said. One that begins while something
-- more trusted holds has no effect. Otherwise it closes what holds, or, being equal to it, goes on with it.
CREATE OR REPLACE FUNCTION memory.fact_walk(
    tenant text, of_user text, of_agent text, of_subject uuid, of_predicate uuid, of_value uuid
)
RETURNS TABLE (
    fact_id uuid, run integer, same boolean, joined boolean, kept boolean, outranked boolean, cut timestamptz, cut_by integer
)
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    each record;
    runs integer = 0;
    value uuid; -- of the run
    upto timestamptz; -- where it ends so far
    ends timestamptz[] = '{}'; -- what holds lies on top, what it began in below
    ranks integer[] = '{}';
    best integer; -- of those that begin at one time, and whether it holds
    won boolean;
    ids uuid[] = '{}';
    of_runs integer[] = '{}';
    sames boolean[] = '{}';
    joineds boolean[] = '{}';
    kepts boolean[] = '{}';
    outs boolean[] = '{}';
    cuts timestamptz[] = '{}';
    cut_bys integer[] = '{}';
    top integer;
    joins boolean;
    equal boolean;
BEGIN
    FOR each IN
        SELECT f.fact_id, f.value_key, f.valid_from, least(f.valid_to, f.closed_at) AS valid_to,
            memory.trust_rank(f.trust) AS rank,
            row_number() OVER (PARTITION BY f.valid_from ORDER BY memory.trust_rank(f.trust) DESC, f.said DESC) AS place
        FROM memory.facts AS f
        WHERE f.tenant_id = tenant AND f.user_id = of_user AND f.subject_key = of_subject AND f.predicate_key = of_predicate
          AND f.agent_id IS NOT DISTINCT FROM of_agent
          AND f.retracted_by IS NULL AND f.closed_at > f.valid_from
          AND (of_value IS NULL OR f.value_key = of_value)
        ORDER BY f.valid_from, place
    LOOP
        IF each.place = 1 THEN
            WHILE cardinality(ends) > 0 AND ends[cardinality(ends)] <= each.valid_from LOOP
                ends = trim_array(ends, 1);
                ranks = trim_array(ranks, 1);
            END LOOP;
            top = cardinality(ends);
            equal = runs > 0 AND each.value_key = value;
            joins = top = 0 OR each.rank >= ranks[top];
            IF joins AND NOT (equal AND each.valid_from <= upto) THEN
                runs = runs + 1;
                IF top > 0 THEN
                    cuts[runs - 1] = each.valid_from;
                    cut_bys[runs - 1] = runs;
                END IF;
                equal = true;
                value = each.value_key;
                upto = each.valid_to;
                ends = '{}';
                ranks = '{}';
            END IF;
            IF joins THEN
                ends = ends || each.valid_to;
                ranks = ranks || each.rank;
                upto = greatest(upto, each.valid_to);
            END IF;
            best = each.rank;
            won = joins;
        ELSE
            equal = each.value_key = value;
            joins = false;
        END IF;
        ids = ids || each.fact_id;
        of_runs = of_runs || runs;
        sames = sames || equal;
        joineds = joineds || joins;
        kepts = kepts || (equal AND each.place = 1);
        outs = outs || NOT (equal OR won AND each.rank = best);
    END LOOP;
    RETURN QUERY
    SELECT w.id, w.run, w.same, w.joined, w.kept, w.outranked, coalesce(cuts[w.run], 'infinity'), cut_bys[w.run]
    FROM unnest(ids, of_runs, sames, joineds, kepts, outs) AS w (id, run, same, joined, kept, outranked);
END $$;

GRANT EXECUTE ON FUNCTION memory.fact_walk(text, text, text, uuid, uuid, uuid) TO memory_rw;
