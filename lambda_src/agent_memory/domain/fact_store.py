"""The port of the facts' store, and what goes through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from agent_memory.domain.facts import Fact, Saying, Told
from agent_memory.domain.idempotency import IdempotencyRecord

# Standing statements of one (user, agent, subject, predicate): each change looks at all of them.
MAX_STATEMENTS = 10_000


class FactPosition(NamedTuple):
    """A place in the order of facts, those that hold since the latest first."""

    valid_from: datetime
    id: str


@dataclass(frozen=True, slots=True)
class FactsAsked:
    """What is asked of a user; without times it is what is known now of now."""

    user_id: str
    now: datetime
    agent_id: str | None = None
    subject_key: str | None = None
    predicate_key: str | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    purpose: str | None = None
    after: FactPosition | None = None
    limit: int = 50


class FactPage(NamedTuple):
    """Facts, whether there are more, and the times that were meant."""

    facts: list[Fact]
    more: bool
    as_of: datetime
    known_at: datetime


class CardinalityDiffers(Exception):
    """The item at this place says another cardinality than its predicate has; nothing was written."""

    def __init__(self, place: int) -> None:
        super().__init__("the predicate has another cardinality")
        self.place = place


class PredicateCrowded(Exception):
    """Of the predicate of the item at this place more statements would stand than may; nothing was written."""

    def __init__(self, place: int) -> None:
        super().__init__("the predicate has too many statements")
        self.place = place


class FactAnswered(Exception):
    """The idempotency key has been used by a request of this hash, which did this; nothing was written now."""

    def __init__(self, request_hash: str, told: Sequence[Told]) -> None:
        super().__init__("this idempotency key has been used")
        self.request_hash = request_hash
        self.told = told


Change = Literal["retract", "restore"]
Changed = Literal["absent", "already", "clash"]


class FactStore(Protocol):
    """What was said of users, and what follows from it by `timeline`, at every valid time and every known time.

    Changes of one user follow one another. Every method raises StoreUnavailable when the store does not answer, and has
    then changed nothing.
    """

    def put(
        self, tenant_id: str, user_id: str, sayings: Sequence[Saying], now: datetime, answer: IdempotencyRecord | None
    ) -> list[Told]:
        """Keep all that is said of one user, or nothing: what became of each, in order.

        Raises:
            CardinalityDiffers: a predicate has one value or many, and keeps to that.
            PredicateCrowded: so much has been said of a predicate that no more is taken.
            FactAnswered: the idempotency key has been used.
        """

    def change(
        self, tenant_id: str, fact_id: str, change: Change, now: datetime, answer: IdempotencyRecord | None
    ) -> Told | Changed:
        """Take back all that says what the fact says, or let it stand again; or why not.

        Not when there is no such fact, when it is so already, or when its predicate has another cardinality by now.

        Raises:
            FactAnswered: the idempotency key has been used.
        """

    def facts(self, tenant_id: str, asked: FactsAsked) -> FactPage:
        """Read what held, as far as it was known: up to the limit, fewer for their size or when there are no more."""

    def history(
        self, tenant_id: str, fact_id: str, now: datetime, before: datetime | None, limit: int
    ) -> tuple[list[Fact], bool]:
        """Read what was believed of a fact, the newest first, and whether there is more; nothing of no such fact."""

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """Remove some facts of an agent, whatever became of them: how many; 0 when none is left."""
