"""Where Terraform's providers come from when its registry is out of reach."""

from pathlib import Path

import pytest

from local import terraform
from local.state import StackError

PROVIDER = "registry.terraform.io/hashicorp/aws"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, data folders and an /opt of their own; no registry."""
    for name in ("TF_CLI_CONFIG_FILE", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.setattr(terraform, "OPTIONAL_FOLDER", tmp_path / "opt")
    monkeypatch.setattr(terraform, "registry_answers", lambda: False)
    return tmp_path


def test_a_registry_that_answers_needs_no_mirror(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "registry_answers", lambda: True)
    (machine / "opt/mirror" / PROVIDER).mkdir(parents=True)

    assert terraform.provider_source() == ([], None)


def test_a_mirror_below_opt_replaces_the_registry(machine: Path) -> None:
    (machine / "opt/mirror" / PROVIDER).mkdir(parents=True)

    arguments, source = terraform.provider_source()

    assert arguments == [f"-plugin-dir={machine / 'opt/mirror'}"]
    assert source
    assert "cannot be reached" in source


def test_a_mirror_without_the_aws_provider_is_passed_over(machine: Path) -> None:
    (machine / "opt/a/registry.terraform.io/hashicorp/random").mkdir(parents=True)
    (machine / "opt/b" / PROVIDER).mkdir(parents=True)

    assert terraform.provider_arguments() == [f"-plugin-dir={machine / 'opt/b'}"]


@pytest.mark.parametrize(
    "folder", [".terraform.d/plugins", ".local/share/terraform/plugins", "share/terraform/plugins"]
)
def test_a_mirror_that_terraform_knows_needs_no_argument(machine: Path, folder: str) -> None:
    (machine / folder / PROVIDER).mkdir(parents=True)

    arguments, source = terraform.provider_source()

    assert arguments == []
    assert source
    assert str(machine / folder) in source


def test_the_cli_configuration_comes_first(machine: Path) -> None:
    (machine / ".terraformrc").write_text('provider_installation {\n  filesystem_mirror { path = "/mirror" }\n}\n')
    (machine / "opt/mirror" / PROVIDER).mkdir(parents=True)

    assert terraform.provider_arguments() == []


def test_a_configuration_without_a_mirror_does_not_count(machine: Path) -> None:
    (machine / ".terraformrc").write_text("# filesystem_mirror is not set\ndisable_checkpoint = true\n")
    (machine / "opt/mirror" / PROVIDER).mkdir(parents=True)

    assert terraform.provider_arguments() == [f"-plugin-dir={machine / 'opt/mirror'}"]


def test_a_variable_that_names_a_missing_file_is_not_handed_on(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(machine / "missing"))

    assert "TF_CLI_CONFIG_FILE" not in terraform.environment()


def test_terraform_learns_nothing_of_the_callers_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("TF_VAR_name", "production")

    assert not {"AWS_PROFILE", "TF_VAR_name"} & terraform.environment().keys()


def test_no_registry_and_no_mirror_is_explained(machine: Path) -> None:
    with pytest.raises(StackError, match="no provider mirror"):
        terraform.provider_arguments()


def test_a_missing_terraform_is_explained_in_one_line(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine))

    with pytest.raises(StackError, match=r"^Terraform >= 1\.11 is needed and was not found: install it from \S+ .*$"):
        terraform.binary()


def test_an_old_terraform_is_explained_in_one_line(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = machine / "terraform"
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.10.5"}\'\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{machine}:/usr/bin:/bin")

    with pytest.raises(StackError, match=r"1\.11 is needed and .* is 1\.10\.5"):
        terraform.binary()
