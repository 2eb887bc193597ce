"""Functions that show what a way to the database does, beside those of the schema; and a table to write to."""

from tests.fix_postgres import Aurora

_SQL = """
    CREATE TABLE memory.notes (note text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
    GRANT SELECT, INSERT, DELETE ON memory.notes TO memory_rw;

    CREATE FUNCTION memory.write_note(note text) RETURNS TABLE (written text) LANGUAGE sql AS
    $$ INSERT INTO memory.notes VALUES (write_note.note) RETURNING note $$;

    CREATE FUNCTION memory.read_notes() RETURNS TABLE (note text) LANGUAGE sql AS
    $$ SELECT note FROM memory.notes ORDER BY note $$;

    CREATE FUNCTION memory.clear_notes() RETURNS TABLE (cleared bigint) LANGUAGE sql AS
    $$ WITH gone AS (DELETE FROM memory.notes RETURNING 1) SELECT count(*) FROM gone $$;

    CREATE FUNCTION memory.say_again(t text, i bigint, f double precision, b boolean, d bytea)
    RETURNS TABLE (text text, whole bigint, number double precision, flag boolean, bytes bytea) LANGUAGE sql AS
    $$ SELECT $1, $2, $3, $4, $5 $$;

    CREATE FUNCTION memory.measure(d bytea) RETURNS TABLE (bytes integer) LANGUAGE sql AS
    $$ SELECT length(d) $$;

    CREATE FUNCTION memory.fill(bytes bigint) RETURNS TABLE (filled bytea) LANGUAGE sql AS
    $$ SELECT convert_to(repeat('x', CAST(bytes AS integer)), 'UTF8') $$;

    CREATE FUNCTION memory.refuse(code text) RETURNS TABLE (never text) LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'secret words' USING ERRCODE = code; END $$;

    CREATE FUNCTION memory.who_serves() RETURNS TABLE (pid integer) LANGUAGE sql AS
    $$ SELECT pg_backend_pid() $$;

    CREATE FUNCTION memory.wait_for_lock(key bigint) RETURNS TABLE (held boolean) LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(key); RETURN QUERY SELECT true; END $$;
"""


def add_probes(aurora: Aurora) -> None:
    """Once for a migrated cluster."""
    with aurora.superuser() as superuser:
        superuser.execute(_SQL)
