"""What clients know says what a walk must not find any more."""

import pytest

from tests.faults.journal import Agent, Journal, Purge, Write

OPS = Agent("acme", "ops")


@pytest.mark.parametrize(
    ("began", "ended", "is_gone"),
    [(2, 3, True), (2, 6, False), (2, None, False), (0, 3, False)],
    ids=["purged before the walk", "while it walked", "not to its end", "begun before the write was over"],
)
def test_only_what_a_purge_removed_before_the_walk_must_be_gone(began: int, ended: int | None, is_gone: bool) -> None:
    write = Write("w", OPS, {}, began=0, ended=1)
    journal = Journal(episodes=[write], purges={OPS: [Purge(began, ended)]})

    assert journal.must_be_gone(write, before=5) is is_gone
