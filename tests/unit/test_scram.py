"""Verifiers against the example of RFC 7677, whose keys PostgreSQL would store."""

import base64
import hashlib
import hmac

import pytest

from agent_memory.domain.scram import verifier

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
EXCHANGE = (
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)


def test_the_server_key_signs_as_the_rfc_says() -> None:
    server_key = base64.b64decode(verifier("pencil", SALT).rpartition(":")[2])

    signature = hmac.digest(server_key, EXCHANGE, "sha256")

    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_stored_key_accepts_the_rfc_s_proof() -> None:
    stored_key = base64.b64decode(verifier("pencil", SALT).split("$")[2].partition(":")[0])
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(stored_key, EXCHANGE, "sha256")

    client_key = bytes(ours ^ theirs for ours, theirs in zip(signature, proof, strict=True))

    assert hashlib.sha256(client_key).digest() == stored_key


def test_a_password_that_needs_preparation_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        verifier("pässword", SALT)
