"""The pepper: an SSM SecureString whose every version stays readable, so that keys outlive a rotation."""

from typing import Any

from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.errors import StoreUnavailable

# An empty or short pepper would make hashes that anybody can compute: no key is better than such a key.
_LEAST_PEPPER = 32


def make_client(region: str) -> AwsJsonClient:
    """Make the client; it connects at its first call."""
    return AwsJsonClient("ssm", "AmazonSSM", region, protocol="1.1")


class SsmPepper:
    """`PepperSource` on Parameter Store; a version never changes, so each is read once."""

    def __init__(self, client: AwsJsonClient, parameter: str) -> None:
        self._client = client
        self._parameter = parameter
        self._kept: dict[int, bytes] = {}

    def latest(self) -> tuple[int, bytes]:
        """(version, pepper) for new keys."""
        parameter = self._read(self._parameter)
        return int(parameter["Version"]), str(parameter["Value"]).encode()

    def get(self, version: int) -> bytes:
        """The pepper under which an older key was made."""
        if version not in self._kept:
            self._kept[version] = str(self._read(f"{self._parameter}:{version}")["Value"]).encode()
        return self._kept[version]

    def _read(self, name: str) -> dict[str, Any]:
        try:
            answer = self._client.call("GetParameter", {"Name": name, "WithDecryption": True})
        except AwsError as exc:
            # Without its pepper no key can be judged: that is an outage of ours, not a bad key.
            raise StoreUnavailable("the pepper could not be read") from exc
        parameter: dict[str, Any] = answer["Parameter"]
        if len(parameter["Value"]) < _LEAST_PEPPER:
            raise StoreUnavailable("the pepper is no secret")
        return parameter
