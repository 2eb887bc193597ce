"""checkov, with our own checks beside its own: what it says of each resource."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from local.state import ROOT

OURS = "CKV2_AGENTMEM_"
_PROGRAM = ROOT / ".venv-scan" / "bin" / "checkov"
_CHECKS = ROOT / "policy" / "checks"
_RESULTS = {"passed_checks": "passed", "failed_checks": "failed", "skipped_checks": "skipped"}


@dataclass(frozen=True)
class Verdict:
    """What one check says of one resource of a file."""

    check_id: str
    resource: str
    file: str
    result: str


def install() -> None:
    """Install checkov, which lives in an environment of its own."""
    subprocess.run(["sh", "local/setup.sh", "scan"], cwd=ROOT, check=True)


def verdicts(*arguments: str) -> list[Verdict]:
    """Run all checks; one of ours that cannot be loaded is an error, not a check less."""
    command = [str(_PROGRAM), "--skip-download", "--compact", "--output=json", f"--external-checks-dir={_CHECKS}"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(("{", "[")), done.stderr
    assert "Cannot load external check" not in done.stderr, done.stderr
    answer: Any = json.loads(done.stdout)
    reports = answer if isinstance(answer, list) else [answer]
    assert all(report["results"]["parsing_errors"] == [] for report in reports), done.stdout
    return [
        Verdict(each["check_id"], each["resource"], each["file_path"], result)
        for report in reports
        for group, result in _RESULTS.items()
        for each in report["results"][group]
    ]
