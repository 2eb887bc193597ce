"""Procedures as YAML: what is read, what is refused and where, and that nothing is lost on the way out and in."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.procedures import NewProcedure, Procedure
from agent_memory.errors import InvalidRequest
from agent_memory.service import yaml_text
from agent_memory.service.procedure_files import files_in, read_file, write_files

NOW = datetime(2026, 12, 1, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "examples" / "procedures"


def read(tmp_path: Path, text: str | bytes) -> list[tuple[str, NewProcedure]]:
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_file(path, NOW)


def test_a_file_holds_one_procedure_or_several(tmp_path: Path) -> None:
    told = read(
        tmp_path,
        "name: refund\ntrigger: refund an order\nsteps:\n  - Find {{order}}.\n  - Pay.\n---\n"
        'name: "17"\nagent_id: planner\ntrigger: [a, on, 2026-11-20]\ntemplate: |\n  Two\n    lines\n'
        "input_schema:\n  properties:\n    count: {minimum: 1.50}\nmetadata: {yes: no, big: 100000000000000000000}\n",
    )

    (name, first), (second_name, second) = told
    assert (name, first.trigger, first.steps) == ("refund", ["refund an order"], ["Find {{order}}.", "Pay."])
    assert (second_name, second.agent_id, second.trigger) == ("17", "planner", ["a", "on", "2026-11-20"])
    assert second.template == "Two\n  lines\n"
    assert dumps(second.input_schema) == '{"properties":{"count":{"minimum":1.50}}}'
    assert second.metadata == {"yes": "no", "big": 10**20}


GOOD = "name: a\ntrigger: b\nsteps:\n  - c\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (GOOD + "unknown: 1\n", 5, "unknown"),
        ("name: a\ntrigger: b\n", 1, "steps and template"),
        ("name: a\n\ntrigger: on and off\nsteps:\n  - c\n  -\n", 6, "steps.1"),
        ("name: a\ntrigger: b\nsteps:\n  - fine\n  - broken {{tag\n", 5, "steps.1: must end each tag"),
        (GOOD + "input_schema:\n  properties:\n    x:\n      pattern: (a+)+\n", 8, "pattern"),
        (GOOD + "input_schema:\n  properties:\n    x:\n      type: strin\n", 8, "type"),
        (GOOD + "agent_id: 7\n", 5, "agent_id"),
        (GOOD + "expires_at: 2020-01-01T00:00:00Z\n", 5, "future"),
        (GOOD + "name: b\n", 5, "repeat"),
        (GOOD + "---\n" + GOOD, 6, "twice"),
        (GOOD + "metadata: &anchor {}\n", 5, "anchors"),
        (GOOD + "metadata: *anchor\n", 5, "anchors"),
        (GOOD + "metadata: !!python/object/apply:os.system [x]\n", 5, "tags"),
        (GOOD + "metadata: !!timestamp 2020-01-01\n", 5, "tags"),
        (GOOD + "metadata: {? [a] : b}\n", 5, "strings as keys"),
        (GOOD + "metadata: {a: b\n", 6, "expected"),
        (GOOD + "\tmetadata: b\n", 5, "token"),
        ("- a\n- b\n", 1, "valid dictionary"),
        ("just text\n", 1, ""),
        (GOOD + "metadata: " + "[" * 200 + "]" * 200, 5, "nested"),
        (GOOD + "metadata: " + "[" * 5000, 1, "nested"),
        (GOOD.encode() + b"user_id: \xff\n", 5, "UTF-8"),
        (GOOD + "user_id: \x01\n", 1, "characters"),
        (GOOD + 'user_id: "\\ud800"\n', 5, "Unicode"),
        (GOOD + 'template: "\\0"\n', 5, "NUL"),
    ],
)
def test_what_cannot_be_put_is_named_by_file_and_line(tmp_path: Path, text: str | bytes, line: int, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(tmp_path, text)

    first = refused.value.message.splitlines()[0]
    assert first.startswith(f"{tmp_path / 'p.yaml'}:{line}: ")
    assert words in refused.value.message


def test_every_fault_is_named_in_a_line_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(tmp_path, GOOD + "user_id: 1\ntrust: nobody\n")
    assert [line.split(":")[1] for line in refused.value.message.splitlines()] == ["5", "6"]


@pytest.mark.parametrize("text", ["", "# nothing\n", ("---\n" + GOOD) * 101])
def test_a_file_without_procedures_or_with_too_many_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 100"):
        read(tmp_path, text)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InvalidRequest, match=r"\.yaml"):
        files_in(tmp_path)


def test_the_examples_can_be_put() -> None:
    read_names = [name for path in files_in(EXAMPLES) for name, _ in read_file(path, NOW)]
    assert len(read_names) >= 3


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["on", "yes", "~", "null", "1e2", "1_000", "0x1f", "2026-11-20", "a: b", "# c", "- d", " x", "x ", "\n", "a\nb",
     "a\n\n", "\ta\nb", "a \nb", "\x85a\nb", "\u2028\n", "\ufeff\n", "1:30", "=", "<<", "0o7", ".inf", "!x", "&x",
     "*x", "---", "...\n", "a\r\nb"]
)  # fmt: skip
NUMBERS = st.sampled_from(["1.0", "1.50", "-0", "1e2", "1E+400", "0.1", "100000000000000000000000", "-1e-9"]).map(parse)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
PHRASE = TEXTS.filter(lambda text: text.strip())
IDS = st.text("aB ~/.é日", min_size=1, max_size=12)
LITERAL = PHRASE.filter(lambda text: "{{" not in text)


@given(JSON)
def test_any_value_is_read_back_as_it_was_written(value: Any) -> None:
    (document,) = yaml_text.read(yaml_text.write({"value": value}))

    assert dumps(document.value) == dumps({"value": value})


@given(st.dictionaries(TEXTS, TEXTS | st.booleans() | st.none() | st.integers(), max_size=4))
def test_other_readers_of_yaml_read_the_same(value: Any) -> None:
    assert yaml.safe_load(yaml_text.write({"value": value})) == {"value": value}


@given(
    st.builds(
        dict,
        trigger=st.lists(PHRASE, min_size=1, max_size=3, unique=True),
        steps=st.none() | st.lists(LITERAL, min_size=1, max_size=3),
        template=LITERAL,
        input_schema=st.none() | st.builds(lambda note: {"properties": {"a": {"default": note}}}, JSON),
        user_id=st.none() | IDS,
        purposes=st.lists(IDS, max_size=2, unique=True),
        metadata=st.dictionaries(TEXTS, JSON, max_size=2),
        source=st.none() | st.fixed_dictionaries({"kind": IDS, "id": IDS}),
        trust=st.sampled_from(["direct_user", "inference", "tool_external"]),
        expires_at=st.none() | st.just("2027-01-01T00:00:00.000001Z"),
    ),
    IDS,
    st.none() | IDS,
)
def test_a_procedure_loses_nothing_on_the_way_out_and_in(
    fields: dict[str, Any], name: str, agent_id: str | None
) -> None:
    if fields["steps"] is not None:
        del fields["template"]
    new = NewProcedure.model_validate(fields | {"agent_id": agent_id})
    procedure = Procedure(name, agent_id, 3, new.content(), NOW, NOW, new.expiry(NOW))
    with tempfile.TemporaryDirectory() as folder:
        (file_name,) = write_files([procedure], Path(folder))
        ((read_name, read_back),) = read_file(Path(folder) / file_name, NOW)

    assert (read_name, read_back.agent_id, read_back.expiry(NOW)) == (name, agent_id, new.expiry(NOW))
    assert dumps(read_back.content()) == dumps(new.content())


def test_files_of_different_procedures_have_different_names(tmp_path: Path) -> None:
    who = [
        ("refund", None),
        ("Refund", None),
        ("refund", "a"),
        ("refund", "b"),
        ("re/fund", None),
        ("日本", None),
        ("x" * 250, None),
    ]
    content = NewProcedure(trigger=["x"], steps=["y"]).content()
    names = write_files([Procedure(name, agent, 1, content, NOW, NOW, None) for name, agent in who], tmp_path)

    assert names[0] == "refund.yaml"
    assert len({name.casefold() for name in names}) == len(who)
    assert all(len(name) < 150 for name in names)
    assert {(n, p.agent_id) for path in files_in(tmp_path) for n, p in read_file(path, NOW)} == set(who)
