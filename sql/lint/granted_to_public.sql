-- Anything of ours that PUBLIC, that is every role there will ever be, may use.
SELECT kind || ' ' || name AS found
FROM (
    SELECT 'relation', CAST(CAST(oid AS regclass) AS text), relacl, 'r', relowner
    FROM pg_class
    WHERE relnamespace IN (CAST('memory' AS regnamespace), CAST('memory_admin' AS regnamespace))
      AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'function', CAST(CAST(oid AS regprocedure) AS text), proacl, 'f', proowner
    FROM pg_proc
    WHERE pronamespace IN (CAST('memory' AS regnamespace), CAST('memory_admin' AS regnamespace))
    UNION ALL
    SELECT 'schema', nspname, nspacl, 'n', nspowner
    FROM pg_namespace
    WHERE nspname IN ('memory', 'memory_admin', 'public')
    UNION ALL
    SELECT 'database', datname, datacl, 'd', datdba
    FROM pg_database
    WHERE datname = current_database()
) AS object (kind, name, acl, type, owner)
WHERE EXISTS (
    SELECT FROM aclexplode(coalesce(acl, acldefault(CAST(type AS "char"), owner))) WHERE grantee = 0
)
