"""Settings of the deployed functions, read from the environment that Terraform writes."""

import os
from datetime import timedelta
from typing import get_args

from agent_memory.domain.vector_layout import Layout

_WEEK_S = 7 * 24 * 3600


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
    def tenant_role_arn(self) -> str | None:
        """Role that the function takes for each tenant; without one it reaches records with its own."""
        return os.environ.get("TENANT_ROLE_ARN") or None

    @property
    def pepper_parameter(self) -> str:
        """SSM SecureString that keys the hashes of API keys."""
        return self._required("PEPPER_PARAMETER")

    @property
    def limits(self) -> str | None:
        """JSON of the limits that hold for tenants without their own."""
        return os.environ.get("LIMITS")

    @property
    def archive_bucket(self) -> str:
        """Bucket of the cold tier."""
        return self._required("ARCHIVE_BUCKET")

    @property
    def hot_window(self) -> timedelta:
        """How long an episode stays in the hot tier, as far as the cold one can hold it by then."""
        return timedelta(seconds=float(os.environ.get("HOT_S") or _WEEK_S))

    @property
    def archive_within(self) -> timedelta:
        """How long an episode waits at most for others to fill an object with."""
        return timedelta(seconds=float(os.environ.get("ARCHIVE_WITHIN_S") or _WEEK_S))

    @property
    def failed_records_bucket(self) -> str:
        """Bucket of what the archiver did not take; only operators' commands need it, as the two functions below."""
        return self._required("FAILED_RECORDS_BUCKET")

    @property
    def archiver_function(self) -> str:
        """Name of the function that takes the stream."""
        return self._required("ARCHIVER_FUNCTION")

    @property
    def sweeper_function(self) -> str:
        """Name of the function that sweeps."""
        return self._required("SWEEPER_FUNCTION")

    @property
    def ingest_function(self) -> str:
        """Name of the function that does jobs, for an operator's commands."""
        return self._required("INGEST_FUNCTION")

    @property
    def database_connection(self) -> str:
        """How functions reach PostgreSQL: data_api, direct or proxy."""
        return self._required("DATABASE_CONNECTION")

    @property
    def database_name(self) -> str:
        """Database in the cluster."""
        return self._required("DATABASE_NAME")

    @property
    def database_cluster_arn(self) -> str:
        """Cluster that the Data API speaks to."""
        return self._required("DATABASE_CLUSTER_ARN")

    @property
    def database_app_secret_arn(self) -> str:
        """Secret with the application's login; the schema function fills it."""
        return self._required("DATABASE_APP_SECRET_ARN")

    @property
    def database_master_secret_arn(self) -> str:
        """Secret with the master user's login; RDS manages it."""
        return self._required("DATABASE_MASTER_SECRET_ARN")

    @property
    def database_endpoint(self) -> tuple[str, int]:
        """Host and port of the cluster or of its proxy."""
        return self._required("DATABASE_HOST"), int(self._required("DATABASE_PORT"))

    @property
    def database_user(self) -> str:
        """Role that logs in with an IAM token."""
        return self._required("DATABASE_USER")

    @property
    def database_ca_path(self) -> str | None:
        """A bundle of certificate authorities to trust in place of the one that fits the connection mode."""
        return os.environ.get("DATABASE_CA_PATH")

    @property
    def search_check_share(self) -> float:
        """What share of the searches is compared with the exact answer."""
        return float(os.environ.get("SEARCH_CHECK_SHARE") or 0)

    @property
    def vector_index(self) -> Layout:
        """Which layout the vectors' indexes are to have."""
        layout = self._required("VECTOR_INDEX")
        if layout not in get_args(Layout):
            msg = f"VECTOR_INDEX must be one of {', '.join(get_args(Layout))}"
            raise RuntimeError(msg)
        return layout  # type: ignore[return-value]

    @property
    def embedding_model(self) -> str:
        """Bedrock's id of the embedding model."""
        return self._required("EMBEDDING_MODEL")

    @property
    def embedding_dimensions(self) -> int:
        """How many numbers a vector has."""
        return int(self._required("EMBEDDING_DIMENSIONS"))

    @property
    def embedding_next(self) -> tuple[str, int] | None:
        """Model and dimensions that the deployment is about to change to."""
        model = os.environ.get("EMBEDDING_NEXT_MODEL")
        return (model, int(self._required("EMBEDDING_NEXT_DIMENSIONS"))) if model else None

    @property
    def embedding_chunk_tokens(self) -> int:
        """At how many tokens a text is cut before it is embedded."""
        return int(self._required("EMBEDDING_CHUNK_TOKENS"))

    @property
    def search_language(self) -> str:
        """The language whose words are compared by their stems."""
        return os.environ.get("SEARCH_LANGUAGE") or "english"

    @property
    def embedding_timeout_s(self) -> float:
        """How long a request may wait for the vectors of all its chunks."""
        return float(self._required("EMBEDDING_TIMEOUT_S"))

    @property
    def context_deadline_s(self) -> float:
        """By when a context is answered with what has come."""
        return float(self._required("CONTEXT_DEADLINE_S"))

    @property
    def job_queue_url(self) -> str:
        """Queue of jobs."""
        return self._required("JOB_QUEUE_URL")

    @property
    def dead_jobs_url(self) -> str:
        """Queue of messages that were given up; only operators' commands need it."""
        return self._required("DEAD_JOBS_URL")

    @property
    def job_attempts(self) -> int:
        """How often a job is begun, and its message delivered, before it has failed."""
        return int(self._required("JOB_ATTEMPTS"))

    @property
    def job_s(self) -> float:
        """How long one job may take."""
        return float(self._required("JOB_S"))

    @property
    def summarizer_input_tokens(self) -> int | None:
        """How long a transcript may be, by estimate; None where no model reads them."""
        given = os.environ.get("SUMMARIZER_INPUT_TOKENS")
        return int(given) if given else None

    @property
    def summarizer_model(self) -> str | None:
        """Bedrock's id of the model that reads transcripts, if there is one."""
        return os.environ.get("SUMMARIZER_MODEL") or None

    @property
    def summarizer_output_tokens(self) -> int:
        """How much it may write."""
        return int(self._required("SUMMARIZER_OUTPUT_TOKENS"))

    @property
    def summarizer_timeout_s(self) -> float:
        """How long it may take for one transcript, with what is asked again."""
        return float(self._required("SUMMARIZER_TIMEOUT_S"))


settings = Settings()
