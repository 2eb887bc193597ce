"""Errors as the service names them; the name travels in a header, and the words in the body."""

DATABASE_ERROR = "DatabaseErrorException"


class ServiceError(Exception):
    """One of the errors of botocore's rds-data model."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


def bad_request(message: str) -> ServiceError:
    """The request cannot be understood."""
    return ServiceError("BadRequestException", message)


def database_error(severity: str, message: str, sqlstate: str) -> ServiceError:
    """The database said no."""
    return ServiceError(DATABASE_ERROR, f"{severity}: {message}; SQLState: {sqlstate}")
