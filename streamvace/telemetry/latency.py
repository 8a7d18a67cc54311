"""From control signal and from parameter to picture: how long each took, and on which leg of the way.

Every fresh output frame knows when its control frame was captured, when the newest parameter that shaped it arrived,
and when its chunk was sampled, begun, ended and decoded. All times are on one clock, see `video.frame.now_ns`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.records.chunk import Trace
from streamvace.telemetry.samples import Samples

_MS = 1e-6

LEGS = ("wait", "send", "step", "decode", "queue")
"""captured -> sampled -> started -> ended -> decoded -> presented."""


class Latency:
    """Windows over what was presented. No lock: Telemetry owns and locks it."""

    def __init__(self) -> None:
        self._control, self._parameter = Samples(), Samples()
        self._legs = {leg: Samples() for leg in LEGS}
        self._received_ns = 0

    def presented(self, now_ns: int, captured_ns: int, trace: Trace) -> None:
        """A picture was published for the first time. captured_ns: of the control frame it follows, 0 without one."""
        if captured_ns:
            self._control.add((now_ns - captured_ns) * _MS)
        if trace.received_ns > self._received_ns:
            # Once a change, with the first picture that shows it: the others of its chunk only show it still.
            self._received_ns = trace.received_ns
            self._parameter.add((now_ns - trace.received_ns) * _MS)
        moments = (captured_ns, trace.sampled_ns, trace.started_ns, trace.ended_ns, trace.decoded_ns, now_ns)
        for leg, before, after in zip(LEGS, moments, moments[1:], strict=False):
            if before and after:
                self._legs[leg].add((after - before) * _MS)

    def samples(self) -> dict[str, NDArray[np.float64]]:
        """Milliseconds: `latency` (control to picture), `parameter` (to picture), `leg_wait` and so on."""
        legs = {f"leg_{leg}": window.samples() for leg, window in self._legs.items()}
        return {"latency": self._control.samples(), "parameter": self._parameter.samples(), **legs}
