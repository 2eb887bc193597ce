-- Sessions whose last episode, of whatever type, is one that failed, the latest first.
-- An episode failed if its content is an object with an `error` that is not null, false or "", or with the `status` error,
-- failed or failure.
-- Parameters: tenant, agent, first day, last day, and the two days again (yyyy-mm-dd, UTC).
WITH kept AS (
    SELECT DISTINCT id, session_id, type, "timestamp", content, metadata -- an episode can be in two objects
    FROM episodes
    WHERE tenant = ?
        AND agent = ?
        -- An object lies under the day of its first episode and holds a month at most.
        AND day BETWEEN CAST(CAST(CAST(? AS date) - INTERVAL '31' DAY AS date) AS varchar) AND ?
        AND substr("timestamp", 1, 10) BETWEEN ? AND ?
        AND (expires_at IS NULL OR from_iso8601_timestamp(expires_at) > current_timestamp)
),

judged AS (
    SELECT
        *,
        COALESCE(
            json_format(TRY(json_extract(content, '$.error'))) NOT IN ('null', 'false', '""')
            OR lower(json_extract_scalar(content, '$.status')) IN ('error', 'failed', 'failure'),
            false
        ) AS failed
    FROM kept
),

placed AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY session_id ORDER BY "timestamp" DESC, id DESC) AS from_the_end,
        count(*) OVER (PARTITION BY session_id) AS episodes
    FROM judged
)

SELECT
    session_id,
    "timestamp" AS ended_at,
    episodes,
    type AS last_type,
    id AS last_id
FROM placed
WHERE from_the_end = 1 AND failed
ORDER BY ended_at DESC, session_id
