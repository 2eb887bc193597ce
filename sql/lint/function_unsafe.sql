-- A function that runs as its owner, or that finds its tables where the caller's search_path says.
SELECT CAST(CAST(p.oid AS regprocedure) AS text) AS found
FROM pg_proc AS p
WHERE p.pronamespace IN (CAST('memory' AS regnamespace), CAST('memory_admin' AS regnamespace))
  AND (
      p.prosecdef
      OR NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%')
  )
