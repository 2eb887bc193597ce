"""`make plan`: which roots it knows, where their state is, and what it asks of Terraform."""

from pathlib import Path

import pytest

from local import console, plan, terraform
from local.state import StackError

RECORDER = """#!/bin/sh
case $1 in version) echo '{"terraform_version": "1.11.4"}'; exit ;; esac
echo "$@" >> "$RECORD"
exit "$EXIT"
"""


@pytest.fixture
def envs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Roots dev and local, and a Terraform that writes down what it is asked for."""
    for name in ("dev", "local"):
        (tmp_path / "envs" / name).mkdir(parents=True)
        (tmp_path / "envs" / name / "main.tf").touch()
    (tmp_path / "envs" / ".gitignore").touch()
    recorder = tmp_path / "terraform"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("EXIT", "0")
    monkeypatch.delenv("STATE_BUCKET", raising=False)
    monkeypatch.setattr(terraform, "provider_arguments", list)
    monkeypatch.setattr(console, "is_terminal", lambda: False)
    monkeypatch.setattr(plan, "ROOT", tmp_path)
    monkeypatch.setattr(plan, "_ROOTS", tmp_path / "envs")
    return tmp_path / "envs"


def asked(envs: Path) -> list[str]:
    return (envs.parent / "record").read_text().replace(f"-chdir={envs}/dev ", "").splitlines()


def test_the_roots_backend_file_is_used(envs: Path) -> None:
    (envs / "dev" / "backend.hcl").touch()

    plan.plan("dev")

    init, planned = asked(envs)
    assert init == "init -no-color -input=false -reconfigure -backend-config=backend.hcl"
    assert planned.startswith("plan -no-color -input=false -var-file=")


def test_a_bucket_will_do_without_a_backend_file(envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_BUCKET", "mine")

    plan.plan("dev")

    assert asked(envs)[0].endswith("-backend-config=bucket=mine")


def test_a_terminal_gets_colours(envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (envs / "dev" / "backend.hcl").touch()
    monkeypatch.setattr(console, "is_terminal", lambda: True)

    plan.plan("dev")

    assert not any("-no-color" in line for line in asked(envs))


def test_without_either_both_ways_are_named(envs: Path) -> None:
    with pytest.raises(StackError, match=r"Copy envs/dev/backend\.hcl\.example to backend\.hcl .* STATE_BUCKET"):
        plan.plan("dev")


def test_a_root_is_initialised_again_after_a_failure(envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_BUCKET", "mine")
    (envs / "dev" / ".terraform").mkdir()
    monkeypatch.setenv("EXIT", "1")
    with pytest.raises(StackError, match="terraform init failed"):
        plan.plan("dev")
    monkeypatch.setenv("EXIT", "0")

    plan.plan("dev")

    assert [line.split()[0] for line in asked(envs)] == ["init", "init", "plan"]


@pytest.mark.parametrize("name", ["nope", "", "..", "dev/../dev"])
def test_an_unknown_environment_is_answered_with_those_that_exist(envs: Path, name: str) -> None:
    with pytest.raises(StackError, match=r"is none of dev$"):
        plan.plan(name)


def test_the_local_environment_is_left_to_make_up(envs: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        plan.plan("local")
