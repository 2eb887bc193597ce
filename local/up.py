"""Bring the stack up: services, Terraform, tenants. What is up already is left alone."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from local import infrastructure, ministack, services, stack, tenants, terraform
from local.console import say, status
from local.down import clean
from local.ports import LOOPBACK, Ports, are_chosen, ports
from local.stack import Stack
from local.state import ROOT, StackError, State

_ZIP = ROOT / "dist" / "agent-memory-local.zip"


def up(state: State) -> Stack:
    """Start what is missing, apply what has changed, and return where everything is."""
    terraform.binary()
    with state.locked():
        artifact = _build()
        chosen = _start(state)
        started = services.recorded(state)["ministack"].started
        wanted = infrastructure.fingerprint(artifact, chosen, started)
        if state.applied.exists() and state.applied.read_text() == wanted:
            running = stack.read(state)
            say(f"the stack is up: {running.api_url}\n  keys: {state.stack_json}")
            return running
        say(f"services run (MiniStack {chosen.ministack}, PostgreSQL {chosen.postgres}, all on {LOOPBACK})")
        state.applied.unlink(missing_ok=True)  # until this apply has succeeded, nothing is known of the stack
        infrastructure.apply(state, chosen, artifact)
        described = _describe(chosen, infrastructure.outputs(state, chosen)["deployment"])
        stack.write(state, described)
        state.applied.write_text(wanted)
        say(f"the stack is up: {described.api_url}\n  keys: {state.stack_json}")
        return described


def _start(state: State) -> Ports:
    """Start the services that do not run."""
    # MiniStack remembers nothing: what was left of one that is gone describes a stack that is gone. Nor does the proxy,
    # and functions would go on with sessions that it does not know. And the functions of a stack that an earlier
    # version started would not find the services that are new.
    remembering = all(services.is_alive(state, name) for name in ("ministack", "iam"))
    if not (remembering and are_chosen(state)):
        clean(state)
    chosen = ports(state)
    dsn = services.ensure_postgres(state, chosen)
    services.ensure_rds_data(state, chosen, dsn)
    services.ensure_bedrock(state, chosen)
    services.ensure_ministack(state, chosen)
    services.ensure_iam(state, chosen)
    return chosen


def _build() -> dict[str, Any]:
    status("  building the Lambda zip")
    command = [sys.executable, str(ROOT / "lambda_src" / "build.py"), "--platform", "local"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(done.stderr.strip())
    return infrastructure.artifact_input(_ZIP, json.loads(_ZIP.with_suffix(".json").read_text()))


def _describe(chosen: Ports, deployment: dict[str, Any]) -> Stack:
    database = deployment["database"]
    credentials = ministack.credentials(chosen)
    keys = tenants.create(credentials | deployment["admin_environment"])
    return Stack(
        api_url=f"{ministack.endpoint(chosen)}/_aws/execute-api/{deployment['api_id']}/%24default",
        api_key=keys[0].api_key,
        tenants=keys,
        aws_endpoint_url=ministack.endpoint(chosen),
        rds_data_endpoint_url=ministack.rds_data_endpoint(chosen),
        bedrock_endpoint_url=ministack.bedrock_endpoint(chosen),
        iam_endpoint_url=ministack.iam_endpoint(chosen),
        region=ministack.REGION,
        memory_table=deployment["tables"]["memory"]["name"],
        control_table=deployment["tables"]["control"]["name"],
        bucket=deployment["archive"]["bucket_name"],
        queue_url=deployment["dead_letter_queue_url"],
        postgres_dsn_app=_dsn(chosen, database, database["app_secret_arn"]),
        postgres_dsn_owner=_dsn(chosen, database, database["master_secret_arn"]),
    )


def _dsn(chosen: Ports, database: dict[str, Any], secret_arn: str) -> str:
    """Log in as the secret says: the application's role has a password that the schema function made."""
    secrets = ministack.client("secretsmanager", ministack.endpoint(chosen))
    secret = json.loads(secrets.get_secret_value(SecretId=secret_arn)["SecretString"])
    user, password = quote(secret["username"]), quote(secret["password"], safe="")
    return f"postgresql://{user}:{password}@{LOOPBACK}:{chosen.postgres}/{database['name']}"
