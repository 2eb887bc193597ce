-- A view that reads with its owner's rights, not the caller's.
SELECT CAST(CAST(c.oid AS regclass) AS text) AS found
FROM pg_class AS c
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND c.relkind IN ('v', 'm')
  AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)
