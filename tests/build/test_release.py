"""What a consumer downloads."""

import base64
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from artifact.sbom import packages
from release import release


@pytest.fixture(scope="module")
def folder(aws_zip: Path, dist: Path) -> Path:
    return release(dist)


def test_release_json_names_the_zip_and_its_hash(folder: Path) -> None:
    described = json.loads((folder / "release.json").read_text())
    content = (folder / described["artifact"]).read_bytes()

    assert base64.b64decode(described["sha256_base64"]) == hashlib.sha256(content).digest()


def test_the_bill_of_materials_lists_exactly_the_packages_in_the_zip(folder: Path) -> None:
    described = json.loads((folder / "release.json").read_text())
    bill = json.loads((folder / described["sbom"]).read_text())

    assert {part["name"] for part in bill["components"]} == packages(folder / described["artifact"])


def test_two_releases_are_the_same(folder: Path, dist: Path, tmp_path: Path) -> None:
    first = shutil.copytree(folder, tmp_path / "first")

    second = release(dist)

    assert {file.name: file.read_bytes() for file in first.iterdir()} == {
        file.name: file.read_bytes() for file in second.iterdir()
    }


def test_the_var_file_gives_terraform_the_zip_and_its_hashes_as_an_environment_root_sees_it(
    folder: Path, dist: Path
) -> None:
    described = json.loads((folder / "release.json").read_text())
    artifact = json.loads((folder / described["artifact"]).with_suffix(".tfvars.json").read_text())["artifact"]

    root = dist.parent / "terraform" / "envs" / "prod"
    seen = os.path.normpath(root / artifact.pop("path"))
    assert seen == str(folder / described["artifact"])
    assert artifact == {name: described[name] for name in ("sha256_base64", "sql_sha256")}
