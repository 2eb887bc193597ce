"""A stand-in for the runs of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import Ports
from tests.faults import stores


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """MiniStack alone."""
    folder: Path = tmp_path_factory.mktemp("stand-in")
    with stores.stand_in(folder) as ports:
        yield ports
