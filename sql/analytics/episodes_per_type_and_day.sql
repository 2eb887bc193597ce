-- How many episodes of each type there are on each day, and of how many sessions.
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
)

SELECT
    substr("timestamp", 1, 10) AS happened_on,
    type,
    count(*) AS episodes,
    count(DISTINCT session_id) AS sessions
FROM kept
GROUP BY 1, 2
ORDER BY 1, 2
