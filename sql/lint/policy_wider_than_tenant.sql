-- A policy that says anything else than "this tenant's rows": permissive policies add up, so one loose one opens a table.
SELECT p.polname || ' on ' || CAST(p.polrelid AS regclass) AS found
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
CROSS JOIN LATERAL (
    VALUES (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
) AS rule (words)
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND regexp_replace(regexp_replace(rule.words, '[:]{2}text', '', 'g'), '\s+', ' ', 'g') IS DISTINCT FROM
      '(tenant_id = ( SELECT NULLIF(current_setting(''memory.tenant_id'', true), '''') AS "nullif"))'
