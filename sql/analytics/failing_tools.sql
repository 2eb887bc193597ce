-- Tools whose calls fail, and how often.
-- A tool call failed if its content is an object with an `error` that is not null, false or "", or with the `status` error,
-- failed or failure. The tool is what `tool`, `tool_name` or `name` in its content, or else `tool` in its metadata says.
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

calls AS (
    SELECT
        failed,
        "timestamp",
        COALESCE(
            json_extract_scalar(content, '$.tool'),
            json_extract_scalar(content, '$.tool_name'),
            json_extract_scalar(content, '$.name'),
            json_extract_scalar(metadata, '$.tool'),
            '(unnamed)'
        ) AS tool
    FROM judged
    WHERE type = 'tool_call'
)

SELECT
    tool,
    count(*) AS calls,
    count(*) FILTER (WHERE failed) AS failures,
    CAST(100 * count(*) FILTER (WHERE failed) / count(*) AS integer) AS percent_failed,
    max("timestamp") FILTER (WHERE failed) AS last_failure
FROM calls
GROUP BY tool
HAVING count(*) FILTER (WHERE failed) > 0
ORDER BY failures DESC, tool
