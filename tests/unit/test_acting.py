"""For whom work is done: for nobody unless said, in this thread, for one request."""

import contextvars
import threading

import pytest

from agent_memory.acting import NobodyActs, acting_for, acting_tenant


def test_nobody_acts_unless_it_is_said() -> None:
    with pytest.raises(NobodyActs):
        acting_tenant()


@pytest.mark.parametrize("nobody", [None, ""])
def test_work_that_is_nobodys_has_no_tenant(nobody: str | None) -> None:
    with acting_for("acme"), acting_for(nobody), pytest.raises(NobodyActs):
        acting_tenant()


def test_after_a_block_it_is_as_before_whatever_happened_in_it() -> None:
    with acting_for("acme"):
        with pytest.raises(RuntimeError), acting_for("globex"):
            raise RuntimeError
        assert acting_tenant() == "acme"
    with pytest.raises(NobodyActs):
        acting_tenant()


def test_a_thread_knows_a_tenant_only_when_it_is_handed_over() -> None:
    seen: list[str] = []

    def look() -> None:
        try:
            seen.append(acting_tenant())
        except NobodyActs:
            seen.append("nobody")

    with acting_for("acme"):
        here = contextvars.copy_context()
        for target in (look, lambda: here.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()

    assert seen == ["nobody", "acme"]
