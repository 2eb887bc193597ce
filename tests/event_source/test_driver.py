"""Delivery of a stream as AWS documents it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.event_source.driver import FunctionFailed
from tests.event_source.fake_stream import MAPPING, Bench
from tests.event_source.stream import sequence

REPORTING = replace(MAPPING, reports_items=True, max_retries=3)


def test_records_come_in_order_and_in_batches_of_the_configured_size() -> None:
    bench = Bench(replace(MAPPING, batch_size=2))
    bench.write(*"aaaaa")

    bench.driver.drain()

    assert bench.invoked == [["001", "002"], ["003", "004"], ["005"]]


def test_a_batch_waits_for_its_window_unless_it_is_full() -> None:
    bench = Bench(replace(MAPPING, batch_size=2, window_s=30))
    bench.write(*"aaa")
    bench.step()
    bench.step()
    assert bench.invoked == [["001", "002"]]

    bench.clock.turn(seconds=30)
    bench.step()

    assert bench.invoked[1:] == [["003"]]


def test_a_batch_holds_no_more_than_six_megabytes() -> None:
    bench = Bench()
    bench.write(*"aaa", more="x" * 2_500_000)

    bench.driver.drain()

    assert bench.invoked == [["001", "002"], ["003"]]


def test_what_the_filters_refuse_is_passed_over() -> None:
    bench = Bench(replace(MAPPING, patterns=({"eventName": ["REMOVE"]}, {"eventName": ["MODIFY"]})))
    bench.write("a")
    bench.write("a", eventName="REMOVE")

    bench.driver.drain()

    assert bench.invoked == [["002"]]


def test_a_failed_batch_is_delivered_again_whole_and_nothing_passes_it() -> None:
    bench = Bench(replace(MAPPING, batch_size=2))
    bench.write(*"aaa")
    bench.poison("002")
    for _ in range(3):
        bench.step()
    assert bench.invoked == [["001", "002"]] * 3

    bench.poison()
    bench.driver.drain()

    assert bench.invoked[3:] == [["001", "002"], ["003"]]


def test_only_the_batch_from_the_lowest_reported_record_on_is_delivered_again() -> None:
    bench = Bench(REPORTING)
    bench.write(*"aaaaa")
    bench.poison("004", "002", reports=True)
    bench.step()
    bench.poison()

    bench.driver.drain()

    assert bench.invoked == [["001", "002", "003", "004", "005"], ["002", "003", "004", "005"]]


def test_a_report_says_nothing_where_the_mapping_does_not_ask_for_it() -> None:
    bench = Bench()
    bench.write(*"aa")
    bench.poison("001", reports=True)

    bench.driver.drain()

    assert bench.invoked == [["001", "002"]]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_answer_that_names_nothing_is_success(answer: Any) -> None:
    bench = Bench(REPORTING)
    bench.write("a")
    bench.answer = lambda _: answer

    bench.driver.drain()

    assert (bench.invoked, bench.given_up) == ([["001"]], [])


@pytest.mark.parametrize("named", [{"itemIdentifier": ""}, {"itemIdentifier": None}, {"name": "002"}])
def test_an_answer_that_names_nobody_fails_the_whole_batch(named: Any) -> None:
    bench = Bench(REPORTING)
    bench.write(*"aa")
    bench.answer = lambda _: {"batchItemFailures": [named]}

    bench.step()
    bench.step()

    assert bench.invoked == [["001", "002"]] * 2


def test_a_batch_that_failed_is_halved_until_the_poisoned_record_stands_alone() -> None:
    bench = Bench(replace(MAPPING, bisects=True, max_retries=1))
    bench.write(*"aaaa")
    bench.poison("003")

    bench.driver.drain()

    halves = [["001", "002", "003", "004"], ["001", "002"], ["003", "004"]]
    assert bench.invoked == [*halves, ["003"], ["003"], ["004"]], "halving is no retry"
    assert [sequence(record) for each in bench.given_up for record in each.records] == ["003"]


def test_a_report_cuts_the_batch_before_it_is_halved() -> None:
    bench = Bench(replace(REPORTING, bisects=True, max_retries=0))
    bench.write(*"aaaa")
    bench.poison("003", reports=True)

    bench.driver.drain()

    assert bench.invoked == [["001", "002", "003", "004"], ["003", "004"], ["003"], ["004"]]
    assert [sequence(record) for each in bench.given_up for record in each.records] == ["003"]


def test_what_was_tried_too_often_is_given_up_and_the_stream_goes_on() -> None:
    bench = Bench(replace(MAPPING, batch_size=1, max_retries=2))
    bench.write(*"aa")
    bench.poison("001")

    bench.driver.drain()

    assert bench.invoked == [["001"]] * 3 + [["002"]]
    assert [(each.condition, each.invoked) for each in bench.given_up] == [("RetryAttemptsExhausted", 3)]


def test_what_is_too_old_is_given_up_without_another_try() -> None:
    bench = Bench(replace(MAPPING, max_age_s=3600))
    bench.write(*"aa")
    bench.poison("001")
    bench.step()
    bench.clock.turn(minutes=61)
    bench.write("a")
    bench.poison()

    bench.driver.drain()

    assert bench.invoked == [["001", "002"], ["003"]]
    assert [(each.condition, len(each.records)) for each in bench.given_up] == [("MaximumRecordAgeExceeded", 2)]


def test_records_of_one_key_stay_in_one_lane_and_lanes_do_not_wait_for_each_other() -> None:
    bench = Bench(replace(MAPPING, lanes=10))
    bench.write(*"abab")
    bench.poison("001")
    for _ in range(3):
        bench.step()

    assert bench.invoked.count(["001", "003"]) == 3
    assert bench.invoked.count(["002", "004"]) == 1


def test_what_nobody_read_for_a_day_is_not_in_the_stream_any_more() -> None:
    bench = Bench()
    bench.write("a")
    bench.driver.take()
    bench.clock.turn(hours=25)
    bench.write("a")

    bench.driver.drain()

    assert bench.invoked == [["002"]]
    assert [sequence(record) for record in bench.driver.lost] == ["001"]
    assert bench.given_up == []


def test_batches_can_come_again_in_their_order() -> None:
    bench = Bench(replace(MAPPING, batch_size=1))
    bench.write(*"aaa")
    bench.driver.drain()

    assert bench.driver.rewind(next(iter(bench.driver.lanes.values())), 2) == 2
    bench.driver.drain()

    assert bench.invoked == [["001"], ["002"], ["003"], ["002"], ["003"]]


def test_a_function_that_was_killed_has_failed() -> None:
    bench = Bench()
    bench.write("a")
    killed = [True]

    def answer(_: list[str]) -> None:
        if killed.pop():
            killed.append(False)
            raise FunctionFailed

    bench.answer = answer

    bench.driver.drain()

    assert bench.invoked == [["001"]] * 2
