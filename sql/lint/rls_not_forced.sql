-- A table or partition that its owner, or everybody, reads without a policy. Only FORCE binds the owner as well.
SELECT CAST(CAST(c.oid AS regclass) AS text) AS found
FROM pg_class AS c
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND c.relkind IN ('r', 'p')
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
