"""A clock that a test turns."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Stands still until told otherwise."""

    def __init__(self, at: datetime | None = None) -> None:
        self.now = at or datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> datetime:
        """Go on by hours, minutes, seconds ...; returns the new time."""
        self.now += timedelta(**by)
        return self.now
