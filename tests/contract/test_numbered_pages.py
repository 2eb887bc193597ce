"""Episodes as pages with numbers: `page`, `per_page` and `total`."""

from typing import Any
from urllib.parse import urlencode

import pytest

from agent_memory.service import paging
from tests.edge import Edge, Reply
from tests.fakes.clock import Clock

PATH = "/v1/memory/episodic/planner"


def read(edge: Edge, **query: Any) -> Reply:
    return edge.call("GET", f"{PATH}?{urlencode(query)}")


def contents(reply: Reply) -> list[Any]:
    return [each["content"] for each in reply.data["episodes"]]


def write(edge: Edge, clock: Clock, count: int, **fields: Any) -> None:
    for start in range(0, count, 100):
        clock.turn(seconds=1)  # the order of a moment is that of its batches' ids
        items = [
            {"agent_id": "planner", "session_id": "s", "type": "action", "content": number} | fields
            for number in range(start, min(start + 100, count))
        ]
        assert edge.call("POST", "/v1/memory/episodic/batch", {"items": items}).status == 200


def test_pages_have_numbers_and_a_total(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 7)

    pages = [read(edge, page=number, per_page=3, order="oldest") for number in (1, 2, 3, 4)]

    assert [contents(page) for page in pages] == [[0, 1, 2], [3, 4, 5], [6], []]
    shown = [{name: page.data[name] for name in ("page", "per_page", "total")} for page in pages]
    assert shown == [{"page": number, "per_page": 3, "total": 7} for number in (1, 2, 3, 4)]
    assert not any("partial" in page.json["meta"] for page in pages)


def test_the_cursor_of_a_numbered_page_goes_on_after_it(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 7)

    second = read(edge, page=2, per_page=3, order="oldest")
    rest = read(edge, cursor=second.data["next_cursor"], order="oldest")

    assert (contents(rest), rest.data["next_cursor"]) == ([6], None)
    assert read(edge, page=3, per_page=3, order="oldest").data["next_cursor"] is None


def test_either_half_of_the_question_will_do(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 60)

    assert (len(contents(read(edge, page=1))), len(contents(read(edge, page=2)))) == (50, 10)
    assert len(contents(read(edge, per_page=7))) == 7
    assert read(edge, per_page=7).data["page"] == 1


def test_only_what_the_filters_pass_is_counted(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 3, type="observation")
    write(edge, clock, 5)
    write(edge, clock, 4, ttl_hours=1)
    clock.turn(hours=1)

    assert read(edge, page=1, per_page=2).data["total"] == 8
    page = read(edge, page=2, per_page=2, type="observation", order="oldest")
    assert (contents(page), page.data["total"]) == ([2], 3)


def test_a_walk_by_cursor_has_the_shape_it_always_had(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 3)

    assert set(read(edge).data) == set(read(edge, limit=2).data) == {"episodes", "next_cursor"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page": -1}, "page"),
        ({"per_page": 0}, "per_page"),
        ({"per_page": 501}, "per_page"),
        ({"page": 1, "limit": 50}, "page"),
        ({"per_page": 1, "limit": 50}, "per_page"),
        ({"page": 1, "cursor": "x"}, "page"),
        ({"per_page": 9, "cursor": "x"}, "per_page"),
    ],
)
def test_a_page_that_cannot_be_asked_for_is_refused(edge: Edge, query: dict[str, Any], field: str) -> None:
    reply = read(edge, **query)

    assert (reply.status, reply.error["details"][0]["field"]) == (400, field)


def test_what_no_request_can_count_has_no_total(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 700)

    near = read(edge, page=2, per_page=50)

    assert (len(contents(near)), near.data["total"]) == (50, None)
    assert near.data["next_cursor"]
    assert "partial" not in near.json["meta"]


def test_a_page_that_no_request_can_reach_says_so(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 700)

    far = read(edge, page=13, per_page=50)

    assert far.data == {"episodes": [], "next_cursor": None, "page": 13, "per_page": 50, "total": None}
    assert far.json["meta"]["partial"] is True


def test_a_page_that_is_cut_off_goes_on_by_its_cursor(edge: Edge, clock: Clock) -> None:
    write(edge, clock, 700)

    cut = read(edge, page=1, per_page=500, order="oldest")
    part = read(edge, page=2, per_page=400, order="oldest")

    assert (len(contents(cut)), cut.data["total"]) == (500, None)
    assert (contents(part), part.json["meta"]["partial"]) == (list(range(400, 500)), True)
    assert contents(read(edge, cursor=part.data["next_cursor"], limit=2, order="oldest")) == [500, 501]


def test_a_page_with_too_many_bytes_is_partial(edge: Edge, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", 2000)
    write(edge, clock, 5, metadata={"k": "x" * 500})

    page = read(edge, page=1, per_page=4, order="oldest")

    assert (contents(page), page.json["meta"]["partial"], page.data["total"]) == ([0, 1], True, 5)
    rest = read(edge, cursor=page.data["next_cursor"], order="oldest")
    assert contents(rest)[0] == 2
