"""The pipelines of examples/ci, read as their services read them and run as far as a machine without either can."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import terraform
from local.state import ROOT
from tests.terraform import checkov, roots
from tests.terraform.roots import HASHES, Terraform

_CI = ROOT / "examples" / "ci"
_INSTALLS = "pip install --quiet --disable-pip-version-check checkov=="
_SOURCE = "https://github.com/example/agent-memory.git"


def _github() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load((_CI / "github-actions.yml").read_text())
    return workflow


def _gitlab() -> dict[str, Any]:
    pipeline: dict[str, Any] = yaml.safe_load((_CI / "gitlab-ci.yml").read_text())
    return pipeline


def _github_scripts() -> dict[str, list[str]]:
    return {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in _github()["jobs"].items()}


def _gitlab_jobs() -> dict[str, dict[str, Any]]:
    """Jobs in the order of their stages, with what they extend."""
    pipeline = _gitlab()
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    whole = {name: pipeline[job["extends"]] | job for name, job in jobs.items()}
    return dict(sorted(whole.items(), key=lambda item: pipeline["stages"].index(item[1]["stage"])))


def _gitlab_scripts() -> dict[str, list[str]]:
    return {name: [*job.get("before_script", []), *job["script"]] for name, job in _gitlab_jobs().items()}


_SCRIPTS = {"github-actions": _github_scripts, "gitlab-ci": _gitlab_scripts}
_VARIABLES = {"github-actions": lambda: _github()["env"], "gitlab-ci": lambda: _gitlab()["variables"]}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A repository such as the one that we publish, with its tag."""
    folder = tmp_path_factory.mktemp("published")
    roots.copy("terraform/modules", folder)
    roots.copy("policy", folder)
    author = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"]
    for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "-m", "all"], ["tag", "v0.1.0"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder.as_uri()


@pytest.fixture
def repository(tmp_path: Path, published: str) -> Path:
    """A platform team's repository: the example that takes the module from git."""
    folder = tmp_path / "repository" / "infra" / "memory"
    folder.mkdir(parents=True)
    example = (ROOT / "examples" / "from-git" / "main.tf").read_text()
    assert _SOURCE in example
    (folder / "main.tf").write_text(example.replace(_SOURCE, published))
    (folder / "release.json").write_text(json.dumps({"artifact": "agent-memory-0.1.0-arm64.zip", **HASHES}))
    return tmp_path / "repository"


@pytest.mark.parametrize("service", _SCRIPTS)
def test_every_command_runs_and_finds_nothing(
    service: str, repository: Path, published: str, program: Terraform, tmp_path: Path
) -> None:
    checkov.install()
    for job, script in _SCRIPTS[service]().items():
        temporary = tmp_path / job
        temporary.mkdir()
        environment = terraform.environment() | program.credentials | _VARIABLES[service]()
        environment |= {
            "AGENT_MEMORY": published,
            "AWS_ID_TOKEN": "not a token",
            "CHECKS": str(temporary / "agent-memory"),
            "PATH": f"{ROOT / '.venv-scan' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(temporary),
            "TF_CLI_ARGS_init": " ".join(program.init_arguments),
        }
        lines = [line for line in script if not line.startswith(_INSTALLS)]
        # There is no identity provider here: with both, keys go before the token.
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{job}\n{done.stdout}\n{done.stderr}"

    assert "Plan: " in (repository / "infra" / "memory" / "plan.txt").read_text()


@pytest.mark.parametrize("service", _SCRIPTS)
def test_format_validity_tests_and_both_scans_stand_in_the_way(service: str) -> None:
    script = "\n".join(line for lines in _SCRIPTS[service]().values() for line in lines)

    for command in (
        "fmt -check",
        "validate",
        " test",
        " plan -input=false",
        "--framework terraform ",
        "terraform_plan",
    ):
        assert command in script
    assert script.count("/policy/checks") == 2
    assert "allow_failure" not in script


@pytest.mark.parametrize("service", _SCRIPTS)
def test_checkov_is_the_one_that_our_own_tests_run(service: str) -> None:
    locked = re.search(r'name = "checkov"\nversion = "([\d.]+)"', (ROOT / "uv.lock").read_text())
    wanted = [
        line.removeprefix(_INSTALLS) for lines in _SCRIPTS[service]().values() for line in lines if _INSTALLS in line
    ]

    assert locked is not None
    assert set(wanted) == {locked.group(1)}


@pytest.mark.parametrize(("service", "framework", "place"), [
    ("github-actions", "github_actions", ".github/workflows/memory.yml"),
    ("gitlab-ci", "gitlab_ci", ".gitlab-ci.yml"),
])  # fmt: skip
def test_the_file_has_the_shape_of_its_service_and_none_of_the_known_holes(
    service: str, framework: str, place: str, tmp_path: Path
) -> None:
    checkov.install()
    target = tmp_path / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text((_CI / f"{service}.yml").read_text())

    found = checkov.verdicts(f"--framework={framework}", f"--directory={tmp_path}")

    assert [each for each in found if each.result == "failed"] == []
    assert [each for each in found if each.result == "passed"] != []


def test_actions_are_pinned_by_commit_and_say_their_version() -> None:
    used = re.findall(r"uses: (.*)", (_CI / "github-actions.yml").read_text())

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_images_are_pinned_by_version() -> None:
    images = [job["image"] for job in _gitlab_jobs().values()]

    names = {image["name"] if isinstance(image, dict) else image for image in images}
    assert [name for name in names if not re.search(r":\d+\.\d+", name)] == []


def test_a_job_may_do_no_more_than_it_needs() -> None:
    workflow = _github()

    assert workflow["permissions"] == {}
    assert workflow["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["plan"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_no_key_is_kept_and_nothing_that_others_write_is_put_into_a_command() -> None:
    text = "".join((_CI / name).read_text() for name in ("github-actions.yml", "gitlab-ci.yml"))
    commands = [line for lines in _github_scripts().values() for line in lines]

    assert "secrets." not in text
    assert not re.search(r"AWS_SECRET_ACCESS_KEY\s*[:=]", text)
    assert [line for line in commands if "${{" in line] == []
    assert _gitlab_jobs()["plan"]["id_tokens"] == {"AWS_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
