-- A way past row-level security by a role: whoever owns the tables or carries the grants logs in, or is somebody else than
-- memory_owner; a login has the owner's rights without asking for them; a holder of our roles is a superuser or has
-- BYPASSRLS; or both of the application's roles log in, of which a deployment uses one.
WITH RECURSIVE held AS (
    SELECT r.rolname AS role, r.oid AS holder, true AS inherited
    FROM pg_roles AS r
    WHERE r.rolname IN ('memory_owner', 'memory_migrator', 'memory_rw')
    UNION
    SELECT h.role, m.member, h.inherited AND m.inherit_option
    FROM held AS h
    JOIN pg_auth_members AS m ON m.roleid = h.holder
)
SELECT h.role || ' logs in' AS found
FROM held AS h
JOIN pg_roles AS r ON r.oid = h.holder
WHERE r.rolname = h.role AND r.rolcanlogin
UNION
SELECT r.rolname || ' is above row-level security'
FROM held AS h
JOIN pg_roles AS r ON r.oid = h.holder
WHERE r.rolsuper OR r.rolbypassrls
UNION
SELECT r.rolname || ' is the owner without asking'
FROM held AS h
JOIN pg_roles AS r ON r.oid = h.holder
WHERE h.role = 'memory_owner' AND h.inherited AND r.rolcanlogin
UNION
SELECT c.relname || ' belongs to ' || pg_get_userbyid(c.relowner)
FROM pg_class AS c
WHERE c.relnamespace = CAST('memory' AS regnamespace) AND c.relowner <> to_regrole('memory_owner')
UNION
SELECT p.proname || ' belongs to ' || pg_get_userbyid(p.proowner)
FROM pg_proc AS p
WHERE p.pronamespace = CAST('memory' AS regnamespace) AND p.proowner <> to_regrole('memory_owner')
UNION
SELECT 'two logins of the application'
FROM pg_roles AS r
WHERE r.rolname IN ('memory_app', 'memory_app_iam') AND r.rolcanlogin
HAVING count(*) > 1
