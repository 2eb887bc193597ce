"""Which tests need which permission: what was recorded is asked once more of the policies, less one action at a time.

`python -m local.iam.proof` prints it for the running stack.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local import stack
from local.iam import records
from local.iam.account import Account, Role
from local.iam.evaluator import Request, evaluate, trusts
from local.iam.policies import Statement
from local.iam.records import Record
from local.state import chosen


@dataclass(frozen=True, order=True)
class Permission:
    """An action that a statement of a role gives, or takes."""

    role: str
    statement: str
    action: str


@dataclass(frozen=True)
class Exempt:
    """Permissions that no test can need here, and why; `roles` may hold wildcards, `*` is all actions."""

    roles: str
    statement: str
    actions: tuple[str, ...]
    reason: str

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Exempt":
        """Read a line of a list."""
        return cls(line["roles"], line["statement"], tuple(line["actions"]), line["reason"])

    def covers(self, permission: Permission) -> bool:
        """Whether a permission is meant."""
        named = self.actions == ("*",) or permission.action in self.actions
        return named and self.statement == permission.statement and fnmatchcase(permission.role, self.roles)


def needs(role: Role, recorded: Iterable[Record]) -> dict[Permission, list[str]]:
    """The tests that fail without each permission of a role, for one of their requests would be refused."""
    asked = [each for each in recorded if each.role == role.name and each.allowed]
    return {
        Permission(role.name, statement.name, action): sorted({each.test for each in asked if without(each.request)})
        for statement, action, without in _less_one(role.policies)
    }


def needs_of_trust(role: str, trust: tuple[Statement, ...], recorded: Iterable[Record]) -> dict[Permission, list[str]]:
    """The tests that fail once a role may not be taken so any more; the doors of AWS's own services are not theirs."""
    asked = [each for each in recorded if each.resource.endswith(f":role/{role}") and each.allowed]
    return {
        Permission(role, each.name, action): sorted(
            {one.test for one in asked if not trusts(one.request, _less(trust, each, action)).allowed}
        )
        for each in trust
        for action in each.actions
        if any(kind == "AWS" for kind, _ in each.principals)
    }


def _less_one(policies: tuple[Statement, ...]) -> Iterator[tuple[Statement, str, Any]]:
    for statement in policies:
        for action in statement.actions:
            left = _less(policies, statement, action)

            def is_refused(asked: Request, left: tuple[Statement, ...] = left) -> bool:
                return not evaluate(asked, left).allowed

            yield statement, action, is_refused


def _less(policies: tuple[Statement, ...], statement: Statement, action: str) -> tuple[Statement, ...]:
    return tuple(each.without(action) if each is statement else each for each in policies)


def of_account(account: Account, prefix: str, recorded: list[Record]) -> dict[Permission, list[str]]:
    """The tests behind every permission of the roles whose names begin so."""
    found: dict[Permission, list[str]] = {}
    for name in account.role_names():
        if name.startswith(prefix):
            found |= needs(account.roles.read(name), recorded)
            found |= needs_of_trust(name, account.trust(name), recorded)
    return found


def main() -> None:
    """Print every permission with the number of tests that need it, and the first of them."""
    state = chosen()
    running = stack.read(state)
    recorded = records.read(state.iam_records)
    found = of_account(Account(running.aws_endpoint_url), running.deployment_name, recorded)
    for each, tests in sorted(found.items()):
        print(f"{each.role:40} {each.statement:28} {each.action:32} {len(tests):4} {tests[0] if tests else '-'}")


if __name__ == "__main__":
    main()
