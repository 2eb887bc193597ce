"""Zips are built once per test run."""

import zipfile
from pathlib import Path

import pytest

from artifact import manifest
from artifact.platforms import AWS, LOCAL, Platform
from build import build


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


def _built(platform: Platform, dist: Path) -> Path:
    build(platform, dist)
    return manifest.paths(dist, platform)[0]


@pytest.fixture(scope="session")
def aws_zip(dist: Path) -> Path:
    return _built(AWS, dist)


@pytest.fixture(scope="session")
def local_zip(dist: Path) -> Path:
    return _built(LOCAL, dist)


@pytest.fixture(scope="session")
def unpacked_local(local_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(local_zip).extractall(folder)
    return folder
