-- A partition that the application may reach by its own name, past its parent.
SELECT CAST(CAST(c.oid AS regclass) AS text) AS found
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS granted
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND c.relispartition
  AND c.relkind = 'r'
  AND granted.grantee <> c.relowner
