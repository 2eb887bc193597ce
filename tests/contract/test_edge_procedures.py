"""Procedures over HTTP, and from an operator's shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent_memory.bootstrap import knowledge
from agent_memory.domain.identifiers import to_path
from agent_memory.entrypoints.admin.__main__ import main
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge
from tests.fakes.clock import Clock

EXAMPLES = Path(__file__).parents[2] / "examples" / "procedures"
PATH = "/v1/procedures"
REFUND: dict[str, Any] = {
    "trigger": "refund an order",
    "steps": ["Find order {{order}}.", "Pay back {{amount}}."],
    "input_schema": {
        "type": "object",
        "required": ["order"],
        "properties": {"order": {"type": "string"}, "amount": {"type": "number", "default": 10}},
    },
}


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


def put(api: Edge, name: str = "refund", **fields: Any) -> Any:
    return api.call("PUT", f"{PATH}/{to_path(name)}", REFUND | fields).data


def test_a_procedure_lives_from_its_first_version_to_its_deletion(api: Edge) -> None:
    first, same, second = put(api), put(api), put(api, steps=["Pay."])
    assert [(each["version"], each["created"]) for each in (first, same, second)] == [(1, True), (1, False), (2, True)]
    assert (first["trigger"], first["agent_id"], first["template"]) == (["refund an order"], None, None)

    assert api.call("GET", f"{PATH}/refund").data == {k: v for k, v in second.items() if k != "created"}
    assert api.call("GET", f"{PATH}/refund?version=1").data["steps"] == REFUND["steps"]
    versions = api.call("GET", f"{PATH}/refund/versions").data
    assert ([each["version"] for each in versions["versions"]], versions["next_cursor"]) == ([2, 1], None)
    assert [each["name"] for each in api.call("GET", PATH).data["procedures"]] == ["refund"]
    assert api.call("DELETE", f"{PATH}/refund").status == 204
    for path in (f"{PATH}/refund", f"{PATH}/refund/versions"):
        assert api.call("GET", path).error["code"] == "NOT_FOUND"
    assert api.call("DELETE", f"{PATH}/refund").status == 404


def test_pages_are_turned_by_a_cursor(api: Edge) -> None:
    for name in "abc":
        put(api, name)
    first = api.call("GET", f"{PATH}?limit=2").data
    rest = api.call("GET", f"{PATH}?limit=2&cursor={first['next_cursor']}").data

    assert [each["name"] for each in first["procedures"] + rest["procedures"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None
    assert api.call("GET", f"{PATH}?cursor={first['next_cursor']}x").status == 400
    assert Edge(f"{api.tenant_id}-2").call("GET", f"{PATH}?limit=2&cursor={first['next_cursor']}").status == 400


def test_a_procedure_is_rendered_with_its_arguments(api: Edge) -> None:
    put(api)
    put(api, steps=None, template="Refund {{order}}{{#amount}} by {{amount}}{{/amount}}.", agent_id="planner")
    render = f"{PATH}/refund/render"

    told = api.call("POST", render, {"arguments": {"order": "A & <b>"}}).data
    assert told == {
        "name": "refund",
        "agent_id": None,
        "version": 1,
        "text": "Find order A & <b>.\nPay back 10.",
        "steps": ["Find order A & <b>.", "Pay back 10."],
    }
    own = api.call("POST", render, '{"arguments": {"order": "A", "amount": 1.50}, "agent_id": "planner"}').data
    assert (own["text"], own["steps"], own["agent_id"]) == ("Refund A by 1.50.", None, "planner")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "arguments.order"),
        ({"order": 7}, "arguments.order"),
        ({"order": "A", "amount": "x"}, "arguments.amount"),
    ],
)
def test_arguments_against_the_schema_are_refused_by_their_path(api: Edge, arguments: Any, field: str) -> None:
    put(api)
    refused = api.call("POST", f"{PATH}/refund/render", {"arguments": arguments})

    assert (refused.status, [each["field"] for each in refused.error["details"]]) == (400, [field])


def test_an_argument_that_no_schema_names_has_to_be_given(api: Edge) -> None:
    put(api, input_schema=None)
    refused = api.call("POST", f"{PATH}/refund/render", {"arguments": {"order": "A"}})

    assert (refused.status, refused.error["details"][0]["field"]) == (400, "arguments.amount")


def test_what_is_rendered_is_bounded_over_all_steps(api: Edge) -> None:
    put(api, input_schema=None, steps=["{{#a}}{{b}}{{/a}}"] * 3)
    body = {"arguments": {"a": [1] * 100, "b": "x" * 1000}}
    refused = api.call("POST", f"{PATH}/refund/render", body)

    assert (refused.status, refused.error["details"][0]["field"]) == (400, "arguments")
    body["arguments"]["a"] = [1] * 80
    assert len(api.call("POST", f"{PATH}/refund/render", body).data["text"]) == 240_002


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"steps": None}, "body"),
        ({"template": "both"}, "body"),
        ({"steps": []}, "steps"),
        ({"steps": ["fine", "{{broken"]}, "steps.1"),
        ({"steps": ["{{#a}}"]}, "steps.0"),
        ({"steps": ["x" * 40_000] * 2}, "steps"),
        ({"steps": ["nul \0"]}, "steps.0"),
        ({"trigger": ""}, "trigger.0"),
        ({"trigger": ["a", "a"]}, "trigger"),
        ({"trigger": list("abcdefghi")}, "trigger"),
        ({"input_schema": {"type": "strin"}}, "input_schema.type"),
        ({"input_schema": {"properties": {"a": {"pattern": "x"}}}}, "input_schema.properties.a.pattern"),
        ({"input_schema": {"$ref": "http://localhost/x"}}, "input_schema.$ref"),
        ({"input_schema": []}, "input_schema"),
        ({"metadata": {"a": "x" * 40_000}}, "metadata"),
        ({"ttl_hours": -1}, "ttl_hours"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"agent_id": ""}, "agent_id"),
        ({"session_id": "s"}, "session_id"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(edge: Edge, fields: Any, field: str) -> None:
    body = {name: value for name, value in (REFUND | fields).items() if value is not None}
    refused = edge.call("PUT", f"{PATH}/refund", body)

    assert (refused.status, refused.error["code"]) == (400, "VALIDATION_ERROR")
    assert field in [each["field"] for each in refused.error["details"]]
    assert edge.call("GET", PATH).data["procedures"] == []


def test_a_message_finds_what_it_calls_for(api: Edge) -> None:
    put(api)
    put(api, "ship", trigger=["send a parcel", "post a letter"], purposes=["post"])
    put(api, "secret", purposes=["billing"])

    found = api.call("POST", f"{PATH}/match", {"message": "please refund my order", "purpose": "post"}).data[
        "procedures"
    ]
    assert [each["name"] for each in found] == ["refund", "ship"]
    assert (found[0]["phrase"], found[0]["overlap"]) == ("refund an order", 1.0)
    assert 0 <= found[1]["score"] < found[0]["score"] <= 1
    assert found[0]["similarity_score"] > 0
    assert api.call("POST", f"{PATH}/match", {"message": " "}).status == 400


def test_a_deletion_means_the_one_of_all_agents_unless_it_names_one(api: Edge) -> None:
    put(api)
    put(api, agent_id="planner")

    assert api.call("DELETE", f"{PATH}/refund?agent_id=planner").status == 204
    assert api.call("GET", f"{PATH}/refund?agent_id=planner").data["agent_id"] is None
    assert api.call("DELETE", f"{PATH}/refund?agent_id=planner").status == 404
    assert api.call("DELETE", f"{PATH}/refund?agent=planner").status == 400
    assert api.call("PUT", f"{PATH}/refund?agent_id=planner", REFUND).status == 400
    assert api.call("GET", f"{PATH}/refund").status == 200


def test_a_key_of_one_deletion_is_not_a_key_of_another_agent_s(api: Edge) -> None:
    put(api)
    put(api, agent_id="planner")

    assert api.call("DELETE", f"{PATH}/refund?agent_id=planner", key="k").status == 204
    assert api.call("DELETE", f"{PATH}/refund", key="k").error["code"] == "CONFLICT"
    assert api.call("DELETE", f"{PATH}/refund?agent_id=planner", key="k").headers["idempotency-replayed"] == "true"


def test_a_put_that_is_repeated_hears_its_first_answer(api: Edge, clock: Clock) -> None:
    first = api.call("PUT", f"{PATH}/refund", REFUND, key="k")
    put(api, steps=["since then"])
    clock.turn(hours=1)
    again = api.call("PUT", f"{PATH}/refund", REFUND, key="k")

    assert (again.data, again.headers["idempotency-replayed"]) == (first.data, "true")
    assert api.call("GET", f"{PATH}/refund").data["version"] == 2


def test_without_the_model_nothing_is_put(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = knowledge.procedures()._embedders
    with monkeypatch.context() as away:
        away.setattr(embedder, "away", True)
        assert api.call("PUT", f"{PATH}/refund", REFUND, key="k").status == 503
    assert api.call("GET", PATH).data["procedures"] == []
    assert api.call("PUT", f"{PATH}/refund", REFUND, key="k").status == 200


def test_a_purge_takes_the_agent_s_own(edge: Edge) -> None:
    edge.scopes = "read write erase"
    put(edge)
    put(edge, agent_id="planner")
    put(edge, "ship", agent_id="planner")
    assert edge.call("GET", "/v1/usage").data["vectors_count"] == 3

    assert edge.call("DELETE", "/v1/memory/planner").data["deleted"]["procedures"] == 2
    assert [each["agent_id"] for each in edge.call("GET", PATH).data["procedures"]] == [None]
    assert edge.call("GET", "/v1/usage").data["vectors_count"] == 1


class Shell:
    """The command of an operator."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, Any, str]:
        self._capsys.readouterr()
        status = main(["procedures", *arguments])
        out, err = self._capsys.readouterr()
        return status, json.loads(out) if out else None, err


