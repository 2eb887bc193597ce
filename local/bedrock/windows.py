"""A text that is longer than the model's reach is cut into windows, so that no part of it is ignored."""

from collections.abc import Sequence
from itertools import pairwise


def windows(tokens: Sequence[int], reach: int) -> list[Sequence[int]]:
    """Cut into as few windows as there have to be, of equal length, for all of them count the same; never into none."""
    count = max(1, -(-len(tokens) // reach))
    edges = [len(tokens) * window // count for window in range(count + 1)]
    return [tokens[start:end] for start, end in pairwise(edges)]
