"""An event source mapping as Lambda describes it, which is as Terraform configured it."""

import json
from collections.abc import Mapping as Described
from dataclasses import dataclass
from typing import Any

from tests.event_source.filters import Pattern


@dataclass(frozen=True)
class Mapping:
    """What decides how records of a stream reach a function; -1 and None: no limit, as on the wire."""

    uuid: str
    function_arn: str
    stream_arn: str
    batch_size: int = 100
    window_s: int = 0
    patterns: tuple[Pattern, ...] = ()
    reports_items: bool = False
    bisects: bool = False
    max_retries: int = -1
    max_age_s: int = -1
    lanes: int = 1
    failed_bucket: str | None = None

    @classmethod
    def of(cls, described: Described[str, Any]) -> "Mapping":
        """Read one of what ListEventSourceMappings returns."""
        filters = (described.get("FilterCriteria") or {}).get("Filters") or []
        destination = ((described.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        return cls(
            uuid=described["UUID"],
            function_arn=described["FunctionArn"],
            stream_arn=described["EventSourceArn"],
            batch_size=described.get("BatchSize") or 100,
            window_s=described.get("MaximumBatchingWindowInSeconds") or 0,
            patterns=tuple(json.loads(each["Pattern"]) for each in filters),
            reports_items="ReportBatchItemFailures" in (described.get("FunctionResponseTypes") or []),
            bisects=bool(described.get("BisectBatchOnFunctionError")),
            max_retries=described.get("MaximumRetryAttempts", -1),
            max_age_s=described.get("MaximumRecordAgeInSeconds", -1),
            lanes=described.get("ParallelizationFactor") or 1,
            failed_bucket=destination.removeprefix("arn:aws:s3:::") if destination else None,
        )
