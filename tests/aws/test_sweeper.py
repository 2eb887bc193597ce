"""The sweeper on what the API wrote into moto's tables, and on moto's bucket."""

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters.dynamodb_item import owner_of, text
from agent_memory.bootstrap import archive, counting, tenants
from agent_memory.config import Settings
from agent_memory.domain.archived_episode import episodes_in
from agent_memory.domain.limits import Limits
from agent_memory.entrypoints import sweeper
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

WITHIN_DAYS = 7


class Swept:
    """A deployment, and its sweeper; it waits for nobody: the clock turns instead."""

    def __init__(self, aws: Aws, api: Edge, s3: "S3Client", clock: Clock) -> None:
        self.aws, self.api, self.s3, self.clock = aws, api, s3, clock
        self.left_s: Any = 840.0

    def write(self, agent: str = "planner", **fields: Any) -> str:
        body = {"agent_id": agent, "session_id": "s", "type": "action", "content": {"n": 1}} | fields
        return str(self.api.call("POST", "/v1/memory/episodic", body).data["id"])

    def sweep(self, event: dict[str, Any] | None = None) -> dict[str, Any]:
        context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: self.left_s * 1000)
        return sweeper.handler({"sweep": True} if event is None else event, context)

    def rows(self, agent: str = "planner") -> list[Any]:
        return list(archive.archive_index().overlapping(self.api.tenant_id, agent, None, None, newest_first=False))

    def cold(self, agent: str = "planner") -> list[str]:
        objects = [self.s3.get_object(Bucket=self.aws.bucket, Key=row.key)["Body"].read() for row in self.rows(agent)]
        return sorted(episode.id for content in objects for episode in episodes_in(content))

    def stored(self) -> set[str]:
        listed = self.s3.list_object_versions(Bucket=self.aws.bucket)
        return {each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))}


@pytest.fixture
def swept(deployed: Edge, aws: Aws, s3: "S3Client", clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Swept:
    clock.now = datetime.now(UTC)  # moto dates objects itself
    monkeypatch.setenv("ARCHIVE_WITHIN_S", str(WITHIN_DAYS * 86400))
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.turn(seconds=seconds))
    return Swept(aws, deployed, s3, clock)


def metric(out: str, name: str) -> list[Any]:
    return [line[name] for line in map(json.loads, out.splitlines()) if name in line]


def test_one_sweep_does_all_there_is_to_do(swept: Swept, capsys: pytest.CaptureFixture[str]) -> None:
    episodes = [swept.write(agent) for agent in ("planner", "planner", "critic")]
    orphan = f"{swept.api.tenant_id}/planner/2026-11-20/nobody.jsonl.gz"
    owner = owner_of({"pk": text(f"{swept.api.tenant_id}#planner#0"), "sk": text("SESSION#gone")})
    body = f"{swept.api.tenant_id}/planner/bodies/state/{owner}/1"
    for key in (orphan, body):
        swept.s3.put_object(Bucket=swept.aws.bucket, Key=key, Body=b"x")
    swept.clock.turn(days=WITHIN_DAYS)

    done = swept.sweep()

    assert done == {"finished": True, "step": None, "unarchived": 3, "archived": 3, "orphans": 2}
    assert (swept.cold(), swept.cold("critic")) == (sorted(episodes[:2]), [episodes[2]])
    assert swept.stored() == {row.key for agent in ("planner", "critic") for row in swept.rows(agent)}
    out = capsys.readouterr().out
    assert metric(out, "UnarchivedEpisodes") == [3]
    assert metric(out, "SweepFailures") == [0]
    assert not any(each in out for each in (*episodes, "nobody", "planner"))


def test_small_objects_become_one_and_readers_see_the_same(swept: Swept) -> None:
    episodes = []
    for _ in range(11):
        episodes.append(swept.write())
        swept.clock.turn(minutes=90)
        archive.archiving().flush(swept.api.tenant_id, "planner", [key for key, _ in every_hot(swept)])
        swept.clock.turn(days=WITHIN_DAYS)
        archive.archiving().flush(swept.api.tenant_id, "planner", [key for key, _ in every_hot(swept)])
    swept.clock.turn(days=60)

    done = swept.sweep()

    assert done["merged"] > 0
    assert swept.cold() == sorted(episodes)
    assert len(swept.rows()) == len({row.first.time.month for row in swept.rows()})
    assert swept.stored() == {row.key for row in swept.rows()}
    counted = counting.counters(swept.api.tenant_id)["s3_bytes"]
    assert counted == sum(row.size for row in swept.rows())


def every_hot(swept: Swept) -> list[Any]:
    from agent_memory.adapters.dynamodb_sweep import DynamoHotScan  # noqa: PLC0415 - of this helper alone

    found, _ = DynamoHotScan(swept.aws.client(), swept.aws.memory_table).unarchived(swept.clock(), None)
    return [(each.key, each) for each in found]


def test_a_tenants_retention_is_asked_for(swept: Swept) -> None:
    swept.write()
    swept.clock.turn(days=WITHIN_DAYS)
    swept.sweep()
    assert len(swept.cold()) == 1
    tenants.tenant_limits().change(swept.api.tenant_id, {"retention_days": 10}, set())
    swept.clock.turn(days=8)

    done = swept.sweep()

    assert done["expired"] == 1
    assert (swept.rows(), swept.stored()) == ([], set())
    assert tenants.tenant_limits().of("globex") == Limits()


def test_without_time_it_begins_and_the_next_hour_goes_on(swept: Swept) -> None:
    swept.write()
    swept.clock.turn(days=WITHIN_DAYS)
    swept.left_s = 100.0
    assert swept.sweep({}) == {"finished": False, "step": "overdue"}
    assert swept.cold() == []

    swept.left_s = 840.0
    swept.clock.turn(hours=1)

    assert swept.sweep({})["archived"] == 1
    assert swept.sweep({}) == {}


def test_what_goes_wrong_is_told_without_its_words(
    swept: Swept, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "archive_bucket", "missing")

    with pytest.raises(StoreUnavailable):
        swept.sweep()
    swept.left_s = "no number"
    with pytest.raises(sweeper.SweepFailed) as failed:
        swept.sweep()

    assert str(failed.value) == "TypeError; see the function's log"
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ERROR" in line]
    assert [line["error"] for line in told] == ["StoreUnavailable", "TypeError"]
