"""Names for what a request does, so that a fault can be planned for it without a hook in the product.

A name says the operation and what it touches, as it stands on the wire; with the role of the worker that asks in front
it is a kill point: `archiver.put_object`.
"""

import re
from collections.abc import Iterator
from typing import Any

from local.iam.message import Message

_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_KINDS = ("EPISODE", "SESSION", "PENDING", "OBJECT", "EPOCH", "RUN", "STEP", "TOOL")
Write = tuple[str, str, dict[str, Any]]
"""What is done, to which kind of item, and the request."""


def recognise(message: Message) -> str:
    """The name of a request; `other_read` and `other_write` for what nobody plans faults for."""
    target = message.headers.get("x-amz-target", "")
    if target.startswith("DynamoDB_"):
        return _of_table(target.rpartition(".")[2], message.json)
    return _of_bucket(message)


def _of_table(operation: str, request: dict[str, Any]) -> str:
    writes = list(_writes(operation, request))
    if not writes:
        return _of_read(operation, request)
    done = {(verb, kind) for verb, kind, _ in writes}
    for name, (verb, kind) in _NAMED.items():
        if (verb, kind) in done:
            return _refined(name, writes)
    return "other_write"


def _refined(name: str, writes: list[Write]) -> str:
    """What the same write is called by what else it says."""
    text = " ".join(str(request) for *_, request in writes)
    if name == "commit_index" and ("Delete", "OBJECT") in {(verb, kind) for verb, kind, _ in writes}:
        return "swap"
    if name in {"put_episode", "put_state", "change_state"} and "'body_key'" in text:
        return "commit_pointer"
    if name == "change_episode" and "evict_at" in text:
        return "evict"
    return name


_NAMED = {
    "commit_index": ("Put", "OBJECT"),
    "drop_index": ("Delete", "OBJECT"),
    "begin_epoch": ("Update", "EPOCH"),
    "set_epoch": ("Put", "EPOCH"),
    "note_pending": ("Put", "PENDING"),
    "forget_pending": ("Delete", "PENDING"),
    "put_episode": ("Put", "EPISODE"),
    "change_episode": ("Update", "EPISODE"),
    "remove_episode": ("Delete", "EPISODE"),
    "put_state": ("Put", "SESSION"),
    "change_state": ("Update", "SESSION"),
    "remove_state": ("Delete", "SESSION"),
    "put_step": ("Put", "STEP"),
    "put_tool": ("Put", "TOOL"),
    "change_tool": ("Update", "TOOL"),
}


def _writes(operation: str, request: dict[str, Any]) -> Iterator[Write]:
    if operation in _WRITES:
        yield _WRITES[operation], _kind(request), request
    for each in request.get("TransactItems", []):
        for verb, written in each.items():
            yield verb, _kind(written), written
    if operation == "BatchWriteItem":
        for requests in request["RequestItems"].values():
            for each in requests:
                for verb, written in each.items():
                    yield verb.removesuffix("Request"), _kind(written), written


def _kind(written: dict[str, Any]) -> str:
    sort_key = (written.get("Item") or written.get("Key") or {}).get("sk", {}).get("S", "")
    return next((kind for kind in _KINDS if sort_key.startswith(kind)), "")


def _of_read(operation: str, request: dict[str, Any]) -> str:
    if operation == "Scan":
        return "scan"
    text = str(request)
    kind = next((kind for kind in _KINDS if f"'{kind}" in text), None)
    return _READS.get((operation, kind or ""), "other_read")


_READS = {
    ("Query", "PENDING"): "read_pending",
    ("Query", "OBJECT"): "read_index",
    ("GetItem", "EPOCH"): "read_epoch",
    ("BatchGetItem", "EPISODE"): "read_hot",
    ("Query", "EPISODE"): "read_timeline",
    ("GetItem", "SESSION"): "read_state",
}


def _of_bucket(message: Message) -> str:
    keys = message.path + (message.body.decode("latin-1") if message.method == "POST" else "")
    if re.search(r"[?&](list-type|versions|prefix)", message.target):
        return "list_objects"
    what = "body" if "/bodies/" in keys else "upload" if "uploads/" in keys else "object" if ".jsonl" in keys else ""
    verb = {"PUT": "put", "GET": "get", "HEAD": "look_at", "DELETE": "remove", "POST": "remove"}[message.method]
    if message.headers.get("x-amz-copy-source"):
        verb = "copy"
    if not what:
        return "other_write" if verb in {"put", "remove"} else "other_read"
    return f"{verb}_{what}"
