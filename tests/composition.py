"""The modules of the composition root, for whoever has all of them build anew or tell another time."""

import importlib
import pkgutil
from types import ModuleType

from agent_memory import bootstrap


def parts() -> list[ModuleType]:
    """Every module, imported."""
    return [
        importlib.import_module(f"{bootstrap.__name__}.{part.name}")
        for part in pkgutil.iter_modules(bootstrap.__path__)
    ]


def timed_parts() -> list[ModuleType]:
    """Those that hand the time to what they build."""
    return [part for part in parts() if "now" in vars(part)]
