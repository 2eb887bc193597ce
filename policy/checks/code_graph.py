"""What stands elsewhere in the code: checkov's graph of all blocks, of a source tree or of a plan."""

import re
from collections.abc import Iterable, Iterator
from typing import Any


def blocks(graph: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the attributes of every resource or data source of a type, such as `aws_rds_cluster`."""
    for _, block in graph.nodes():
        if block.get("block_type_") in {"resource", "data"} and block.get("resource_type") in {kind, f"data.{kind}"}:
            yield block


def referred(graph: Any, kind: str, reference: str, address: str) -> list[dict[str, Any]]:
    """Return the blocks that `aws_rds_cluster.main.id`, seen in the block at an address, may mean.

    checkov carries a reference from module to module as it is, so the nearest block of that name is meant.
    """
    name = ".".join(reference.removeprefix("data.").split(".")[:2])
    return nearest((each for each in blocks(graph, kind) if each["block_name_"].removeprefix("data.") == name), address)


def nearest(candidates: Iterable[dict[str, Any]], address: str) -> list[dict[str, Any]]:
    """Return those that share the most modules with the block at an address."""
    shared = [(_shared(each.get("__address__") or "", address), each) for each in candidates]
    most = max((count for count, _ in shared), default=0)
    return [each for count, each in shared if count == most]


def _shared(one: str, other: str) -> int:
    pairs = list(zip(_modules(one), _modules(other), strict=False))
    return next((index for index, (left, right) in enumerate(pairs) if left != right), len(pairs))


def _modules(address: str) -> list[str]:
    return re.findall(r"\bmodule\.[\w-]+(?:\[[^\]]*\])?", address)
