"""One slot between two threads: the newest item wins, replaced items are counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item. `put` never blocks; a reader gets the newest item, and each item once.

    A show wants the latest picture, not every picture.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items replaced before they were taken, or put after `close`."""
        return self._dropped

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: T) -> None:
        """Replace the item in the slot. After `close` the new item is dropped and counted."""
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
        """Wake every waiter. An item in the slot can still be taken. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
