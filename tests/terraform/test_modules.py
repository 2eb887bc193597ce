"""Every module is valid, formatted and tested, a new one without anybody listing it."""

from pathlib import Path

import pytest

from local.state import ROOT
from tests.terraform.roots import MODULES, Terraform

_NAMES = [module.name for module in MODULES]
_FILES = [(module.name, file.name) for module in MODULES for file in sorted(module.glob("tests/*.tftest.hcl"))]


@pytest.mark.parametrize("name", _NAMES)
def test_a_module_is_valid(name: str, tree: Path, program: Terraform) -> None:
    module = tree / "terraform" / "modules" / name
    program.init(module, "-backend=false")

    program.run(module, "validate")


# File by file, for those of the composition take minutes together and can then be spread over workers.
@pytest.mark.parametrize(("name", "file"), _FILES)
def test_a_module_passes_its_own_tests(name: str, file: str, tree: Path, program: Terraform) -> None:
    module = tree / "terraform" / "modules" / name
    program.init(module, "-backend=false")

    said = program.run(module, "test", "-no-color", f"-filter=tests/{file}")

    assert "Success!" in said


@pytest.mark.parametrize("name", _NAMES)
def test_a_module_has_tests_of_its_own_and_explains_itself(name: str) -> None:
    module = ROOT / "terraform" / "modules" / name

    assert list((module / "tests").glob("*.tftest.hcl"))
    assert {"variables.tf", "outputs.tf", "versions.tf", "README.md"} <= {file.name for file in module.iterdir()}


@pytest.mark.parametrize("folder", ["terraform", "examples"])
def test_the_code_is_formatted(folder: str, program: Terraform) -> None:
    program.run(ROOT / folder, "fmt", "-check", "-recursive")
