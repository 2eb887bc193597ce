"""Errors of botocore's rds-data model."""

from local.json_service import ServiceError

DATABASE_ERROR = "DatabaseErrorException"


def bad_request(message: str) -> ServiceError:
    """The request cannot be understood."""
    return ServiceError("BadRequestException", message)


def database_error(severity: str, message: str, sqlstate: str) -> ServiceError:
    """The database said no."""
    return ServiceError(DATABASE_ERROR, f"{severity}: {message}; SQLState: {sqlstate}")
