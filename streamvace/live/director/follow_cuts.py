"""What a hard cut in the control does to the stream: `/streamvace/follow_cuts`. Owned by the director."""

from __future__ import annotations

from collections.abc import Sequence

from streamvace.live.director.cut_watch import CutWatch
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.frame import Frame


class FollowCuts:
    """Sees what every chunk follows, in order."""

    def __init__(self) -> None:
        self._watch = CutWatch()
        self._ring: FrameRing | None = None

    def next(
        self, how: str, ring: FrameRing, taken: list[Frame], watched: Sequence[Frame], first_frames: int
    ) -> tuple[str, list[Frame]]:
        """`ChunkInput.cut` of the next chunk, and the frames that it follows then.

        how: `soft` or `hard`. ring: where the frames are from; another input or control kind looks different, but the
        performer chose it. taken: the frames that the chunk would follow, oldest first. watched: all that was captured
        since the last chunk, which is `taken` itself if the chunk follows it all. first_frames: of a new history.
        """
        if ring is not self._ring:
            self._watch, self._ring = CutWatch(), ring
        place = self._watch.look(watched)
        if place is None or how == "soft":
            return "" if place is None else "soft", taken
        if watched is taken:
            # The picture before the cut must not open the new history.
            taken = [taken[max(place, index)] for index in range(len(taken))]
        return "hard", taken[-first_frames:]
