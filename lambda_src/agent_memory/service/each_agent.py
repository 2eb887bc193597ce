"""A step of the sweep that looks at the objects of one agent after another."""

from collections.abc import Callable

from agent_memory.domain.identifiers import from_path, to_path
from agent_memory.domain.sweep import Agent, Bucket, Part, Progress
from agent_memory.service.failures import Failures
from agent_memory.service.rewriting import Replaced, Rewriter, Rewriting

_AT_ONCE = 50


class EachAgent:
    """`SweepStep` of a rewriter. `settle` waits until nobody reads any more who began before."""

    def __init__(
        self,
        bucket: Bucket,
        rewriter: Rewriter,
        rewriting: Rewriting,
        failures: Failures,
        settle: Callable[[], None],
    ) -> None:
        self._bucket = bucket
        self._failures = failures
        self._rewriter = rewriter
        self._rewriting = rewriting
        self._settle = settle

    def advance(self, after: str | None, part: Part) -> Progress:
        """See `SweepStep.advance`; for some agents."""
        agents = self._bucket.agents(_agent(after), _AT_ONCE)
        replaced: list[Replaced] = []
        for agent in agents:
            with self._failures.spared(part):
                for each in self._rewriter.replace(agent, part):
                    replaced.append(each)  # noqa: PERF402 - those before a failure count
            if not part.may_go_on():
                break
            after = _place(agent)
        if replaced:
            self._settle()
        for each in replaced:
            with self._failures.spared(part):
                self._rewriting.finish(each)
        return Progress(after, is_over=not agents)


def _place(agent: Agent) -> str:
    return f"{agent.tenant_id}/{to_path(agent.agent_id)}"


def _agent(place: str | None) -> Agent | None:
    if place is None:
        return None
    tenant_id, _, path = place.partition("/")
    return Agent(tenant_id, from_path(path))
