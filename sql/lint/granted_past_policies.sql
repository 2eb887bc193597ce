-- A right that no policy looks at: TRUNCATE empties a table for all tenants, REFERENCES asks of any row whether it is there,
-- TRIGGER runs with the rights of whoever writes.
SELECT CAST(CAST(c.oid AS regclass) AS text) || ' to ' || pg_get_userbyid(granted.grantee) AS found
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS granted
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND granted.grantee <> c.relowner
  AND granted.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
UNION ALL
SELECT CAST(CAST(c.oid AS regclass) AS text) || ' to ' || pg_get_userbyid(granted.grantee)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
CROSS JOIN LATERAL aclexplode(a.attacl) AS granted
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND granted.grantee <> c.relowner
  AND granted.privilege_type = 'REFERENCES'
