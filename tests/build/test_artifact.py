"""What the zips hold."""

import json
import re
import struct
import zipfile
from pathlib import Path

import pytest

from artifact import manifest
from artifact.platforms import AWS, interpreter
from build import MAX_UNZIPPED_BYTES, MAX_ZIP_BYTES, build

ELF_MACHINE_AARCH64 = 183
ROOT = Path(__file__).parents[2]


def test_two_builds_give_the_same_bytes(aws_zip: Path, tmp_path: Path) -> None:
    build(AWS, tmp_path)

    assert manifest.paths(tmp_path, AWS)[0].read_bytes() == aws_zip.read_bytes()


def test_a_build_from_the_same_inputs_leaves_the_zip_alone(aws_zip: Path, dist: Path) -> None:
    before = aws_zip.stat().st_mtime_ns

    build(AWS, dist)

    assert aws_zip.stat().st_mtime_ns == before


def test_a_damaged_zip_is_built_again(aws_zip: Path, tmp_path: Path) -> None:
    made = build(AWS, tmp_path)
    copy = manifest.paths(tmp_path, AWS)[0]
    copy.write_bytes(b"damaged")

    build(AWS, tmp_path)

    assert manifest.sha256_base64(copy) == made.sha256_base64


def test_the_arm64_zip_holds_only_aarch64_and_pure_python_wheels(aws_zip: Path) -> None:
    with zipfile.ZipFile(aws_zip) as packed:
        wheels = [name for name in packed.namelist() if name.endswith(".dist-info/WHEEL")]
        tags = [re.findall(r"^Tag: (.+)$", packed.read(name).decode(), re.MULTILINE) for name in wheels]

    assert tags
    assert all(tag.endswith(("-none-any", "_aarch64")) for wheel in tags for tag in wheel)


def test_every_shared_object_in_the_arm64_zip_is_for_aarch64(aws_zip: Path) -> None:
    with zipfile.ZipFile(aws_zip) as packed:
        objects = [name for name in packed.namelist() if re.search(r"\.so(\.|$)", name)]
        machines = {struct.unpack_from("<H", packed.read(name), 18)[0] for name in objects}

    assert machines == {ELF_MACHINE_AARCH64}


def test_the_arm64_zip_is_within_its_budget(aws_zip: Path) -> None:
    with zipfile.ZipFile(aws_zip) as packed:
        unzipped = sum(entry.file_size for entry in packed.infolist())

    assert aws_zip.stat().st_size <= MAX_ZIP_BYTES
    assert unzipped <= MAX_UNZIPPED_BYTES


def test_every_source_in_the_arm64_zip_has_bytecode_when_a_python_3_12_is_here(aws_zip: Path) -> None:
    names = set(zipfile.ZipFile(aws_zip).namelist())
    sources = {name for name in names if name.endswith(".py")}
    with_bytecode = {re.sub(r"__pycache__/(.+)\.cpython-312\.pyc$", r"\1.py", name) for name in names - sources}

    expected = sources if interpreter(AWS.python) else set()
    assert sources & with_bytecode == expected


def test_libraries_are_in_the_zip_as_bytecode_alone_and_ours_with_its_sources(aws_zip: Path) -> None:
    if interpreter(AWS.python) is None:
        return  # then all are there as sources
    names = set(zipfile.ZipFile(aws_zip).namelist())
    sources = {name.split("/")[0] for name in names if name.endswith(".py")}

    assert sources == {"agent_memory"}
    assert {"six.pyc", "boto3/__init__.pyc", "pydantic/main.pyc"} <= names


def test_sql_and_routes_are_in_the_zip(aws_zip: Path) -> None:
    with zipfile.ZipFile(aws_zip) as packed:
        routes = json.loads(packed.read("agent_memory/routes.json"))
        migrations = {name for name in packed.namelist() if name.startswith("agent_memory/sql/migrations/")}

    assert routes == json.loads((ROOT / "terraform/modules/agent-memory/routes.json").read_text())
    assert {Path(name).name for name in migrations} == {path.name for path in (ROOT / "sql/migrations").iterdir()}


def test_licences_are_in_the_zip(aws_zip: Path) -> None:
    names = zipfile.ZipFile(aws_zip).namelist()
    folders = {name.split("/")[0] for name in names if ".dist-info/" in name}
    licensed = {
        name.split("/")[0] for name in names if re.search(r"\.dist-info/.*(licen|copying)", name, re.IGNORECASE)
    }

    assert folders == licensed


def test_the_manifest_describes_the_zip(aws_zip: Path, dist: Path) -> None:
    made = manifest.read(manifest.paths(dist, AWS)[1])

    assert made is not None
    assert made.sha256_base64 == manifest.sha256_base64(aws_zip)
    assert made.bytes == aws_zip.stat().st_size


@pytest.mark.parametrize("entry_property", ["date_time", "external_attr", "create_system"])
def test_entries_carry_nothing_of_the_building_machine(aws_zip: Path, entry_property: str) -> None:
    with zipfile.ZipFile(aws_zip) as packed:
        seen = {getattr(entry, entry_property) for entry in packed.infolist()}

    assert len(seen) == 1
