"""First-call imports: what a cold start pays before it can serve, ours beside a handler of boto3 and pydantic.

Both run from the unpacked zip in fresh interpreters without site-packages, alternating, so that the machine's noise
falls on both. Such an authorizer builds a boto3 DynamoDB client, such a state function pydantic models and a boto3
Table, such a semantic one also psycopg and clients for the model and the database's secret (docs/architecture.md,
"Budgets").
"""

import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench.report import Line

_ROUNDS = 15
_BUDGET = 0.5
_OURS = {
    name: f"import agent_memory.entrypoints.{entrypoint}; from agent_memory.bootstrap import {part}; {part}.{service}()"
    for name, entrypoint, part, service in [
        ("authorizer", "authorizer", "tenants", "api_keys"),
        ("state", "working", "records", "working"),
        ("episodic", "episodic", "episodes", "episodic"),
        ("semantic", "semantic", "memories", "semantic"),
        ("unified", "unified", "layers", "unified"),
    ]
}
_BOTO3_CLIENT = "import boto3; boto3.client('dynamodb', region_name='us-east-1')"
_MODELS = "import boto3, pydantic; pydantic.create_model('M', a=(int, ...)); "
_BOTO3_TABLE = _MODELS + "boto3.resource('dynamodb', region_name='us-east-1').Table('t')"
_BOTO3_SEMANTIC = _MODELS + (
    "import psycopg; import psycopg.rows; "
    "[boto3.client(name, region_name='us-east-1') for name in ('bedrock-runtime', 'secretsmanager')]"
)
_BOTO3 = {
    "authorizer": _BOTO3_CLIENT,
    "state": _BOTO3_TABLE,
    "episodic": _BOTO3_TABLE,
    "semantic": _BOTO3_SEMANTIC,
    "unified": _BOTO3_SEMANTIC + "; boto3.resource('dynamodb', region_name='us-east-1').Table('t')",
}
_TIMER = """
import sys, time
sys.path.insert(0, {code!r})
started = time.perf_counter()
{statement}
print(time.perf_counter() - started)
"""
_ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "MEMORY_TABLE": "memory",
    "TENANT_ROLE_ARN": "arn:aws:iam::000000000000:role/bench",
    "CONTROL_TABLE": "control",
    "PEPPER_PARAMETER": "/pepper",
    "DATABASE_CONNECTION": "data_api",
    "DATABASE_NAME": "memory",
    "DATABASE_CLUSTER_ARN": "arn:aws:rds:us-east-1:000000000000:cluster:bench",
    "DATABASE_APP_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:bench",
    "EMBEDDING_MODEL": "amazon.titan-embed-text-v2:0",
    "EMBEDDING_DIMENSIONS": "1024",
    "EMBEDDING_CHUNK_TOKENS": "256",
    "EMBEDDING_TIMEOUT_S": "18",
}


def measure(artifact: Path) -> list[Line]:
    """Compare each function with its counterpart: medians of 15 alternating rounds."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(artifact) as archive:
            archive.extractall(folder)
        # boto3's DynamoDB model is not in our zip, which has no use for it.
        return [_line(name, folder, _site_packages()) for name in _OURS]


def _line(name: str, ours: str, boto3: str) -> Line:
    pairs = [(_seconds(_OURS[name], ours), _seconds(_BOTO3[name], boto3)) for _ in range(_ROUNDS)]
    mine = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    ratio = mine / theirs
    return Line(f"imports, {name}", f"{ratio:.2f} of boto3's", f"<= {_BUDGET}", ratio <= _BUDGET)


def _seconds(statement: str, code: str) -> float:
    script = _TIMER.format(code=code, statement=statement)
    # -B: the zip ships its .pyc files, and the read-only runtime can write none.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script], env=_ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _site_packages() -> str:
    return next(path for path in sys.path if path.endswith("site-packages"))
