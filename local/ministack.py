"""MiniStack, the AWS stand-in: how it is started, and when it is ready."""

from collections.abc import Callable
from typing import Any

import boto3
import httpx

from local import process
from local.ports import LOOPBACK, Ports
from local.process import Process
from local.state import ROOT, State

REGION = "us-east-1"
_ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_PYTHON = ROOT / ".venv-stack" / "bin" / "python"


def endpoint(ports: Ports) -> str:
    """Return the URL of all AWS services: an address, for S3 would put the bucket before a name."""
    return f"http://{LOOPBACK}:{ports.ministack}"


def rds_data_endpoint(ports: Ports) -> str:
    """Return the URL of the Data API."""
    return f"http://{LOOPBACK}:{ports.rds_data}"


def bedrock_endpoint(ports: Ports) -> str:
    """Return the URL of Bedrock Runtime."""
    return f"http://{LOOPBACK}:{ports.bedrock}"


def iam_endpoint(ports: Ports) -> str:
    """Return the URL of all services for whoever calls as a role: there, and on the way on, IAM is enforced."""
    return f"http://{LOOPBACK}:{ports.iam}"


def credentials(ports: Ports) -> dict[str, str]:
    """Return what an AWS client needs in its environment; none of it is a secret."""
    return {
        "AWS_ENDPOINT_URL": endpoint(ports),
        "AWS_ENDPOINT_URL_RDS_DATA": rds_data_endpoint(ports),
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock_endpoint(ports),
        **_ACCESS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def client(service: str, url: str) -> Any:
    """Return a client of the stand-in, whatever account the caller's environment leads to."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=_ACCESS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_ACCESS["AWS_SECRET_ACCESS_KEY"],
    )


def start(state: State, ports: Ports, record: Callable[[Process], None]) -> None:
    """Start MiniStack with nothing of the caller's environment: its Lambda workers inherit what it has."""
    state.tmp.mkdir(parents=True, exist_ok=True)
    env = {
        **_ACCESS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": iam_endpoint(ports),  # what functions use; MiniStack itself calls nobody
        "AUTH": "true",
        "PATH": "/usr/bin:/bin",
        "HOME": str(state.tmp),
        "TMPDIR": str(state.tmp),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(ports.ministack),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",  # it would listen on every interface, whatever BIND_HOST says
        "LAMBDA_WARM_TTL_SECONDS": "30",
        "LOG_LEVEL": "WARNING",
    }
    # `-m` looks into the working folder first, so that one must hold no Python files.
    process.start([str(_PYTHON), "-m", "ministack"], env, state.logs / "ministack.log", state.tmp, record)


def is_ready(ports: Ports) -> bool:
    """Tell whether it answers."""
    try:
        return httpx.get(f"{endpoint(ports)}/_ministack/health", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
