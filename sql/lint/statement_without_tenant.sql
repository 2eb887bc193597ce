-- A statement of a function that names a table of tenants' rows more often than a tenant: it leans on the policies alone. Two
-- walls stand only as long as neither is taken for granted, and without the condition no partition is ruled out either.
SELECT CAST(CAST(p.oid AS regprocedure) AS text) || ' ' || regexp_replace(statement.words, '\s+', ' ', 'g') AS found
FROM pg_proc AS p
CROSS JOIN LATERAL regexp_split_to_table(p.prosrc, chr(59)) AS statement (words)
WHERE p.pronamespace = CAST('memory' AS regnamespace)
  AND regexp_count(statement.words, '\m(from|join|update|into|using|only)\s+memory\.\w+(?!\w*\()', 1, 'i')
      -- A condition that is put in from elsewhere (%s) is not seen here.
      > regexp_count(statement.words, '\mtenant_id\M|\mwhere %s', 1, 'i')
