"""Two tenants for the demonstration, with keys made by the same admin command that a deployment's owner runs."""

import json
import os
import subprocess
import sys

from agent_memory.domain.api_key import SCOPES
from local.stack import Tenant
from local.state import ROOT, StackError

TENANTS = ("acme", "globex")


def create(environment: dict[str, str]) -> tuple[Tenant, ...]:
    """Make a key for each tenant; the environment says where the deployment is."""
    return tuple(Tenant(tenant_id, _key(tenant_id, environment)) for tenant_id in TENANTS)


def _key(tenant_id: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "agent_memory.entrypoints.admin", "keys", "create"]
    done = subprocess.run(
        [*command, "--tenant", tenant_id, "--scopes", *SCOPES, "--label", "local stack"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "lambda_src"), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"no API key could be made for {tenant_id}:\n{done.stderr.strip()}")
    key: str = json.loads(done.stdout)["api_key"]
    return key
