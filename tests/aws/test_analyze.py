"""What `make analyze` finds in the bucket, and prints."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local.analyze import analyze
from local.stack import Stack
from local.state import StackError
from tests import analyzed
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@pytest.fixture
def running(aws: Aws, s3: "S3Client") -> Stack:
    """A stack of which the archive is all that counts, with two tenants in it and a large value."""
    for key, content in analyzed.objects().items():
        s3.put_object(Bucket=aws.bucket, Key=key, Body=content)
    nothing = Stack("", "", (), aws.endpoint, *[""] * 10)
    return replace(nothing, bucket=aws.bucket)


def test_every_agent_of_every_tenant_is_told_of(running: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    analyze(running, None, None)

    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if " / " in line] == [
        "acme / assistant",
        "acme / ~w6AgZGV1eA",
        "globex / assistant",
    ]
    assert said.count("\n  failing tools\n    tool    calls  failures  percent_failed  last_failure\n") == 3
    assert said.count("\n    crane   1      1         100             2025-09-27T06:00:00.000000Z\n") == 3


def test_one_agent_can_be_asked_for(running: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    analyze(running, "acme", "assistant")

    said = capsys.readouterr().out
    assert "acme / assistant" in said
    assert "globex" not in said
    assert "~" not in said


def test_an_archive_without_any_object_is_said_in_a_line(running: Stack) -> None:
    with pytest.raises(StackError, match="holds none of that"):
        analyze(running, "nobody", None)
