-- An index that row-level security keeps from being used: before the policy has chosen the rows, only conditions that are
-- leakproof may look at them, because an error in any other could tell what stands in another tenant's row. So neither the
-- operators of an index nor what it computes or is limited by may be anything else. (Equality and order of text, uuid,
-- integers and times are leakproof; LIKE, @@, and the operators of jsonb, arrays and numeric are not.)
-- An index that only sorts, such as a vector graph, is no condition: the policy looks at each row that it hands out. What
-- its distance could tell by an error does not exist, since all vectors of a column have the same size.
WITH indexes AS (
    SELECT i.*, concat(CAST(i.indexprs AS text), CAST(i.indpred AS text)) AS computed
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indrelid
    WHERE c.relnamespace = CAST('memory' AS regnamespace)
), used AS (
    SELECT i.indexrelid, o.oprcode AS function
    FROM indexes AS i
    JOIN pg_opclass AS k ON k.oid = ANY (CAST(i.indclass AS oid[]))
    JOIN pg_am AS m ON m.oid = k.opcmethod
    JOIN pg_amop AS a ON a.amopfamily = k.opcfamily AND a.amoppurpose = 's' AND a.amoplefttype = k.opcintype
        -- Families of these hold comparisons of other types as well, which nobody asked for.
        AND (a.amoprighttype = k.opcintype OR m.amname NOT IN ('btree', 'hash'))
    JOIN pg_operator AS o ON o.oid = a.amopopr
    UNION
    SELECT i.indexrelid, CAST(CAST(called.id[1] AS oid) AS regproc)
    FROM indexes AS i
    CROSS JOIN regexp_matches(i.computed, '[:]funcid (\d+)', 'g') AS called (id)
    UNION
    SELECT i.indexrelid, o.oprcode
    FROM indexes AS i
    CROSS JOIN regexp_matches(i.computed, '[:]opno (\d+)', 'g') AS called (id)
    JOIN pg_operator AS o ON o.oid = CAST(called.id[1] AS oid)
)
SELECT CAST(u.indexrelid AS regclass) || ' uses ' || u.function AS found
FROM used AS u
JOIN pg_proc AS p ON p.oid = u.function
WHERE NOT p.proleakproof
