"""Objects of the cold tier are read back before anything relies on them."""

from agent_memory.domain.archive import ColdObjects
from agent_memory.errors import StoreUnavailable


def write_verified(objects: ColdObjects, key: str, content: bytes) -> None:
    """Write an object whose name says what is in it, whether or not it is there already, and see that it is whole.

    Raises:
        StoreUnavailable: it was not written, or not as it should be.
    """
    objects.put_once(key, content)
    if objects.get(key) == content:
        return
    objects.put_over(key, content)
    if objects.get(key) != content:
        raise StoreUnavailable("an object is not in the archive as it was written")
