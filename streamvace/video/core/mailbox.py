"""One slot between two threads: the newest item wins, and what it pushed out is counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item. `put` never blocks; a reader always gets the newest item, and each item once.

    This is the live rule everywhere: a show wants the latest picture, not every picture.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items replaced before anyone took them."""
        return self._dropped

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: T) -> None:
        """Leave the item, in place of an older one. After `close` the item is dropped and counted."""
        with self._changed:
            if self._closed or self._item is not None:
                self._dropped += 1
            if not self._closed:
                self._item = item
                self._changed.notify()

    def take(self) -> T | None:
        """The item, or None when there is none. Never blocks."""
        with self._changed:
            item, self._item = self._item, None
            return item

    def wait(self, timeout: float | None = None) -> T | None:
        """The item as soon as there is one; None after `timeout` seconds or once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake every waiter. What is in the slot can still be taken. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
