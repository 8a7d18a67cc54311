"""When a chunk is given the first and the last frame that the performer chose. Owned by one thread; no pixels here."""

from __future__ import annotations

from streamvace.control.parameters import Snapshot

NOW, STANDING = "/streamvace/anchor/now", "/streamvace/anchor/standing"


class AnchorCue:
    """Says for each chunk in turn whether it is anchored: the first of the stream, the next one after the trigger, and
    every one while the anchor stands."""

    def __init__(self) -> None:
        self._fired = 0
        self._owed = False

    def due(self, snapshot: Snapshot, *, starts: bool, loaded: bool) -> bool:
        """Whether this chunk is anchored.

        starts: it is the first of the stream. loaded: the pictures have been read; until then a cue is owed to the next
        chunk: a performer names a picture and fires in one breath, and a disk takes longer than that.
        """
        fired = snapshot.fired[NOW]
        cued = starts or fired != self._fired or self._owed
        self._fired = fired
        self._owed = cued and not loaded
        return cued or snapshot.flag(STANDING)
