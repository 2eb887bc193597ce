"""Agent runs: write a step, read a run's steps in order, list an agent's runs."""

from collections.abc import Callable
from datetime import datetime

from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import dumps
from agent_memory.domain.runs import NewStep, Run, RunKey, RunQuery, RunsQuery, RunStore, Step
from agent_memory.domain.state import StateKey
from agent_memory.errors import NotFound
from agent_memory.service.paging import Page, PageBudget, fill_page
from agent_memory.service.subjects import Subjects


class Runs:
    """The routes of runs but for tool calls."""

    def __init__(self, store: RunStore, subjects: Subjects, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._subjects = subjects
        self._clock = clock

    def put(self, key: RunKey, number: int, new: NewStep, attempt: Attempt) -> Step:
        """Write a step over whatever stands there.

        Raises:
            Conflict: the session belongs to another user, or other writers got through too often.
        """
        now = self._clock()
        step = Step(
            run=key,
            number=number,
            agent_id=new.agent_id,
            session_id=new.session_id,
            state=new.state,
            status=new.status,
            updated_at=now,
            expires_at=new.expiry(now),
            annotations=new.annotations(),
        )
        if new.session_id is not None:
            self._subjects.check(StateKey(key.tenant_id, new.agent_id, new.session_id), new.user_id)
        self._store.put(step, attempt.answered(200, step.response()))
        return step

    def get(self, key: RunKey, query: RunQuery, cursor_key: bytes) -> tuple[Run, Page[int], str | None]:
        """The run, a page of its steps, and the next cursor.

        Raises:
            NotFound: the run has no live step.
        """
        walk = dumps(["steps", key.tenant_id, key.run_id])
        after = None if query.cursor is None else unseal(cursor_key, walk, query.cursor)[0]
        now, budget = self._clock(), PageBudget()
        run = self._store.top(key, now)
        if run is None:
            raise NotFound("no such run")
        stream = self._store.steps(key, after, now, budget)
        page = fill_page(stream, budget, query.limit, lambda _: True, lambda step: step.response())
        position = after if page.resume_after is None and page.partial else page.resume_after
        is_last = position is None and not page.partial
        return run, page, None if is_last else seal(cursor_key, walk, [position])

    def of_agent(self, tenant_id: str, query: RunsQuery, cursor_key: bytes) -> tuple[Page[str], str | None]:
        """List runs that the agent wrote a step of, in the order of their keys: (page, next cursor)."""
        walk = dumps(["runs", tenant_id, query.agent_id, query.status])
        after = None if query.cursor is None else unseal(cursor_key, walk, query.cursor)[0]
        budget = PageBudget()

        def wanted(run: Run) -> bool:
            return query.status in (None, run.status)

        stream = self._store.runs(tenant_id, query.agent_id, after, self._clock(), budget)
        page = fill_page(stream, budget, query.limit, wanted, lambda run: run.response())
        position = after if page.resume_after is None and page.partial else page.resume_after
        is_last = position is None and not page.partial
        return page, None if is_last else seal(cursor_key, walk, [position])
