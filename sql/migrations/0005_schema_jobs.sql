-- Work on the schema that outlasts one call of the schema function, such as building a vector index on each partition.
-- One row per step makes it resumable: a step that was cut off is still `running`, and is begun again.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';

CREATE TABLE memory_admin.schema_jobs (
    name       text        PRIMARY KEY, -- what is built, e.g. the index's name
    state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'done', 'failed')),
    attempts   integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE memory_admin.schema_jobs IS 'Resumable steps of long work on the schema.';
GRANT SELECT ON memory_admin.schema_jobs TO memory_rw;
