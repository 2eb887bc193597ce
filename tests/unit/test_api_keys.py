"""API keys: who stands behind one, and what junk costs."""

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.api_key import PepperSource, _checksum, key_id_of, new_key
from agent_memory.domain.cursor import seal, unseal
from agent_memory.errors import Conflict, InvalidRequest, NotFound
from agent_memory.service.keys import ApiKeys, Identity
from tests.fakes.clock import Clock
from tests.fakes.control import InMemoryApiKeyStore, RotatingPepper


@pytest.fixture
def store() -> InMemoryApiKeyStore:
    return InMemoryApiKeyStore()


@pytest.fixture
def pepper() -> RotatingPepper:
    return RotatingPepper()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: InMemoryApiKeyStore, pepper: RotatingPepper, clock: Clock) -> ApiKeys:
    return ApiKeys(store, pepper, clock)


def _new(keys: ApiKeys, tenant: str = "acme", **expiry: float) -> str:
    expires_at = keys._clock() + timedelta(**expiry) if expiry else None
    return keys.create(tenant, ("read", "write"), "laptop", expires_at)[0]


def _cursor_key(keys: ApiKeys, key: str) -> bytes:
    identity = keys.identify(f"Bearer {key}")
    assert identity is not None
    return bytes.fromhex(identity.cursor_key)


def _with_id(key_id: str) -> str:
    """A well-formed key of this id with a secret that nobody made."""
    body = f"amk_{key_id}_{'0' * 32}"
    return body + _checksum(body)


class Listening:
    """`PepperSource` that notes which peppers are asked for."""

    def __init__(self, inner: PepperSource, asked: list[bytes]) -> None:
        self._inner = inner
        self._asked = asked

    def latest(self) -> tuple[int, bytes]:
        return self._inner.latest()

    def get(self, version: int) -> bytes:
        self._asked.append(self._inner.get(version))
        return self._asked[-1]


def test_a_key_names_its_tenant_scopes_and_cursor_key(keys: ApiKeys) -> None:
    identity = keys.identify(f"Bearer {_new(keys)}")

    assert identity is not None
    assert (identity.tenant_id, identity.scopes) == ("acme", ("read", "write"))
    assert len(bytes.fromhex(identity.cursor_key)) == 32


def test_the_scheme_may_be_written_in_any_case(keys: ApiKeys) -> None:
    assert keys.identify(f"bearer {_new(keys)}") is not None


def test_two_keys_of_a_tenant_go_on_with_each_others_walks_and_tenants_never_do(keys: ApiKeys) -> None:
    walks = [keys.identify(f"Bearer {_new(keys, tenant)}") for tenant in ("acme", "acme", "globex")]
    one, two, other = [identity.cursor_key for identity in walks if identity]

    assert one == two != other


@given(st.integers(0, 58), st.sampled_from(string.printable + "é٣"))
def test_any_single_wrong_character_is_noticed_without_the_store(place: int, character: str) -> None:
    _, key = new_key()
    changed = key[:place] + character + key[place + 1 :]

    assert key_id_of(changed) is None or changed == key


@given(st.text())
def test_junk_is_refused_without_reading_the_store(junk: str) -> None:
    store = InMemoryApiKeyStore()
    keys = ApiKeys(store, RotatingPepper(), Clock())

    assert keys.identify(junk) is None
    assert keys.identify(f"Bearer {junk}") is None
    assert store.reads == 0


def test_a_key_under_another_scheme_is_refused_without_reading_the_store(
    keys: ApiKeys, store: InMemoryApiKeyStore
) -> None:
    key = _new(keys)

    assert [keys.identify(header) for header in (f"Basic {key}", key, f"Bearer  {key}", f"Bearer {key} ")] == [None] * 4
    assert store.reads == 0


def test_an_unknown_key_of_the_right_form_is_refused(keys: ApiKeys) -> None:
    assert keys.identify(f"Bearer {new_key()[1]}") is None


def test_a_key_with_a_known_id_and_another_secret_is_refused(keys: ApiKeys, store: InMemoryApiKeyStore) -> None:
    stolen_id, forged = new_key()
    store.keys[stolen_id] = next(iter(store.keys.values()), None) or keys.create("acme", ("read",), "", None)[1]

    assert keys.identify(f"Bearer {forged}") is None


def test_a_key_ends_at_its_expiry(keys: ApiKeys, clock: Clock) -> None:
    key = _new(keys, hours=1)

    clock.turn(hours=1, microseconds=-1)
    assert keys.identify(f"Bearer {key}") is not None
    clock.turn(microseconds=1)
    assert keys.identify(f"Bearer {key}") is None


def test_a_revoked_key_is_refused_and_the_others_of_its_tenant_go_on(keys: ApiKeys) -> None:
    old, new = _new(keys), _new(keys)

    keys.revoke(str(key_id_of(old)))

    assert keys.identify(f"Bearer {old}") is None
    assert keys.identify(f"Bearer {new}") is not None


