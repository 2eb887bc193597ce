"""Building again and taking down, on the same stack and after every other test."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from local import services, stack
from local.state import ROOT, State
from tests.e2e.api import Api
from tests.e2e.test_infrastructure import options, run_terraform

pytestmark = pytest.mark.last


def local(command: str, state: State) -> str:
    environment = os.environ | {"LOCAL_STATE": str(state.folder)}
    arguments = [sys.executable, "-m", "local", command]
    done = subprocess.run(arguments, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_second_up_finds_everything_up_and_runs_no_terraform(state: State) -> None:
    before = state.stack_json.read_bytes()

    said = local("up", state)

    assert "the stack is up" in said
    assert "Terraform" not in said
    assert state.stack_json.read_bytes() == before


def test_destroy_works_and_a_second_apply_after_it_too(state: State) -> None:
    run_terraform(state, "destroy", "-auto-approve", *options(state))
    assert run_terraform(state, "state", "list", f"-state={state.terraform / 'terraform.tfstate'}") == ""

    state.applied.unlink()
    local("up", state)

    rebuilt = stack.read(state)
    with closing(Api(rebuilt.api_url, rebuilt.api_key)) as api:
        api.post("/v1/state", {"agent_id": "again", "data": {"n": 1}}, expect=201)
        assert api.get("/v1/state/again")["data"] == {"n": 1}
        assert api.get("/v1/health/ready")["status"] == "ok"


def test_down_leaves_no_process_and_no_open_port(state: State) -> None:
    url = httpx.URL(stack.read(state).api_url)
    pids = [service.pid for service in services.recorded(state).values()]
    listening = [port for port in json_ports(state) if is_open(port)]
    assert url.port in listening
    assert pids

    local("down", state)

    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert [port for port in listening if is_open(port)] == []
    assert not processes_below(state.folder)
    assert "nothing" in local("down", state)


def json_ports(state: State) -> list[int]:
    return [port for port in json.loads(state.ports_json.read_text()).values() if isinstance(port, int)]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_below(folder: Path) -> list[str]:
    """Command lines that name the folder: Lambda workers and whatever else a stack leaves running."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            line = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if process.name.isdigit() and process.name != str(os.getpid()) and f"{folder}/" in line:
            found.append(line)
    return found
