-- What users asked more than once: the same words, whatever their case and punctuation.
-- A question is a conversation episode with a question mark that no machine said. Its text is its content, if that is text, or
-- else `text` or `content` in it; who said it is `role`, `speaker` or `type` in its content, or `role` or `speaker` in its metadata.
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

said AS (
    SELECT
        session_id,
        "timestamp",
        COALESCE(
            json_extract_scalar(content, '$.text'),
            json_extract_scalar(content, '$.content'),
            CASE WHEN substr(content, 1, 1) NOT IN ('{', '[') THEN content END
        ) AS text,
        lower(COALESCE(
            json_extract_scalar(content, '$.role'),
            json_extract_scalar(content, '$.speaker'),
            json_extract_scalar(content, '$.type'),
            json_extract_scalar(metadata, '$.role'),
            json_extract_scalar(metadata, '$.speaker'),
            'user'
        )) AS speaker
    FROM kept
    WHERE type = 'conversation'
),

questions AS (
    SELECT
        session_id,
        "timestamp",
        array_join(regexp_extract_all(lower(text), '[\p{L}\p{M}\p{N}]+'), ' ') AS question
    FROM said
    WHERE speaker NOT IN ('ai', 'assistant', 'function', 'system', 'tool')
        AND (strpos(text, '?') > 0 OR strpos(text, '？') > 0 OR strpos(text, '؟') > 0)
)

SELECT
    question,
    count(*) AS times,
    count(DISTINCT session_id) AS sessions,
    max("timestamp") AS last_asked
FROM questions
WHERE question <> ''
GROUP BY question
HAVING count(*) > 1
ORDER BY times DESC, question
