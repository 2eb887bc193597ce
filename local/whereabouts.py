"""What is where, read from the stores themselves, and how to go on by hand."""

import json
import shlex

import psycopg

from agent_memory.domain.identifiers import to_path
from local import ministack
from local.api import Api
from local.console import heading, say
from local.stack import Stack
from local.state import State

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'memory'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    ORDER BY relname
"""


def show(stack: Stack) -> None:
    """Count what the stores hold."""
    heading("What is where")
    dynamodb = ministack.client("dynamodb", stack.aws_endpoint_url)
    for table in (stack.memory_table, stack.control_table):
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        say(f"  DynamoDB    {table}: {sum(page['Count'] for page in pages)} items")
    objects = ministack.client("s3", stack.aws_endpoint_url).list_objects_v2(Bucket=stack.bucket)
    say(f"  S3          {stack.bucket}: {objects['KeyCount']} objects (older episodes and large values)")
    database = Api(stack.api_url, stack.api_key).data("GET", "/v1/health/ready")["stores"]["database"]
    with psycopg.connect(stack.postgres_dsn_owner) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
    say(f"  PostgreSQL  schema version {database['schema_version']}: {', '.join(tables)}")


def show_next_steps(state: State, agent: str, session: str, question: str) -> None:
    """Print lines that can be pasted into a shell."""
    heading("Go on")
    contract = shlex.quote(str(state.stack_json))
    read = "python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])'"
    say(f"  url=$({read} api_url < {contract})")
    say(f"  key=$({read} api_key < {contract})")
    say(f'  curl -H "Authorization: Bearer $key" "$url/v1/memory/episodic/{agent}?limit=3"')
    say(f'  curl -H "Authorization: Bearer $key" "$url/v1/memory/episodic/{agent}/sessions/{to_path(session)}"')
    asked = json.dumps({"agent_id": agent, "query": question, "top_k": 1}).replace("'", "\\u0027")
    say(f"""  curl -H "Authorization: Bearer $key" "$url/v1/memory/semantic/search" -d '{asked}'""")
    say('  curl -H "Authorization: Bearer $key" "$url/v1/health/ready"')
    say("  make down    # stops everything and removes what it left")
