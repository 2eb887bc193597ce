-- A unique key or foreign key that does not begin with the tenant: it would tell one tenant what another one holds. So does
-- a sequence that all draw from: its gaps are what the others took.
SELECT CAST(CAST(i.indexrelid AS regclass) AS text) AS found
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND i.indisunique
  AND a.attname IS DISTINCT FROM 'tenant_id'
UNION ALL
SELECT f.conname
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND f.contype = 'f'
  AND a.attname <> 'tenant_id'
UNION ALL
SELECT CAST(CAST(c.oid AS regclass) AS text)
FROM pg_class AS c
WHERE c.relnamespace = CAST('memory' AS regnamespace)
  AND c.relkind = 'S'
