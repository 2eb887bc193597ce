"""Who stands behind an access key: a function, or a session that a function opened and that was seen to be opened."""

import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.iam.account import ACCOUNT, Account, FunctionKey
from local.iam.message import Message, Signer, Unreadable
from local.iam.policies import Statement, parse
from local.iam.services import sts_parameters, tags_of

ROOT_KEY = "test"
_FIELDS = {name: re.compile(rf'(?:<{name}>|"{name}"\s*:\s*")([^<"]+)') for name in ("AccessKeyId", "SessionToken")}
_DEFAULT_S = 3600


@dataclass(frozen=True)
class Principal:
    """A role at work: `tags` and `limits` are those of its session."""

    role: str
    session: str
    token: str
    tags: Mapping[str, str]
    limits: tuple[tuple[Statement, ...], ...] = ()
    expires: float = float("inf")

    @property
    def arn(self) -> str:
        """The ARN that answers name."""
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.session}"

    @property
    def role_arn(self) -> str:
        """The ARN that policies name."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.role}"

    def signed(self, signer: Signer) -> bool:
        """Whether the key came with its token and in time."""
        return hmac.compare_digest(self.token, signer.token) and time.time() < self.expires


class Sessions:
    """Remembers the sessions that were opened through the proxy."""

    def __init__(self) -> None:
        self._opened: dict[str, Principal] = {}

    def opened(self, key: str) -> Principal | None:
        """The session of a key."""
        return self._opened.get(key)

    def watch(self, asked: Message, answer: bytes) -> None:
        """Take note of a session that the stand-in has just opened."""
        parameters, text = sts_parameters(asked), answer.decode()
        key, token = (_FIELDS[name].search(text) for name in ("AccessKeyId", "SessionToken"))
        if key is None or token is None:
            return
        duration = int(parameters.get("DurationSeconds") or _DEFAULT_S)
        self._forget_expired()
        self._opened[key[1]] = Principal(
            role=parameters["RoleArn"].rpartition("/")[2],
            session=parameters["RoleSessionName"],
            token=token[1].replace("\\/", "/"),
            tags=tags_of(parameters),
            limits=_limits(parameters),
            expires=time.time() + duration,
        )

    def _forget_expired(self) -> None:
        """Long after it is over: until then, its requests are refused for being late rather than unknown."""
        late = time.time() - _DEFAULT_S
        self._opened = {key: each for key, each in self._opened.items() if each.expires > late}


def function(account: Account, key: str) -> Principal | None:
    """The function of a key, as far as functions are known."""
    found = (account.functions.fresh("", float("inf")) or {}).get(key)
    return _at_work(found) if found else None


def _at_work(found: FunctionKey) -> Principal:
    return Principal(role=found.role, session=found.function, token=found.token, tags={})


def _limits(parameters: Mapping[str, Any]) -> tuple[tuple[Statement, ...], ...]:
    if any(name.startswith("PolicyArns") for name in parameters):
        raise Unreadable("a session narrowed by managed policies")
    policy = parameters.get("Policy")
    return (parse("session", json.loads(policy)),) if policy else ()
