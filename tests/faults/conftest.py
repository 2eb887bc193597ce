"""A stand-in for the runs of these tests."""

from collections.abc import Iterator

import pytest

from local.ports import Ports
from tests.faults import stores


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """MiniStack alone."""
    with stores.stand_in(tmp_path_factory.mktemp("stand-in")) as ports:
        yield ports
