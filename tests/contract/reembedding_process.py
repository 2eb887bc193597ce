"""`python -m tests.contract.reembedding_process`: an operator who changes the embedding model, to be killed.

Each call of a store is told of by a line before it is made; waiting turns a clock instead of taking time.
"""

import os
import sys

from agent_memory.adapters.dynamodb import make_client
from agent_memory.adapters.dynamodb_embedding_models import DynamoPlanStore
from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.times import now
from tests.contract.interrupted import Points
from tests.contract.reembedding import STEPS, in_postgres, step
from tests.fakes.clock import Clock


class Told(Points):
    """Says at each point that it is reached."""

    def reach(self) -> None:
        super().reach()
        sys.stdout.write(".\n")
        sys.stdout.flush()


def main() -> None:
    """The whole change, whatever was done of it before."""
    plans = DynamoPlanStore(make_client("us-east-1"), os.environ["CONTROL_TABLE"])
    deployment = in_postgres(os.environ["TENANT"], Clock(now()), Postgres(lambda: os.environ["DSN"]))
    deployment.plans = plans
    plan = plans.get()
    done = {None: 0, "writing": 1, "serving": 4, "leaving": 4, "settled": 5}[plan.stage if plan else None]
    for name in STEPS[done:]:
        step(deployment.operator(Told(0, lambda: None)), name)


if __name__ == "__main__":
    main()
