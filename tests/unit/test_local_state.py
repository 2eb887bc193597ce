"""The state folder: private, shared by nobody, and gone after `down`."""

import json
import stat
from pathlib import Path

import pytest

from local import ports, stack
from local.down import down
from local.stack import Stack, Tenant
from local.state import StackError, State

STACK = Stack(
    api_url="http://127.0.0.1:1/api",
    api_key="amk_1",
    tenants=(Tenant("acme", "amk_1"), Tenant("globex", "amk_2")),
    aws_endpoint_url="http://127.0.0.1:1",
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
    assert len(set(json.loads((tmp_path / "ports.json").read_text()).values())) == 3


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
