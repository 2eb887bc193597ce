-- What is known of users, in two times: when it holds (valid) and since when that is believed (known). What was said is a
-- row of `facts` that stays as it is; what follows from all that was said is a row of `fact_versions` for each belief,
-- which ends when another one takes its place. Reading is looking at the beliefs of a known time; the rule that makes them
-- is domain/facts.py and, the same, repeatable/110_fact_timeline.sql.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '40s';
SET LOCAL ROLE memory_owner;

-- All facts of a user: whoever changes one takes this row first, so changes follow one another. `version` grows with every
-- change, and so does `known_at`, whatever the clocks of functions say.
CREATE TABLE memory.fact_bundles (
    tenant_id text COLLATE "C" NOT NULL,
    user_id   text COLLATE "C" NOT NULL,
    version   bigint           NOT NULL,
    known_at  timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
COMMENT ON TABLE memory.fact_bundles IS 'The version of what is known of a user, and the lock of its changes.';

-- What was said. What says the same as an earlier one belongs to it: `owner_id` is the fact under which callers know it.
CREATE TABLE memory.facts (
    tenant_id     text COLLATE "C" NOT NULL,
    fact_id       uuid             NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    agent_id      text COLLATE "C", -- null is known to all agents of the user
    subject       text             NOT NULL, -- as written
    predicate     text             NOT NULL,
    subject_key   uuid             NOT NULL, -- hashes of the normal forms (domain/fact_names.py)
    predicate_key uuid             NOT NULL,
    cardinality   text             NOT NULL CHECK (cardinality IN ('one', 'many')),
    value         text             NOT NULL, -- JSON as written
    value_key     uuid             NOT NULL, -- hash of the JSON value
    valid_from    timestamptz      NOT NULL,
    valid_to      timestamptz      NOT NULL CHECK (valid_to > valid_from), -- infinity where no end was said
    -- What closed it has expired and is gone; closed it stays.
    closed_at     timestamptz      NOT NULL DEFAULT 'infinity',
    said          bigint           NOT NULL, -- the order in which it was said of the user
    trust         text             NOT NULL CHECK (trust IN ('direct_user', 'inference', 'tool_internal', 'tool_external')),
    session_id    text COLLATE "C",
    source_kind   text,
    source_id     text,
    metadata      text             NOT NULL, -- JSON as written
    purposes      text[]           NOT NULL,
    expires_at    timestamptz, -- null is never
    recorded_at   timestamptz      NOT NULL,
    owner_id      uuid             NOT NULL,
    retracted_by  uuid, -- the fact with which it was retracted
    PRIMARY KEY (tenant_id, fact_id)
);
COMMENT ON TABLE memory.facts IS 'What was said of users; the value of a fact is never changed.';
CREATE UNIQUE INDEX facts_scope_idx ON memory.facts (tenant_id, user_id, subject_key, predicate_key, said);
CREATE INDEX facts_owner_idx ON memory.facts (tenant_id, owner_id);
CREATE INDEX facts_agent_idx ON memory.facts (tenant_id, agent_id) WHERE agent_id IS NOT NULL;

-- What was believed of a fact, from known_from until known_to. No valid times: it held at no time.
CREATE TABLE memory.fact_versions (
    tenant_id  text COLLATE "C" NOT NULL,
    fact_id    uuid             NOT NULL,
    known_from timestamptz      NOT NULL,
    known_to   timestamptz      NOT NULL DEFAULT 'infinity' CHECK (known_to > known_from),
    user_id    text COLLATE "C" NOT NULL,
    valid_from timestamptz,
    valid_to   timestamptz CHECK (valid_to > valid_from),
    why        text             NOT NULL
        CHECK (why IN ('asserted', 'superseded', 'outranked', 'corrected', 'merged', 'retracted', 'restored')),
    by_id      uuid, -- the fact because of which, where there is one
    said_by    uuid             NOT NULL, -- the row of `facts` whose words these are
    purposes   text[]           NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, fact_id, known_from),
    FOREIGN KEY (tenant_id, fact_id) REFERENCES memory.facts ON DELETE CASCADE
);
COMMENT ON TABLE memory.fact_versions IS 'Beliefs about facts, each for as long as it was held.';
CREATE INDEX fact_versions_known_idx ON memory.fact_versions (tenant_id, user_id, known_to, valid_to);
CREATE INDEX fact_versions_said_idx ON memory.fact_versions (tenant_id, said_by);
CREATE INDEX fact_versions_expired_idx ON memory.fact_versions (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['fact_bundles', 'facts', 'fact_versions'] LOOP
        EXECUTE format('ALTER TABLE memory.%I SET (vacuum_index_cleanup = on)', guarded);
        EXECUTE format('ALTER TABLE memory.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format(
            'CREATE POLICY %I ON memory.%I TO memory_rw, memory_owner'
            ' USING (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))'
            ' WITH CHECK (tenant_id = (SELECT nullif(current_setting(''memory.tenant_id'', true), '''')))',
            guarded || '_tenant', guarded);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON memory.%I TO memory_rw', guarded);
    END LOOP;
END $$;
GRANT UPDATE (version, known_at) ON memory.fact_bundles TO memory_rw;
GRANT UPDATE (closed_at, owner_id, retracted_by) ON memory.facts TO memory_rw;
GRANT UPDATE (known_to) ON memory.fact_versions TO memory_rw;
