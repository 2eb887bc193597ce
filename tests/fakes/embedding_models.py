"""The plan of the embedding models in memory."""

from agent_memory.domain.embedding_models import Plan


class InMemoryPlanStore:
    """`PlanStore` that counts its reads."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.reads = 0

    def get(self) -> Plan | None:
        self.reads += 1
        return self.plan

    def put(self, plan: Plan, before: Plan | None) -> bool:
        stands = self.plan
        expected = None if before is None or before.changed_at is None else (before.changed_at, before.stage)
        if (None if stands is None else (stands.changed_at, stands.stage)) != expected:
            return stands == plan
        self.plan = plan
        return True
