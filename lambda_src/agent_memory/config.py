"""Settings of the deployed functions, read from the environment that Terraform writes."""

import os


class Settings:
    """Each function is given only the variables that it needs, so each is asked for when used."""

    @staticmethod
    def _required(name: str) -> str:
        value = os.environ.get(name)
        if not value:
            msg = f"environment variable {name} is not set"
            raise RuntimeError(msg)
        return value

    @property
    def region(self) -> str:
        """AWS region; Lambda always sets it."""
        return self._required("AWS_REGION")

    @property
    def memory_table(self) -> str:
        """Table of the records."""
        return self._required("MEMORY_TABLE")

    @property
    def control_table(self) -> str:
        """Table of keys, idempotency records and settings."""
        return self._required("CONTROL_TABLE")

    @property
    def pepper_parameter(self) -> str:
        """SSM SecureString that keys the hashes of API keys."""
        return self._required("PEPPER_PARAMETER")

    @property
    def archive_bucket(self) -> str:
        """Bucket of the cold tier."""
        return self._required("ARCHIVE_BUCKET")
