-- A policy that says anything else than "this tenant's rows": permissive policies add up, so one loose one opens a table.
-- It also finds a setting that is not wrapped in a sub-select, which would be read once a row instead of once a statement.
SELECT p.polname || ' on ' || CAST(p.polrelid AS regclass) AS found
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
CROSS JOIN LATERAL (
    VALUES (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
) AS rule (words)
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND regexp_replace(rule.words, '\s+', ' ', 'g') IS DISTINCT FROM
      '(tenant_id = ( SELECT NULLIF(current_setting(''memory.tenant_id''::text, true), ''''::text) AS "nullif"))'
