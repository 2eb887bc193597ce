"""What a request asks of the services that functions call: each is read by its own rules, and no other is known."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from local.iam import dynamodb, s3
from local.iam.dynamodb import Tables
from local.iam.evaluator import Request, context
from local.iam.message import Message, Signer, Unreadable, decoded, single

_TARGETS = {
    "dynamodb": "DynamoDB_20120810.",
    "secretsmanager": "secretsmanager.",
    "sqs": "AmazonSQS.",
    "ssm": "AmazonSSM.",
}
_MODEL_CALLS = ("invoke", "converse")
_STS_VERSION = "AWSSecurityTokenServiceV20110615."
_DATA_API = {
    "/Execute": "ExecuteStatement",
    "/BatchExecute": "BatchExecuteStatement",
    "/BeginTransaction": "BeginTransaction",
    "/CommitTransaction": "CommitTransaction",
    "/RollbackTransaction": "RollbackTransaction",
}


def requests(message: Message, signer: Signer, tables: Tables) -> list[Request]:
    """Everything that IAM is asked about a message; Unreadable when that is not certain."""
    read = _READERS.get(signer.service)
    if read is None:
        raise Unreadable(f"{signer.service} is not known here")
    try:
        asked = read(message, tables)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as malformed:
        raise Unreadable("malformed") from malformed
    if not asked:
        raise Unreadable("it asks for nothing")
    return asked


def tables_of(message: Message, signer: Signer) -> Iterable[str]:
    """The DynamoDB tables that have to be known to read a message."""
    if signer.service != "dynamodb":
        return ()
    try:
        return dynamodb.tables_of(message.json)
    except (AttributeError, TypeError):
        raise Unreadable("malformed") from None


def _operation(message: Message, service: str) -> str:
    target, prefix = message.headers.get("x-amz-target", ""), _TARGETS[service]
    if message.method != "POST" or message.target != "/" or not target.startswith(prefix):
        raise Unreadable("no operation of this service")
    return target.removeprefix(prefix)


def _dynamodb(message: Message, tables: Tables) -> list[Request]:
    return dynamodb.requests(_operation(message, "dynamodb"), message.json, tables)


def _s3(message: Message, _: Tables) -> list[Request]:
    return s3.requests(message)


def _ssm(message: Message, tables: Tables) -> list[Request]:
    """A version or a label after the name is none of the ARN's."""
    name = str(message.json.get("Name", "")).removeprefix("/").partition(":")[0]
    if name in {"", "arn"}:
        raise Unreadable("a parameter that is not named by its name")
    arn = f"arn:aws:ssm:{tables.region}:{tables.account}:parameter/{name}"
    return [Request(f"ssm:{_operation(message, 'ssm')}", arn)]


def _secrets(message: Message, _: Tables) -> list[Request]:
    return [Request(f"secretsmanager:{_operation(message, 'secretsmanager')}", _arn(message.json, "SecretId"))]


def _rds_data(message: Message, _: Tables) -> list[Request]:
    """The service reads the secret on behalf of whoever asks, so that one needs leave to read it."""
    operation, body = _DATA_API.get(message.target), message.json
    if operation is None or message.method != "POST":
        raise Unreadable("no operation of this service")
    return [
        Request(f"rds-data:{operation}", _arn(body, "resourceArn")),
        Request("secretsmanager:GetSecretValue", _arn(body, "secretArn")),
    ]


def _bedrock(message: Message, tables: Tables) -> list[Request]:
    parts = message.target.split("/")
    if message.method != "POST" or len(parts) != 4 or parts[1] != "model" or parts[3] not in _MODEL_CALLS:
        raise Unreadable("no operation of this service")
    return [Request("bedrock:InvokeModel", f"arn:aws:bedrock:{tables.region}::foundation-model/{decoded(parts[2])}")]


def _sqs(message: Message, tables: Tables) -> list[Request]:
    """A batch asks for what each of it would; a queue is named by a URL that ends in account and name."""
    account, name = str(message.json["QueueUrl"]).rsplit("/", 2)[1:]
    action = _operation(message, "sqs").removesuffix("Batch")
    return [Request(f"sqs:{action}", f"arn:aws:sqs:{tables.region}:{account}:{name}")]


def _sts(message: Message, _: Tables) -> list[Request]:
    given = sts_parameters(message)
    if given.get("Action") != "AssumeRole":
        raise Unreadable("no operation of this service")
    tags = tags_of(given)
    named = context(**{"aws:TagKeys": list(tags)}, **{f"aws:RequestTag/{name}": value for name, value in tags.items()})
    actions = ["sts:AssumeRole", "sts:TagSession"] if tags else ["sts:AssumeRole"]
    return [Request(action, given["RoleArn"], named) for action in actions]


def sts_parameters(message: Message) -> dict[str, Any]:
    """An STS request's parameters, whichever way they came."""
    target = message.headers.get("x-amz-target", "")
    if target:
        if not target.startswith(_STS_VERSION):
            raise Unreadable("no operation of this service")
        return {"Action": target.removeprefix(_STS_VERSION), **message.json}
    return single(parse_qsl(message.body.decode(errors="replace"), keep_blank_values=True) + message.query)


def tags_of(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The session tags that an AssumeRole asks for."""
    if "Tags" in parameters:
        return {each["Key"]: each["Value"] for each in parameters["Tags"]}
    names = [name for name in parameters if name.startswith("Tags.member.") and name.endswith(".Key")]
    return {parameters[name]: parameters[f"{name.removesuffix('Key')}Value"] for name in names}


def _arn(body: Mapping[str, Any], name: str) -> str:
    """What has to be named by its ARN here: whoever names a secret otherwise does not say which one."""
    arn = str(body.get(name, ""))
    if not arn.startswith("arn:"):
        raise Unreadable(f"{name} is no ARN")
    return arn


_READERS: dict[str, Callable[[Message, Tables], list[Request]]] = {
    "bedrock": _bedrock,
    "dynamodb": _dynamodb,
    "rds-data": _rds_data,
    "s3": _s3,
    "secretsmanager": _secrets,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}
