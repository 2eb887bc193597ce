-- A table or partition whose policies do not hold for both the application and the owner, for reading and for writing.
SELECT CAST(CAST(c.oid AS regclass) AS text) AS found
FROM pg_class AS c
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (
      SELECT
      FROM pg_policy AS p
      WHERE p.polrelid = c.oid
        AND p.polpermissive
        AND p.polcmd = '*'
        AND p.polqual IS NOT NULL
        AND p.polwithcheck IS NOT NULL
        AND p.polroles @> CAST(ARRAY[to_regrole('memory_rw'), to_regrole('memory_owner')] AS oid[])
  )
