"""Which models a piece of work uses: the deployment's, or what the plan in the control table says."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime
from typing import TYPE_CHECKING

from agent_memory.domain.embedding import Embedder, Embedders, Vector, space
from agent_memory.domain.embedding_models import KNOWN_S, Plan, PlanStore, Space
from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from concurrent.futures import Future

_RETRY_AFTER_S = 5


class Plans:
    """The plan as it stood at most KNOWN_S ago, by the wall clock: any other stands still in a frozen function."""

    def __init__(self, store: PlanStore, deployed: Space, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._deployed = deployed
        self._clock = clock
        self._known: tuple[Plan, datetime] | None = None

    def current(self) -> Plan:
        """The plan; that of the deployment's own model as long as nobody changed anything.

        Raises:
            StoreUnavailable: nobody knows. An older plan is not gone by, for its vectors may be on their way out.
        """
        now = self._clock()
        if self._known is None or not 0 <= (now - self._known[1]).total_seconds() < KNOWN_S:
            self._known = (self._store.get() or Plan(self._deployed)), now
        return self._known[0]


class EmbeddingModels:
    """`Embedders` by the plan. `make` gives a model's embedder, which counts for the tenant when told so.

    Only the model that is searched counts: that the deployment changes its model is no tenant's doing.
    """

    def __init__(self, plans: Plans, make: Callable[[Space, bool], Embedder | None]) -> None:
        self._plans = plans
        self._make = make
        self._made: dict[tuple[Space, bool], Embedder] = {}

    def served(self) -> Embedder:
        """See `Embedders.served`."""
        return self._embedder(self._plans.current().served, counted=True)

    def written(self) -> tuple[Embedder, ...]:
        """See `Embedders.written`."""
        served, *others = self._plans.current().written
        return (self._embedder(served, counted=True), *(self._embedder(other, counted=False) for other in others))

    def _embedder(self, space: Space, *, counted: bool) -> Embedder:
        made = self._made.get((space, counted))
        if made is None:
            made = self._made[space, counted] = self._make(space, counted) or Unknown(space)
        return made


class Unknown:
    """`Embedder` of a model that this deployment may not call: its vectors are to be had later."""

    def __init__(self, space: Space) -> None:
        self.name, self.dimensions = space

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `Embedder.embed`."""
        if not texts:
            return []
        raise StoreUnavailable("the model that is searched is none of this deployment's", _RETRY_AFTER_S)

    def attempt(self, texts: Sequence[str]) -> list[Vector | None]:
        """See `Embedder.attempt`."""
        return [None] * len(texts)


def attempt_all(embedders: Sequence[Embedder], texts: Sequence[str]) -> list[list[Vector | None]]:
    """For each model a vector for each text, or None: all models are asked at the same time.

    What the first one raises is raised; another one that fails, however, has to be asked again later.
    """
    first, *others = embedders
    if not others:
        return [first.attempt(texts)]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - one model is the rule, and starts sooner

    with ThreadPoolExecutor(len(others)) as pool:
        begun = [pool.submit(copy_context().run, other.attempt, texts) for other in others]
        return [first.attempt(texts), *(_whatever(future, len(texts)) for future in begun)]


def attempt_written(embedders: Embedders, texts: Sequence[str]) -> tuple[Sequence[Embedder], list[list[Vector | None]]]:
    """As `attempt_all`, by the models that are still written when the vectors are there, which may take long."""
    while True:
        models = embedders.written()
        had = attempt_all(models, texts)
        if [*map(space, models)] == [*map(space, embedders.written())]:
            return models, had


def _whatever(future: "Future[list[Vector | None]]", count: int) -> list[Vector | None]:
    return [None] * count if future.exception() is not None else future.result()
