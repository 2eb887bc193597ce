"""An operator's process is killed, again and again, on the real protocols of both stores."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from agent_memory.adapters.dynamodb_embedding_models import DynamoPlanStore
from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.times import now
from tests.contract.reembedding import NEW, OLD, Deployment, check, in_postgres
from tests.fakes.clock import Clock
from tests.fix_aws import Aws
from tests.fix_postgres import Aurora

ROOT = Path(__file__).parent.parent.parent
TEXTS = [
    f"{word} is the word of the day number {place}."
    for place, word in enumerate(["alpha", "bravo", "carrot", "delta", "echo"])
]


def run(aws: Aws, aurora: Aurora, tenant: str, lines: int) -> bool:
    """Let the operator make so many calls, then kill -9; whether he had ended before."""
    environment = os.environ | {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "CONTROL_TABLE": aws.control_table,
        "TENANT": tenant,
        "DSN": aurora.app_dsn(),
        "PYTHONPATH": f"{ROOT / 'lambda_src'}:{ROOT}",
    }
    command = [sys.executable, "-m", "tests.contract.reembedding_process"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    for _ in range(lines):
        if not process.stdout.readline():
            break
    else:
        process.send_signal(signal.SIGKILL)
    process.stdout.close()
    return process.wait(60) == 0


def test_whatever_a_kill_leaves_behind_every_search_is_whole_and_the_next_run_ends(
    aws: Aws, migrated: Aurora, tenant: str
) -> None:
    client = aws.client()
    place = {"pk": {"S": "EMBEDDINGS"}, "sk": {"S": "EMBEDDINGS"}}
    client.call("DeleteItem", {"TableName": aws.control_table, "Key": place})
    deployment = _deployment(aws, migrated, tenant)
    for text in TEXTS:
        deployment.function().store(text)
    kills = 0

    while not run(aws, migrated, tenant, 9 + 9 * kills):
        kills += 1
        check([_deployment(aws, migrated, tenant).function()], TEXTS)

    plan = deployment.plans.get()
    assert plan is not None
    assert (plan.stage, plan.served, kills > 2) == ("settled", NEW, True)
    check([_deployment(aws, migrated, tenant).function()], TEXTS)
    left = deployment.late.window(tenant, [str(OLD)], deployment.clock(), None, awaiting=False)
    assert all(text.has[str(OLD)] == 0 for text in left.lacking)


def _deployment(aws: Aws, aurora: Aurora, tenant: str) -> Deployment:
    made = in_postgres(tenant, Clock(now()), Postgres(aurora.app_dsn))
    made.plans = DynamoPlanStore(aws.client(), aws.control_table)
    return made
