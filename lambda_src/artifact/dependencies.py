"""Third-party packages: installed from the lock file, then cut to what the functions use."""

import shutil
import subprocess
from pathlib import Path

from artifact.platforms import Platform
from artifact.project import ROOT, BuildError, uv

# boto3 is used for these; botocore's descriptions of the other four hundred services are 20 MB.
AWS_SERVICES = frozenset({"s3", "secretsmanager", "ssm", "sts"})

# botocore imports its `docs` package whenever it makes a client, so that one stays.
_NOT_AT_RUN_TIME = (
    *("bin", "**/tests", "**/__pycache__", "**/*.pyi", "**/examples-1.json*"),
    *("pydantic/v1", "pydantic/mypy.py", "dateutil/zoneinfo/*.tar.gz"),
)
_KEPT_METADATA = frozenset({"METADATA", "WHEEL"})
_LEGAL = ("licen", "notice", "copying", "authors")


def install(target: Path, platform: Platform) -> None:
    """Install the locked wheels for a platform; nothing is built, resolved or taken unverified."""
    requirements = target.parent / "requirements.txt"
    _run("export", "--only-group", "lambda", "--frozen", "--output-file", str(requirements))
    _run(
        *("pip", "install", "--target", str(target), "--requirement", str(requirements)),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"),
        *platform.uv_arguments,
    )


def trim(target: Path) -> None:
    """Drop what never runs. Licences stay, and the metadata that names versions and wheel tags."""
    for pattern in _NOT_AT_RUN_TIME:
        for path in list(target.glob(pattern)):
            _remove(path)
    for file in target.glob("*.dist-info/**/*"):
        if file.is_file() and not _is_kept_metadata(file):
            file.unlink()
    for sdk in ("boto3", "botocore"):
        for service in (target / sdk / "data").iterdir():
            if service.is_dir() and service.name not in AWS_SERVICES:
                _remove(service)


def _is_kept_metadata(file: Path) -> bool:
    is_legal = file.name.lower().startswith(_LEGAL) or file.parent.name == "licenses"
    return file.name in _KEPT_METADATA or is_legal


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _run(*arguments: str) -> None:
    command = [uv(), "--quiet", "--no-python-downloads", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"uv {arguments[0]} failed:\n{done.stderr.strip()}")