@pytest.fixture
def shell(edge: Edge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    for name in ("CONTROL_TABLE", "PEPPER_PARAMETER", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    for name in ("DATABASE_CONNECTION", "DATABASE_NAME", "EMBEDDING_MODEL", "EMBEDDING_DIMENSIONS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("EMBEDDING_TIMEOUT_S", "18")
    assert edge.call("GET", PATH).data["procedures"] == []
    return Shell(capsys)


def test_an_operator_loads_a_folder_once(edge: Edge, shell: Shell) -> None:
    status, told, _ = shell("load", str(EXAMPLES), "--tenant", edge.tenant_id)
    assert status == 0
    loaded = [each for file in told["files"] for each in file["procedures"]]
    assert all(each["created"] for each in loaded)
    assert {each["name"] for each in edge.call("GET", PATH).data["procedures"]} == {each["name"] for each in loaded}

    _, again, _ = shell("load", str(EXAMPLES), "--tenant", edge.tenant_id)
    assert [each["created"] for file in again["files"] for each in file["procedures"]] == [False] * len(loaded)
    body = {"arguments": {"order_id": "A-17", "amount": 12.5, "broken": True}}
    text = edge.call("POST", f"{PATH}/refund-order/render", body).data["text"]
    assert text == (
        "Look up order A-17 and make sure that it was paid.\nAsk for a picture of what is broken. \n"
        "Refund 12.5 EUR to the way of payment that was used.\nTell the customer that it takes up to 5 days."
    )
    notes = {"arguments": {"title": "Plans", "attendees": [{"name": "Ana", "role": "lead"}, {"name": "Bo"}]}}
    text = edge.call("POST", f"{PATH}/meeting-notes/render", notes).data["text"]
    assert text.startswith('Write up the meeting "Plans" in English.\n- Ana (lead)\n- Bo\nKeep decisions')
    asked = {"message": "the customer wants their money back", "agent_id": "incident-bot"}
    assert edge.call("POST", f"{PATH}/match", asked).data["procedures"][0]["name"] == "refund-order"


def test_what_is_exported_is_loaded_without_loss(edge: Edge, shell: Shell, tmp_path: Path) -> None:
    shell("load", str(EXAMPLES), "--tenant", edge.tenant_id)
    put(edge, "Ünusual/name", metadata={"n": 1.50}, agent_id="A b", expires_at="2027-01-01T00:00:00Z")
    status, told, _ = shell("export", str(tmp_path / "out"), "--tenant", edge.tenant_id)
    assert (status, len(told["files"])) == (0, 5)
    before = edge.call("GET", PATH).data["procedures"]

    shell("load", str(tmp_path / "out"), "--tenant", edge.tenant_id)
    assert edge.call("GET", PATH).data["procedures"] == before
    other = Edge("globex")
    shell("load", str(tmp_path / "out"), "--tenant", "globex")
    assert other.call("GET", PATH).data["procedures"] == before


def test_a_broken_file_keeps_all_files_out_and_is_named(edge: Edge, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: fine\ntrigger: a\nsteps: [b]\n")
    (tmp_path / "b.yaml").write_text(
        "name: fine too\ntrigger: a\nsteps: [b]\n---\nname: broken\ntrigger: a\nsteps:\n  - '{{'\n"
    )
    status, told, said = shell("load", str(tmp_path), "--tenant", edge.tenant_id)

    assert (status, told) == (1, None)
    assert said.startswith(f"{tmp_path / 'b.yaml'}:8: steps.0: must end each tag")
    assert edge.call("GET", PATH).data["procedures"] == []


def test_a_file_that_the_store_refuses_is_kept_out_whole(
    edge: Edge, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.procedures.MAX_PROCEDURES", 1)
    (tmp_path / "a.yaml").write_text("name: a\ntrigger: a\nsteps: [b]\n---\nname: b\ntrigger: a\nsteps: [b]\n")

    assert shell("load", str(tmp_path), "--tenant", edge.tenant_id)[0] == 1
    assert edge.call("GET", PATH).data["procedures"] == []


def test_what_an_operator_loads_is_counted_for_the_tenant(edge: Edge, shell: Shell) -> None:
    shell("load", str(EXAMPLES), "--tenant", edge.tenant_id)
    usage = edge.call("GET", "/v1/usage").data

    assert (usage["vectors_count"], usage["embeddings_generated_month"], usage["agents_count"]) == (7, 7, 1)


def test_a_store_that_is_away_is_told_as_such(edge: Edge, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("the database is resuming from its pause")

    monkeypatch.setattr(knowledge.procedures(), "put_all", refuse)
    status, _, said = shell("load", str(EXAMPLES), "--tenant", edge.tenant_id)
    assert (status, said) == (1, "the database is resuming from its pause\n")
