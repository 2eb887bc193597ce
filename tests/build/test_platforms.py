"""Finding an interpreter."""

import sys
from pathlib import Path

import pytest

from artifact.platforms import interpreter

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize("variable", ["PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "PATH"])
def test_a_folder_that_cannot_be_looked_into_counts_as_empty(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/" + "n" * 300)  # refused to everybody, root included

    assert interpreter("2.1") is None
    assert interpreter(THIS) == Path(sys.executable)


def test_a_file_that_cannot_be_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python2.1").touch(mode=0o644)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert interpreter("2.1") is None
