"""What the objects of the cold tier promise, in memory and on S3."""

from tests.contract.cold import Cold


def test_what_was_put_is_read_whole(cold: Cold) -> None:
    content = bytes(range(256)) * 5000

    cold.objects.put_once("acme/planner/2026-11-20/x.jsonl.gz", content)

    assert cold.objects.get("acme/planner/2026-11-20/x.jsonl.gz") == content
    assert cold.objects.get("acme/planner/2026-11-20/y.jsonl.gz") is None


def test_what_is_there_stays_unless_it_is_put_over(cold: Cold) -> None:
    for content in (b"first", b"second"):
        cold.objects.put_once("acme/x", content)
    assert cold.objects.get("acme/x") == b"first"

    cold.objects.put_over("acme/x", b"third")

    assert cold.objects.get("acme/x") == b"third"


def test_all_versions_of_exactly_one_key_are_removed(cold: Cold) -> None:
    others = ["acme/x/1", "acme/x.2", "acme/w", "acme/x0"]
    for key in ("acme/x", *others):
        cold.objects.put_over(key, b"one")
        cold.objects.put_over(key, b"three")

    assert cold.objects.remove("acme/x") == 8

    assert cold.objects.get("acme/x") is None
    assert cold.objects.remove("acme/x") == 0
    assert all(cold.objects.get(key) == b"three" for key in others)
    cold.objects.put_once("acme/x", b"anew")
    assert cold.objects.get("acme/x") == b"anew"
