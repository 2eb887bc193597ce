-- A tenant that is set for longer than a transaction: by a function for its session, which the next caller of a pooled
-- connection would find, or by the configuration of a function, a role or a database, so that nobody has to say whose rows
-- they mean.
SELECT CAST(CAST(p.oid AS regprocedure) AS text) AS found
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_|^information_schema$'
  AND (
      regexp_replace(p.prosrc, 'set_config\(\s*''memory\.tenant_id'',[^()]*,\s*true\s*\)', '', 'gi')
          ~* 'set_config\(\s*''memory\.tenant_id'''
      OR p.prosrc ~* '\mset\s+(session\s+)?memory\.tenant_id'
      OR EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'memory.tenant\_id=%')
  )
UNION ALL
SELECT concat_ws(' in ', to_regrole(CAST(s.setrole AS text)), d.datname)
FROM pg_db_role_setting AS s
LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE EXISTS (SELECT FROM unnest(s.setconfig) AS setting WHERE setting LIKE 'memory.tenant\_id=%')
