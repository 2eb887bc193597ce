"""stack.json, the contract for tools: where the running stack is and how to get in."""

import json
from dataclasses import asdict, dataclass

from local.state import StackError, State, write_private


@dataclass(frozen=True)
class Tenant:
    """A tenant of the demonstration and a key with all scopes."""

    tenant_id: str
    api_key: str


@dataclass(frozen=True)
class Stack:
    """Everything that a client, a test or a curious person needs."""

    api_url: str
    api_key: str
    tenants: tuple[Tenant, ...]
    aws_endpoint_url: str
    rds_data_endpoint_url: str
    bedrock_endpoint_url: str
    iam_endpoint_url: str
    region: str
    memory_table: str
    control_table: str
    bucket: str
    queue_url: str
    postgres_dsn_app: str
    postgres_dsn_owner: str

    @property
    def deployment_name(self) -> str:
        """What all names of the deployment begin with."""
        return self.memory_table.removesuffix("-memory")


def write(state: State, stack: Stack) -> None:
    """Keep it where tools look; it holds keys, so only its owner may read it."""
    write_private(state.stack_json, asdict(stack))


def read(state: State) -> Stack:
    """Read the stack that `up` left."""
    try:
        content = json.loads(state.stack_json.read_text())
    except FileNotFoundError:
        raise StackError("no stack is running: `make up` starts one") from None
    tenants = tuple(Tenant(**tenant) for tenant in content.pop("tenants"))
    try:
        return Stack(tenants=tenants, **content)
    except TypeError:
        raise StackError("another version started this stack: `make up` starts it anew") from None
