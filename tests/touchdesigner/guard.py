"""Base of all simulated objects: only the main thread may use them, and unknown attributes are rejected."""

from __future__ import annotations

import threading
from typing import Any


class OffThread(RuntimeError):
    """A TouchDesigner object was used outside the main thread, which crashes TouchDesigner."""


class Guard:
    """The main thread, and all violations. Shared by all objects."""

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.violations: list[str] = []

    def check(self, what: str) -> None:
        if threading.get_ident() != self.owner:
            line = f"{what} was used in thread {threading.current_thread().name!r}"
            self.violations.append(line)
            raise OffThread(line)


GUARD = Guard()


class Guarded:
    """Checks every access. Attributes with a leading underscore belong to the simulation and are not checked."""

    def __getattribute__(self, name: str) -> Any:
        if name[0] != "_":
            GUARD.check(f"{type(self).__name__}.{name}")
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_":
            GUARD.check(f"{type(self).__name__}.{name}")
            if not hasattr(type(self), name):
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        object.__setattr__(self, name, value)
