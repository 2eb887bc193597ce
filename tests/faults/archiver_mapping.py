"""How the stream reaches the archiver: as `archive_stream.tf` says; tests/e2e compares it with what is deployed."""

from tests.event_source.mapping import Mapping

ARN = "arn:aws:lambda:us-east-1:000000000000:function:archiver"
PATTERNS = (
    {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"sk": {"S": [{"prefix": "EPISODE#"}]}}}},
    {
        "eventName": ["MODIFY"],
        "dynamodb": {"NewImage": {"sk": {"S": [{"prefix": "EPISODE#"}]}, "evict_at": {"N": [{"exists": False}]}}},
    },
    {"eventName": ["MODIFY", "REMOVE"], "dynamodb": {"OldImage": {"body_key": {"S": [{"exists": True}]}}}},
    {
        "eventName": ["REMOVE"],
        "userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]},
        "dynamodb": {"OldImage": {"job_id": {"S": [{"exists": False}]}}},
    },
)


def mapping(stream_arn: str, failed_bucket: str, *, window_s: int = 60, lanes: int = 1) -> Mapping:
    """The mapping of a deployment."""
    return Mapping(
        uuid="archiver",
        function_arn=ARN,
        stream_arn=stream_arn,
        batch_size=1000,
        window_s=window_s,
        patterns=PATTERNS,
        reports_items=True,
        bisects=True,
        max_retries=20,
        max_age_s=12 * 3600,
        lanes=lanes,
        failed_bucket=failed_bucket,
    )