def test_an_old_key_outlives_a_new_pepper(keys: ApiKeys, pepper: RotatingPepper) -> None:
    old = _new(keys)
    pepper.versions.append(b"second pepper")
    new = _new(keys)

    assert keys.identify(f"Bearer {old}") is not None
    assert keys.identify(f"Bearer {new}") is not None


def test_a_key_hashed_under_another_pepper_is_refused(keys: ApiKeys, pepper: RotatingPepper) -> None:
    key = _new(keys)
    pepper.versions[0] = b"another pepper"

    assert keys.identify(f"Bearer {key}") is None


def test_a_walk_begun_with_an_old_key_goes_on_with_one_of_the_next_pepper(
    keys: ApiKeys, pepper: RotatingPepper
) -> None:
    old = _new(keys)
    pepper.versions.append(b"second pepper")
    new, other = _new(keys), _new(keys, "globex")
    signed = {key: seal(_cursor_key(keys, key), "walk", [1]) for key in (old, new, other)}

    assert unseal(_cursor_key(keys, new), "walk", signed[old]) == [1]
    for reader, writer in ((old, new), (other, old), (old, other), (new, other)):
        with pytest.raises(InvalidRequest):
            unseal(_cursor_key(keys, reader), "walk", signed[writer])


def test_a_pepper_that_is_gone_takes_walks_with_it_and_no_newer_key(keys: ApiKeys, pepper: RotatingPepper) -> None:
    pepper.versions.append(b"second pepper")
    new = _new(keys)
    pepper.forgotten.add(1)

    assert len(_cursor_key(keys, new)) == 32
    assert keys.identify(f"Bearer {new_key()[1]}") is None


def test_an_unknown_key_costs_as_much_as_a_wrong_one(keys: ApiKeys, store: InMemoryApiKeyStore) -> None:
    key = _new(keys)
    wrong = _with_id(str(key_id_of(key)))
    hashed: list[bytes] = []
    keys._pepper = Listening(keys._pepper, hashed)
    for presented in (wrong, new_key()[1]):
        assert keys.identify(f"Bearer {presented}") is None

    assert hashed == [b"first pepper"] * 2
    assert store.reads == 2


def test_a_use_is_due_once_an_hour(keys: ApiKeys, store: InMemoryApiKeyStore, clock: Clock) -> None:
    key = _new(keys)

    def identify() -> Identity:
        found = keys.identify(f"Bearer {key}")
        assert found is not None
        return found

    assert identify().is_use_due
    keys.note_use(identify())
    assert store.keys[str(key_id_of(key))].last_used_at == clock()
    clock.turn(minutes=59)
    assert not identify().is_use_due
    clock.turn(minutes=1)
    assert identify().is_use_due


def test_a_key_is_revoked_for_its_own_tenant_only(keys: ApiKeys) -> None:
    key = _new(keys)

    with pytest.raises(NotFound):
        keys.revoke(str(key_id_of(key)), "globex")
    assert keys.identify(f"Bearer {key}") is not None
    keys.revoke(str(key_id_of(key)), "acme")
    assert keys.identify(f"Bearer {key}") is None


def test_a_tenant_has_a_hundred_live_keys_at_most_and_dead_ones_make_room(keys: ApiKeys) -> None:
    made = [_new(keys) for _ in range(100)]

    with pytest.raises(Conflict):
        _new(keys)
    _new(keys, "globex")
    keys.revoke(str(key_id_of(made[0])))
    _new(keys)


def test_a_loop_that_makes_and_revokes_keys_comes_to_an_end(keys: ApiKeys) -> None:
    for _ in range(1000):
        keys.revoke(str(key_id_of(_new(keys))))

    with pytest.raises(Conflict):
        _new(keys)


def test_a_key_ends_no_later_than_it_would_have(keys: ApiKeys, clock: Clock) -> None:
    forever, brief = _new(keys), _new(keys, hours=1)
    for key in (forever, brief):
        keys.expire(str(key_id_of(key)), clock() + timedelta(hours=2))

    clock.turn(hours=1)
    assert [keys.identify(f"Bearer {key}") is not None for key in (forever, brief)] == [True, False]
    clock.turn(hours=1)
    assert keys.identify(f"Bearer {forever}") is None


def test_only_a_hash_of_the_key_is_stored(keys: ApiKeys, store: InMemoryApiKeyStore) -> None:
    key = _new(keys)
    secret = key.rpartition("_")[2]

    assert secret not in repr(store.keys)
    assert secret[:32] not in repr(store.keys)


def test_an_unknown_key_cannot_be_revoked(keys: ApiKeys) -> None:
    with pytest.raises(NotFound):
        keys.revoke("0" * 16)


@pytest.mark.parametrize("tenant", ["", "Acme", "a b", "a" * 64, "acme\n", "acme#1", "é"])
def test_a_malformed_tenant_gets_no_key(keys: ApiKeys, tenant: str) -> None:
    with pytest.raises(InvalidRequest):
        keys.create(tenant, ("read",), "", None)


@pytest.mark.parametrize("scopes", [(), ("root",), ("read", "")])
def test_a_key_needs_known_scopes(keys: ApiKeys, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        keys.create("acme", scopes, "", None)
