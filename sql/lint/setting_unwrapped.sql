-- A setting that is read once a row instead of once a statement, because no sub-select stands around it: in a policy, a
-- view, or a statement in a function's body. In a body it may be assigned (:=), which happens once.
WITH words AS (
    SELECT p.polname || ' on ' || CAST(p.polrelid AS regclass) AS place,
        concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)) AS said
    FROM pg_policy AS p
    JOIN pg_class AS c ON c.oid = p.polrelid
    WHERE c.relnamespace = CAST('memory' AS regnamespace)
    UNION ALL
    SELECT CAST(CAST(c.oid AS regclass) AS text), pg_get_viewdef(c.oid)
    FROM pg_class AS c
    WHERE c.relnamespace = CAST('memory' AS regnamespace) AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT CAST(CAST(p.oid AS regprocedure) AS text), coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
    FROM pg_proc AS p
    WHERE p.pronamespace = CAST('memory' AS regnamespace)
)
SELECT place AS found
FROM words
WHERE regexp_replace(said, '(\(\s*select|[:]=)\s+(nullif\(\s*)?current_setting\(', '', 'gi') ~* '\mcurrent_setting\M'
