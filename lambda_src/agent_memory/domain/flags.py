"""Feature flags of tenants: switches of their own that their agents read. None of them changes what this API does."""

import re
from collections.abc import Collection, Mapping
from typing import Protocol

from pydantic import BaseModel

Flag = bool | str
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
MAX_FLAGS = 100
MAX_VALUE_LENGTH = 256


class FlagsResponse(BaseModel):
    """A tenant's flags: true for on, false for off, or a text."""

    flags: dict[str, bool | str]


class FlagStore(Protocol):
    """Flags by tenant; both methods raise StoreUnavailable when the store does not answer."""

    def get(self, tenant_id: str) -> Mapping[str, Flag]:
        """A tenant's flags by name; it sees every earlier change."""

    def change(self, tenant_id: str, own: Mapping[str, Flag], dropped: Collection[str]) -> None:
        """Set some, and drop some."""
