"""SCRAM-SHA-256 verifiers as PostgreSQL stores them (RFC 5802), so that no statement ever carries a password."""

import base64
import hashlib
import hmac

_ITERATIONS = 4096  # PostgreSQL's own; our passwords are random, so a slower hash protects nothing more


def verifier(password: str, salt: bytes) -> str:
    """What ALTER ROLE ... PASSWORD takes for the password; ASCII only, anything else would need SASLprep."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"
