"""Every route that shows episodes shows both tiers, as it is deployed; and the operator's way back."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.domain.episode import Episode
from agent_memory.entrypoints.admin.__main__ import main
from tests.contract.cold import cold_on_aws
from tests.contract.tiers import Tiers
from tests.contract.walks import an_episode
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

DAY = timedelta(days=1)


@pytest.fixture
def tiers(aws: Aws, s3: "S3Client", deployed: Edge) -> Tiers:
    del deployed  # it comes first, so that both have the same tables
    return Tiers(cold_on_aws(aws, s3))


@pytest.fixture
def written(tiers: Tiers, tenant: str, clock: Clock) -> list[Episode]:
    """Three cold ones, one that is cold and hot, one that is hot; the oldest first."""
    ages = [40, 39, 38, 9, 0.1]
    made = [
        an_episode(tenant, clock() - 50 * DAY, content=f"tea number {place}", timestamp=clock() - age * DAY)
        for place, age in enumerate(ages)
    ]
    tiers.cold.stores.episodes.append(made, clock())
    tiers.archive(made[:3])
    tiers.archive(made[3:4])
    tiers.evict(made[:3])
    return made


def ids(episodes: list[Any]) -> list[str]:
    return [each["id"] for each in episodes]


def test_every_route_shows_both_tiers(deployed: Edge, written: list[Episode]) -> None:
    oldest = [each.id for each in written]
    newest = oldest[::-1]

    assert ids(deployed.call("GET", "/v1/memory/episodic/planner").data["episodes"]) == newest
    assert ids(deployed.call("GET", "/v1/memory/episodic/planner?page=2&per_page=2").data["episodes"]) == newest[2:4]
    assert ids(deployed.call("GET", "/v1/memory/episodic/planner/sessions/s").data["episodes"]) == oldest
    assert ids(deployed.call("GET", "/v1/memory/planner").data["episodic"]) == newest
    found = deployed.call("POST", "/v1/memory/search", {"query": "tea", "agent_id": "planner"}).data["results"]
    assert set(ids(found)) == set(oldest)


def test_another_tenant_sees_nothing_of_it(deployed: Edge, written: list[Episode]) -> None:
    assert written
    deployed.tenant_id += "-2"

    assert deployed.call("GET", "/v1/memory/episodic/planner").data == {"episodes": [], "next_cursor": None}


def test_an_operator_brings_a_range_back(
    deployed: Edge,
    tiers: Tiers,
    written: list[Episode],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PEPPER_PARAMETER"):
        monkeypatch.setenv(name, "us-east-1")
    order = ["episodes", "rehydrate", "--tenant", deployed.tenant_id, "--agent", "planner", "--days", "3"]

    assert main([*order, "--from", "2020-01-01T00:00:00Z", "--to", written[1].timestamp.isoformat()]) == 0

    done = json.loads(capsys.readouterr().out)
    assert (done["agent_id"], done["found"], done["written"]) == ("planner", 2, 2)
    hot = [each for _, each in tiers.cold.stores.episodes.timeline(*Tiers.span(deployed.tenant_id))]
    assert hot == [written[0], written[1], written[3], written[4]]
    assert deployed.call("GET", "/v1/memory/episodic/planner").data["episodes"][-1]["id"] == written[0].id


@pytest.mark.parametrize(
    "broken", [["--days", "0"], ["--from", "yesterday"], ["--to", "2020-01-01"], ["--days", "1000"]]
)
def test_an_order_that_cannot_be_read_is_refused(broken: list[str]) -> None:
    order = ["episodes", "rehydrate", "--tenant", "acme", "--agent", "planner"]
    ends = ["--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"]

    with pytest.raises(SystemExit) as refused:
        main([*order, *ends, *broken])

    assert refused.value.code == 2
