"""Decides which chunks get the chosen first and last frame. Owned by one thread; no pixels."""

from __future__ import annotations

from streamvace.control.parameters import Snapshot

NOW, STANDING = "/streamvace/anchor/now", "/streamvace/anchor/standing"


class AnchorCue:
    """Decides for each chunk in turn whether it is anchored: the first of the stream, the next one after the trigger,
    and every one while the anchor stands."""

    def __init__(self) -> None:
        self._fired = 0
        self._pending = False

    def due(self, snapshot: Snapshot, *, starts: bool, loaded: bool) -> bool:
        """Whether this chunk is anchored.

        starts: it is the first of the stream. loaded: all pictures have been read. Until they are, a cue stays pending:
        the trigger can follow a picture's name sooner than the disk delivers the picture.
        """
        fired = snapshot.fired[NOW]
        cued = starts or fired != self._fired or self._pending
        self._fired = fired
        self._pending = cued and not loaded
        return cued or snapshot.flag(STANDING)
