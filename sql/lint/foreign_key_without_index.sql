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
  -- A hash index has one column, and one of ids that differ finds the children as well.
  AND NOT EXISTS (
      SELECT
      FROM pg_index AS i
      JOIN pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_am AS m ON m.oid = c.relam
      JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = f.conrelid
        AND i.indpred IS NULL
        AND m.amname = 'hash'
        AND a.attnum = ANY (f.conkey)
        AND a.atttypid = CAST('uuid' AS regtype)
  )
