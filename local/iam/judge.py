"""Who decides about a request, and what the policies say to it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from local.iam import services, sessions
from local.iam.account import ACCOUNT, Account, Kept, Role
from local.iam.dynamodb import Tables
from local.iam.evaluator import Decision, Request, context, evaluate
from local.iam.message import Message, Signer, Unreadable
from local.iam.patterns import UnclearPolicy
from local.iam.sessions import Principal, Sessions

if TYPE_CHECKING:
    from local.iam.policies import Statement

UNGUARDED = {"bedrock", "rds-data"}
"""Their stand-ins know no IAM: what is said here is all there is."""

MISJUDGED = {
    "dynamodb": "in tagged sessions: it fills neither dynamodb:LeadingKeys nor the variables of a policy; of everybody:"
    " what is allowed for certain leading keys",
    "s3": "in tagged sessions: it does not fill the variables of a policy; of everybody: it takes the removal of a"
    " version for that of an object, which is another permission",
    "sqs": "of everybody: it takes a batch for an action that IAM does not know",
    "ssm": "of everybody: it takes the version that follows a parameter's name for a part of its ARN",
}
"""What MiniStack refuses though AWS allows it. It is not asked there: what is said here is all there is."""

_WHOEVER_ASKS = {"sqs", "ssm"}
_ACTIONS_OF_WHOEVER_ASKS = {"s3:DeleteObjectVersion"}
_KEYS = "dynamodb:leadingkeys"

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Ruling:
    """What the policies say to all that a message asks. Where they are not clear, `reason` says why: that is a no.

    `by_keys` names the statements that allow something for certain leading keys.
    """

    principal: Principal
    service: str
    decisions: tuple[tuple[Request, Decision], ...] = ()
    reason: str = ""
    by_keys: frozenset[str] = frozenset()

    @property
    def allowed(self) -> bool:
        """Whether everything is allowed."""
        return bool(self.decisions) and all(decision.allowed for _, decision in self.decisions)

    @property
    def is_final(self) -> bool:
        """Whether it counts, or the stand-in has its own say and this is a second opinion."""
        return self.service in UNGUARDED or self.swaps_key

    @property
    def swaps_key(self) -> bool:
        """Whether the stand-in, which would misjudge it, must take the request for root's."""
        asked = {request.action for request, _ in self.decisions}
        by = {name for _, decision in self.decisions for name in decision.by}
        whoever_asks = self.service in _WHOEVER_ASKS or bool(asked & _ACTIONS_OF_WHOEVER_ASKS or by & self.by_keys)
        return self.service in MISJUDGED and (bool(self.principal.tags) or whoever_asks)


class Judge:
    """Knows sessions and policies."""

    def __init__(self, account: Account, opened: Sessions) -> None:
        self._account = account
        self._opened = opened

    async def principal(self, signer: Signer) -> Principal | None:
        """Who signed; None for a key that nobody has here."""
        known = self._opened.opened(signer.key) or sessions.function(self._account, signer.key)
        if known is None:
            await _read(self._account.functions, "", 1.0)  # it may be new
            known = sessions.function(self._account, signer.key)
        return known

    async def rule(self, principal: Principal, message: Message, signer: Signer) -> Ruling:
        """Ask the policies; a no is given only after they were read anew."""
        ruling = Ruling(principal, signer.service)
        for longest_s in (None, 0.0):
            ruling = await self._rule(principal, message, signer, longest_s)
            if ruling.allowed:
                break
        return ruling

    async def _rule(self, principal: Principal, message: Message, signer: Signer, longest_s: float | None) -> Ruling:
        try:
            asked = services.requests(message, signer, await self._tables(message, signer, longest_s))
            role = await _read(self._account.roles, principal.role, longest_s)
            decisions = [(each, await self._decide(each, principal, role)) for each in _with(asked, principal, role)]
        except (Unreadable, UnclearPolicy) as unclear:
            return Ruling(principal, signer.service, reason=f"{type(unclear).__name__}: {unclear}")
        except (BotoCoreError, ClientError) as failed:
            return Ruling(principal, signer.service, reason=f"the stand-in did not say: {type(failed).__name__}")
        by_keys = (each.name for each in role.policies if any(key == _KEYS for _, key, _ in each.conditions))
        return Ruling(principal, signer.service, tuple(decisions), by_keys=frozenset(by_keys))

    async def _decide(self, asked: Request, principal: Principal, role: Role) -> Decision:
        on_resource: tuple[Statement, ...] = ()
        if asked.action.startswith("s3:"):
            on_resource = await _read(self._account.buckets, asked.resource.removeprefix("arn:aws:s3:::").split("/")[0])
        limits = principal.limits if role.boundary is None else (*principal.limits, role.boundary)
        return evaluate(asked, role.policies, *limits, resource=on_resource)

    async def _tables(self, message: Message, signer: Signer, longest_s: float | None) -> Tables:
        named = services.tables_of(message, signer)
        return Tables(
            signer.region, ACCOUNT, {name: await _read(self._account.tables, name, longest_s) for name in named}
        )


def _with(asked: list[Request], principal: Principal, role: Role) -> list[Request]:
    """Requests with what every request has: who asks, by which tags, and that the way is taken for an encrypted one."""
    tags = {**role.tags, **principal.tags}
    common = context(
        **{f"aws:PrincipalTag/{name}": value for name, value in tags.items()},
        **{"aws:PrincipalArn": principal.role_arn, "aws:SecureTransport": "true"},
    )
    return [Request(each.action, each.resource, {**common, **each.context}, principal.role_arn) for each in asked]


async def _read(kept: Kept[_Value], name: str, longest_s: float | None = None) -> _Value:
    found = kept.fresh(name) if longest_s is None else kept.fresh(name, longest_s)
    return await asyncio.to_thread(kept.read, name) if found is None else found
