"""Changing the embedding model of a deployment in use, step by step; each step may die anywhere and be repeated.

Nothing here knows how far it came: what lacks vectors is found out anew, so that to begin again is to go on.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from agent_memory.domain.embedding_models import Plan, PlanStore, Space
from agent_memory.domain.late_vectors import Compared, Filled
from agent_memory.errors import Conflict

# Searches of each tenant that are compared, and how much of the old model's answers the new one has to give.
_ASKED = 50
GOOD_ENOUGH = 0.6


class Worker(Protocol):
    """What works on a tenant's vectors, a bounded piece each time; StoreUnavailable when it could not."""

    def fill(self, tenant_id: str, after: str | None) -> Filled:
        """Make the vectors that some records lack of the models that are written now."""

    def compare(self, tenant_id: str, old: str, new: str, after: str | None) -> Compared:
        """Some searches by both models."""

    def remove(self, tenant_id: str, model: str) -> int:
        """Take some vectors of a model away: how many; 0 when none is left."""


class Tenants(Protocol):
    """Everybody."""

    def all(self) -> Sequence[str]:
        """Every tenant that may have stored something, in a fixed order."""


class Reembedding:
    """The steps; `tell` hears of progress, in counts."""

    def __init__(
        self,
        plans: PlanStore,
        deployed: Sequence[Space],
        tenants: Tenants,
        worker: Worker,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        tell: Callable[[str], object],
    ) -> None:
        self._plans = plans
        self._deployed = deployed
        self._tenants = tenants
        self._worker = worker
        self._clock = clock
        self._sleep = sleep
        self._tell = tell

    def status(self) -> dict[str, Any]:
        """Where the change stands."""
        return _shown(self._plan())

    def start(self) -> dict[str, Any]:
        """Have both models written from now on; repeated, nothing happens.

        Raises:
            Conflict: the deployment has no next model, or another change is under way.
        """
        plan = self._plan()
        own, *following = self._deployed
        if not following:
            raise Conflict("the deployment has no next model: set embedding.next and apply")
        if plan.stage == "writing" and plan.other == following[0]:
            return _shown(plan)
        if plan.served != own:
            raise Conflict(
                "the model that is searched is not embedding.model_id: set it so, and embedding.next beside it"
            )
        return _shown(self._change(plan, plan.started(following[0], self._clock())))

    def backfill(self) -> dict[str, Any]:
        """Make the vectors that stored texts lack, of every model that is written: all that a search may need.

        Without a change under way, those that were pending for too long.
        """
        plan = self._settled()
        return _shown(plan) | self._fill_all()

    def compare(self) -> dict[str, Any]:
        """How much of what the searched model finds the other one does.

        Raises:
            Conflict: there is no other one.
        """
        plan = self._settled()
        if plan.stage not in ("writing", "serving") or plan.other is None:
            raise Conflict("there is no other model to compare with")
        asked = wanted = found = 0
        for tenant_id in self._tenants.all():
            seen, after = 0, None
            while seen < _ASKED:
                told = self._worker.compare(tenant_id, str(plan.served), str(plan.other), after)
                seen, after = seen + max(1, told.asked), told.after
                asked, wanted, found = asked + told.asked, wanted + told.wanted, found + told.found
                if after is None:
                    break
        return _shown(plan) | {"searches": asked, "recall": round(found / wanted, 4) if wanted else None}

    def cut_over(self, at_least: float, *, anyway: bool) -> dict[str, Any]:
        """Search the other model from now on; repeated, nothing happens.

        Raises:
            Conflict: the other model lacks vectors, or finds too little of what the one before does.
        """
        plan = self._plan()
        if plan.stage == "serving":
            return _shown(plan)
        self._settled()
        filled = self._fill_all()  # what was stored before both were written, and what failed since
        if filled["missing"] and not anyway:
            raise Conflict(f"vectors of {filled['missing']} records could not be made; the log of ingest says why")
        compared = self.compare()
        recall = compared["recall"]
        if not anyway and recall is not None and recall < at_least:
            raise Conflict(f"the new model finds {recall:.2f} of what the old one does, less than {at_least:.2f}")
        return compared | filled | _shown(self._change(plan, plan.cut_over(self._clock())))

    def back(self) -> dict[str, Any]:
        """Search the model before again; both have been written all the time."""
        plan = self._plan()
        return _shown(plan if plan.stage == "writing" else self._change(plan, plan.back(self._clock())))

    def finish(self) -> dict[str, Any]:
        """Write the searched model alone, and take the vectors of the other one away.

        Raises:
            Conflict: nothing was cut over.
        """
        plan = self._plan()
        if plan.stage == "settled":
            return _shown(plan)
        if plan.stage == "serving":
            self._settled()  # nobody searches the model before any more
            plan = self._change(plan, plan.left(self._clock()))
        return self._leave(plan, "finish")

    def abandon(self) -> dict[str, Any]:
        """Go on with the model of before: what was made of the other one goes.

        Raises:
            Conflict: the other model is searched already; go back first.
        """
        plan = self._plan()
        if plan.stage == "settled":
            return _shown(plan)
        if plan.stage == "writing":
            self._settled()  # after a way back nobody searches the other one any more
            plan = self._change(plan, plan.left(self._clock()))
        return self._leave(plan, "abandon")

    def _leave(self, plan: Plan, step: str) -> dict[str, Any]:
        if plan.stage != "leaving" or plan.other is None:
            raise Conflict(f"{step} is no step from here: the models are {plan.stage}")
        self._settled()  # nobody writes it any more
        removed = sum(self._remove_all(tenant_id, str(plan.other)) for tenant_id in self._tenants.all())
        settled = self._change(plan, plan.settled(self._clock()))
        return _shown(settled) | {"vectors_removed": removed}

    def _remove_all(self, tenant_id: str, model: str) -> int:
        removed = 0
        while some := self._worker.remove(tenant_id, model):
            removed += some
        self._tell(f"{tenant_id}: {removed} vectors removed")
        return removed

    def _fill_all(self) -> dict[str, Any]:
        looked = filled = missing = 0
        for tenant_id in self._tenants.all():
            after: str | None = None
            while True:
                told = self._worker.fill(tenant_id, after)
                looked, filled, missing = looked + told.looked, filled + told.filled, missing + told.missing
                if (after := told.after) is None:
                    break
            self._tell(f"{tenant_id}: {filled} of {looked} records have got vectors so far")
        return {"looked_at": looked, "filled": filled, "missing": missing}

    def _plan(self) -> Plan:
        return self._plans.get() or Plan(self._deployed[0])

    def _settled(self) -> Plan:
        """The plan, once no function works by the one before it."""
        plan = self._plan()
        while (left := plan.settles_in(self._clock())) > 0:
            self._tell(f"waiting {left:.0f} s until every function knows of the step before")
            self._sleep(left)
            plan = self._plan()
        return plan

    def _change(self, before: Plan, plan: Plan) -> Plan:
        if not self._plans.put(plan, before):
            raise Conflict("somebody else changed the models in the meantime")
        return plan


def _shown(plan: Plan) -> dict[str, Any]:
    return {
        "stage": plan.stage,
        "searched": str(plan.served),
        "written": [str(space) for space in plan.written],
        "leaving": str(plan.other) if plan.stage == "leaving" else None,
        "changed_at": plan.changed_at,
    }
