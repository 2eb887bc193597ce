-- A foreign key whose columns lead no index: deleting one parent row would read the whole child table.
SELECT f.conname || ' on ' || CAST(f.conrelid AS regclass) AS found
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
WHERE c.relnamespace IN (CAST('memory' AS regnamespace), CAST('memory_admin' AS regnamespace))
  AND f.contype = 'f'
  AND NOT EXISTS (
      SELECT
      FROM pg_index AS i
      WHERE i.indrelid = f.conrelid
        AND i.indpred IS NULL
        AND f.conkey <@ ARRAY(SELECT i.indkey[place] FROM generate_series(0, cardinality(f.conkey) - 1) AS place)
  )
