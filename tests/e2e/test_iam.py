"""After all other tests: what functions asked was theirs to ask, and no role may do what no test needs."""

import json
from pathlib import Path

import pytest

from local.iam import proof, records
from local.iam.account import Account
from local.iam.evaluator import evaluate
from local.iam.proof import Exempt, Permission
from local.iam.records import Record
from local.stack import Stack
from local.state import State

pytestmark = pytest.mark.late

# What no function asked: a link that the test itself bent towards another tenant.
BENT = "test_large_bodies::test_a_link_is_good_for_one_tenants_objects"
EXCEPTIONS = Path(__file__).parent / "iam_exceptions.json"


@pytest.fixture(scope="module", autouse=True)
def _whole(request: pytest.FixtureRequest) -> None:
    """A part of the tests needs a part of the permissions."""
    there = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    if not {item.path.name for item in request.session.items} >= there - {"test_teardown.py"}:
        pytest.skip("only after the whole of tests/e2e")


@pytest.fixture(scope="module")
def recorded(state: State, stack: Stack) -> list[Record]:
    """Every different request of this deployment's functions, by test; attacks on the same stack are none of these."""
    here = {records.BEFORE_ANY_TEST, *(path.stem for path in Path(__file__).parent.glob("test_*.py"))}
    own = [each for each in records.read(state.iam_records) if each.role.startswith(stack.deployment_name)]
    return [each for each in own if each.test.partition("::")[0] in here]


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    """The roles as they are."""
    return Account(stack.aws_endpoint_url)


@pytest.fixture(scope="module")
def needs(account: Account, stack: Stack, recorded: list[Record]) -> dict[Permission, list[str]]:
    """The tests behind every permission."""
    return proof.of_account(account, stack.deployment_name, recorded)


@pytest.fixture(scope="module")
def exceptions() -> list[Exempt]:
    """What no test can need here."""
    return [Exempt.of(line) for line in json.loads(EXCEPTIONS.read_text())]


def test_every_function_was_seen_at_work(account: Account, stack: Stack, recorded: list[Record]) -> None:
    working = {each.role for each in recorded}

    roles = {name for name in account.role_names() if name.startswith(stack.deployment_name)}
    assert roles - working <= {f"{stack.deployment_name}-{schedule}" for schedule in ("maintenance", "sweep")}


def test_nothing_that_a_function_asked_was_refused(recorded: list[Record]) -> None:
    asked = [each for each in recorded if each.test != BENT]
    assert [each for each in asked if not each.allowed or each.stand_in is False] == []


def test_the_policies_still_say_what_was_recorded(account: Account, recorded: list[Record]) -> None:
    """What was cut from a request, so as not to write ids down, has no part in any decision."""
    policies = {name: account.roles.read(name).policies for name in {each.role for each in recorded}}

    assert [each for each in recorded if evaluate(each.request, policies[each.role]).by != each.by] == []


def test_without_any_permission_a_named_test_fails(
    needs: dict[Permission, list[str]], exceptions: list[Exempt]
) -> None:
    unused = [permission for permission, tests in needs.items() if not tests]

    assert [each for each in unused if not any(exempt.covers(each) for exempt in exceptions)] == []


def test_every_exception_is_of_use_and_says_why(needs: dict[Permission, list[str]], exceptions: list[Exempt]) -> None:
    for exempt in exceptions:
        covered = [permission for permission in needs if exempt.covers(permission)]
        assert covered, f"no role has it: {exempt}"
        assert [each for each in covered if needs[each]] == [], f"a test needs it: {exempt}"
        assert len(exempt.reason) > 20
