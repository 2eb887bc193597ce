"""The state folder: private, shared by nobody, and gone after `down`."""

import json
import os
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from local import ports, process, services, stack, up
from local.down import down
from local.stack import Stack, Tenant
from local.state import StackError, State, write_private

STACK = Stack(
    api_url="http://127.0.0.1:1/api",
    api_key="amk_1",
    tenants=(Tenant("acme", "amk_1"), Tenant("globex", "amk_2")),
    aws_endpoint_url="http://127.0.0.1:1",
    rds_data_endpoint_url="http://127.0.0.1:2",
    bedrock_endpoint_url="http://127.0.0.1:3",
    iam_endpoint_url="http://127.0.0.1:4",
    region="us-east-1",
    memory_table="memory",
    control_table="control",
    bucket="archive",
    queue_url="http://127.0.0.1:1/queue",
    postgres_dsn_app="postgresql://a",
    postgres_dsn_owner="postgresql://b",
)


def test_the_contract_for_tools_is_read_as_it_was_written(tmp_path: Path) -> None:
    stack.write(State(tmp_path), STACK)

    assert stack.read(State(tmp_path)) == STACK


def test_only_its_owner_may_read_the_contract(tmp_path: Path) -> None:
    stack.write(State(tmp_path), STACK)

    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_without_a_stack_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        stack.read(State(tmp_path))


def test_ports_differ_and_stay(tmp_path: Path) -> None:
    first = ports.ports(State(tmp_path))

    assert ports.ports(State(tmp_path)) == first
    assert len(set(json.loads((tmp_path / "ports.json").read_text()).values())) == 5


def test_ports_of_an_earlier_version_are_chosen_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"ministack": 1, "postgres": 2, "rds_data": 3}')
    assert not ports.are_chosen(State(tmp_path))

    chosen = ports.ports(State(tmp_path))

    assert chosen.bedrock
    assert chosen.postgres != 2
    assert ports.are_chosen(State(tmp_path))


def test_a_stack_of_an_earlier_version_is_cleared_before_another_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its MiniStack may still run, yet its functions would look for new services in vain."""
    state = State(tmp_path)
    write_private(state.ports_json, {"ministack": 1, "postgres": 2, "rds_data": 3})
    alive = asdict(process.find(os.getpid()))
    write_private(state.services_json, {"ministack": alive, "iam": alive})
    cleared: list[State] = []
    monkeypatch.setattr(up, "clean", cleared.append)
    for name in ("postgres", "rds_data", "bedrock", "ministack", "iam"):
        monkeypatch.setattr(services, f"ensure_{name}", lambda *_: "")

    up._start(state)
    up._start(state)

    assert cleared == [state]


def test_the_contract_of_an_earlier_version_names_the_way_to_a_new_one(tmp_path: Path) -> None:
    write_private(tmp_path / "stack.json", {"api_url": "http://127.0.0.1:1", "tenants": []})

    with pytest.raises(StackError, match="make up"):
        stack.read(State(tmp_path))


def test_down_is_safe_when_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    down(State(tmp_path))

    assert "nothing was running" in capsys.readouterr().out


def test_down_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    other = tmp_path / "test" / "stack.json"
    other.parent.mkdir()
    other.touch()
    stack.write(State(tmp_path), STACK)

    down(State(tmp_path))

    assert other.exists()
    assert not (tmp_path / "stack.json").exists()
