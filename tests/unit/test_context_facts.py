"""Facts that a warm function holds: used only as long as the database says that they stand."""

from datetime import timedelta

from agent_memory.domain.context import Gathered
from agent_memory.service.fact_bundles import FactBundles, Holder
from tests.fakes.context import AT
from tests.unit.context_scene import BERLIN, PORTO, Scene, ScriptedContextStore, fact, refuse, users_facts


def test_facts_that_are_held_are_used_only_when_the_database_says_that_they_stand() -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN))))
    other = Scene(scene.store)
    first, again = scene.build(user_id="u"), scene.build(user_id="u")
    scene.store.gathered = Gathered(users_facts("2", PORTO))  # another function wrote

    after, elsewhere = scene.build(user_id="u"), other.build(user_id="u")

    assert [query.known_facts for _, query, _ in scene.store.asked] == [None, "1", "1", None]
    assert first["facts"] == again["facts"] == [BERLIN]
    assert after["facts"] == elsewhere["facts"] == [PORTO]


def test_facts_that_are_held_are_not_told_while_nobody_can_say_that_they_stand() -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN))))
    scene.build(user_id="u")
    scene.store.refuses = refuse

    assert scene.build(user_id="u")["facts"] == []


def test_held_facts_are_those_of_the_same_tenant_user_agent_and_purpose() -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN))))
    scene.build(user_id="u")

    scene.build(user_id="u", tenant="rival")
    scene.build(user_id="v")
    scene.build(user_id="u", purpose="support")
    scene.build(user_id="u", agent_id="b")
    scene.build(user_id="u", at="2026-11-20T09:30:00Z")
    scene.build()

    assert [query.known_facts for _, query, _ in scene.store.asked] == [None] * 7


def test_held_facts_are_read_again_once_one_of_them_ends() -> None:
    ends = AT + timedelta(minutes=5)
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN, until=ends))))
    scene.build(user_id="u")
    scene.clock.turn(minutes=5)

    scene.build(user_id="u")

    assert scene.store.asked[-1][1].known_facts is None


def test_held_facts_are_bounded() -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN))))
    for number in range(300):
        scene.build(user_id=f"u{number}")

    scene.build(user_id="u0")
    scene.build(user_id="u299")

    assert [query.known_facts for _, query, _ in scene.store.asked[-2:]] == [None, "1"]


def test_held_facts_are_bounded_by_their_size_too() -> None:
    bundles, large = FactBundles(), users_facts("1", fact("f1", "Noor", "says", "x" * 1_000_000))
    holders = [Holder("acme", f"u{number}", "a", None) for number in range(40)]
    for holder in holders:
        bundles.keep(holder, large)

    held = [holder for holder in holders if bundles.get(holder, AT)]

    assert held == holders[-len(held) :]
    assert 30 < len(held) < 34


def test_facts_that_are_read_again_make_room_for_no_fewer_others() -> None:
    bundles, large = FactBundles(), users_facts("1", fact("f1", "Noor", "says", "x" * 1_000_000))
    first, second = Holder("acme", "first", "a", None), Holder("acme", "second", "a", None)
    for holder in (first, *[second] * 50):
        bundles.keep(holder, large)

    assert bundles.get(first, AT)
    assert bundles.get(second, AT)


def test_facts_that_are_held_are_still_not_all_of_them() -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN, partial=True))))

    told = [scene.build(user_id="u")["truncated"] for _ in range(3)]

    assert told == [True] * 3
    assert [query.known_facts for _, query, _ in scene.store.asked] == [None, "1", "1"]
