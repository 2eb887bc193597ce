-- A function that puts rows where no policy looks and the next caller of a pooled connection may: a large object, a
-- notification, a temporary table, a held cursor, another database, or a message, which the server's log keeps.
SELECT CAST(CAST(p.oid AS regprocedure) AS text) AS found
FROM pg_proc AS p
WHERE p.pronamespace = CAST('memory' AS regnamespace)
  AND p.prosrc ~* concat_ws('|', '\mpg_notify\M', '\mnotify\s+\w', '\mlo_(put|create|creat|from_bytea|import|export)\M',
      '\mtemp(orary)?\s+(table|view|sequence)\M', '\mon\s+commit\M', '\mwith\s+hold\M', '\mdblink', '\mcopy\s+[\w(]',
      '\mraise\s+(debug|log|info|notice|warning)\M')
