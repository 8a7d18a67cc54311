"""What every stand-in object has: it answers to the main thread only, and has only the attributes that it has."""

from __future__ import annotations

import threading
from typing import Any


class OffThread(RuntimeError):
    """A TouchDesigner object was touched from a thread that is not the main thread: in TouchDesigner, a crash."""


class Guard:
    """Whose thread it is, and who else came. One for all objects, as there is one main thread."""

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.violations: list[str] = []

    def check(self, what: str) -> None:
        if threading.get_ident() != self.owner:
            line = f"{what} was touched from thread {threading.current_thread().name!r}"
            self.violations.append(line)
            raise OffThread(line)


GUARD = Guard()


class Guarded:
    """Checks every access. Attributes that begin with an underscore are the stand-in's own and are free."""

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
