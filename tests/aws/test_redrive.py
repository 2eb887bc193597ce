"""The commands of the archive, over S3 and Lambda's protocol."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters.lambda_function import LambdaFunction, make_client
from agent_memory.bootstrap import operating
from agent_memory.entrypoints.admin.__main__ import main
from agent_memory.errors import StoreUnavailable
from tests.fix_aws import REGION, Aws
from tests.rest_service import SECRET_WORDS, Fault, RestService, serving
from tests.unit.test_redrive import EVENT, KEPT

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PLACE = "aws/lambda/0f6d/shardId-1/2026/11/20/2026-11-20T09.30.00-77"
INVOKE = "/2015-03-31/functions/memory-{}/invocations"


@pytest.fixture
def functions(aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Iterator[RestService]:
    """Lambda; an operator's shell leads to it, and to the archive bucket in place of that of failed records."""
    variables = {
        "CONTROL_TABLE": aws.control_table,
        "PEPPER_PARAMETER": "pepper",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "FAILED_RECORDS_BUCKET": aws.bucket,
        "ARCHIVER_FUNCTION": "memory-archiver",
        "SWEEPER_FUNCTION": "memory-sweeper",
    }
    with serving() as service:
        for name, value in {**variables, "AWS_ENDPOINT_URL_LAMBDA": service.endpoint}.items():
            monkeypatch.setenv(name, value)
        operating.redrive.cache_clear()
        yield service
        operating.redrive.cache_clear()


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_failed_records_are_handed_to_the_archiver_and_removed(
    functions: RestService, aws: Aws, s3: "S3Client", capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        s3.put_object(Bucket=aws.bucket, Key=f"{PLACE}{number}", Body=KEPT)
    s3.put_object(Bucket=aws.bucket, Key="acme/planner/2026-11-20/x.jsonl.gz", Body=KEPT)
    functions.answer = {"batchItemFailures": []}

    assert main(["archive", "redrive"]) == 0

    assert answer(capsys) == {"batches_taken": 3, "records_taken": 6, "batches_failed": 0, "batches_unreadable": 0}
    assert [(path, body) for path, _, body in functions.requests] == [(INVOKE.format("archiver"), EVENT)] * 3
    assert "/lambda/aws4_request" in functions.requests[0][1]["authorization"]
    left = s3.list_objects_v2(Bucket=aws.bucket).get("Contents", [])
    assert [each["Key"] for each in left] == ["acme/planner/2026-11-20/x.jsonl.gz"]


def test_an_archiver_that_fails_leaves_them_and_says_so(
    functions: RestService, aws: Aws, s3: "S3Client", capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket=aws.bucket, Key=PLACE, Body=KEPT)
    functions.answer = {"errorMessage": SECRET_WORDS, "errorType": "KeyError"}

    assert main(["archive", "redrive"]) == 1

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "the function failed; its log says where\n")
    assert s3.get_object(Bucket=aws.bucket, Key=PLACE)["Body"].read() == KEPT


def test_a_sweep_is_begun_by_command(functions: RestService, capsys: pytest.CaptureFixture[str]) -> None:
    functions.answer = {"finished": True, "step": None, "merged": 12}

    assert main(["archive", "sweep"]) == 0

    assert answer(capsys)["merged"] == 12
    assert [(path, body) for path, _, body in functions.requests] == [(INVOKE.format("sweeper"), {"sweep": True})]


def test_without_the_names_it_says_what_is_missing(
    functions: RestService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ARCHIVER_FUNCTION")

    assert main(["archive", "redrive"]) == 2
    assert capsys.readouterr().err == "not set in the environment: ARCHIVER_FUNCTION\n"


@pytest.mark.parametrize("fault", [(403, "AccessDeniedException"), (429, ""), "hang up", "cut answer", "no json"])
def test_a_function_that_cannot_be_run_is_unavailable_and_its_words_stay_away(
    functions: RestService, fault: Fault
) -> None:
    functions.faults = [fault]

    with pytest.raises(StoreUnavailable) as refused:
        LambdaFunction(make_client(REGION), "memory-archiver").invoke({"Records": []})

    assert SECRET_WORDS not in str(refused.value)
    assert len(functions.requests) == 1, "it may run, so nobody runs it again"


def test_a_function_may_be_named_by_its_arn(functions: RestService) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:memory-archiver"

    LambdaFunction(make_client(REGION), arn).invoke({})

    assert functions.requests[0][0] == f"/2015-03-31/functions/{arn.replace(':', '%3A')}/invocations"
