"""The routes of sessions and jobs as a caller sees them."""

from typing import Any

import pytest

from tests.edge import Edge

END: dict[str, Any] = {"agent_id": "planner", "user_id": "ana", "summary": "Ana moves to Berlin."}


def end(api: Edge, session: str = "s", key: str | None = None, **fields: Any) -> Any:
    return api.call("POST", f"/v1/sessions/{session}/end", END | fields, key=key)


def test_the_end_of_a_session_is_accepted_as_a_job(edge: Edge) -> None:
    accepted = end(edge, "~w6k")

    assert accepted.status == 202
    assert accepted.data.keys() == {"job_id", "status"}
    job = edge.call("GET", f"/v1/jobs/{accepted.data['job_id']}")
    assert job.status == 200
    told = {name: job.data[name] for name in ("kind", "status", "agent_id", "session_id", "user_id", "attempts")}
    assert told == {
        "kind": "session_end",
        "status": "queued",
        "agent_id": "planner",
        "session_id": "é",
        "user_id": "ana",
        "attempts": 0,
    }
    assert (job.data["written"], job.data["error"], job.data["finished_at"]) == (None, None, None)


def test_with_one_key_a_session_ends_once(edge: Edge) -> None:
    first, second = end(edge, key="k"), end(edge, key="k")

    assert first.data == second.data
    assert second.headers["idempotency-replayed"] == "true"
    assert end(edge, key="k", summary="Ana stays.").status == 409
    assert end(edge, key="l").data != first.data


@pytest.mark.parametrize("job_id", ["unknown", "~w6k", "x" * 256])
def test_a_job_that_is_not_there_is_not_found(edge: Edge, job_id: str) -> None:
    assert edge.call("GET", f"/v1/jobs/{job_id}").status == 404


def test_another_tenants_job_is_not_there(edge: Edge) -> None:
    job = end(edge).data["job_id"]

    assert Edge("another").call("GET", f"/v1/jobs/{job}").status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"transcript": "hello"}, "summary"),
        ({"summary": 1}, "summary"),
        ({"summary": "x\0"}, "summary"),
        ({"topics": ["x"] * 33}, "topics"),
        ({"facts": [{"subject": "Ana"}]}, "facts.0.predicate"),
        ({"facts": [{"subject": "Ana", "predicate": "p", "value": 1, "user_id": "bo"}]}, "facts.0.user_id"),
        ({"facts": [{"subject": "Ana", "predicate": "p", "value": 1, "purposes": ["x"] * 33}]}, "facts.0.purposes"),
        ({"nonsense": 1}, "nonsense"),
        ({"timestamp": "yesterday"}, "timestamp"),
    ],
)
def test_what_is_malformed_is_named(edge: Edge, fields: dict[str, Any], field: str) -> None:
    refused = end(edge, **fields)

    assert (refused.status, refused.error["code"]) == (400, "VALIDATION_ERROR")
    assert field in [each["field"] for each in refused.error["details"]]


def test_a_transcript_without_a_summarizer_is_a_400_that_says_so(edge: Edge) -> None:
    body = {"agent_id": "planner", "transcript": [{"role": "user", "content": "hello"}]}

    refused = edge.call("POST", "/v1/sessions/s/end", body)

    assert refused.status == 400
    assert refused.error["details"] == [
        {
            "field": "transcript",
            "rule": "is taken only where the deployment has a summarizer; give summary, topics and facts",
        }
    ]


def test_a_summary_as_long_as_a_request_may_be_is_refused_by_what_a_text_may_have(edge: Edge) -> None:
    assert end(edge, summary="x" * 1_048_577).status == 413
    assert end(edge, summary="x" * 1_048_576).status == 202
