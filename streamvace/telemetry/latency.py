"""Latency from control frame to output frame and from parameter change to output frame, in total and per leg.

Every fresh output frame carries the capture time of its control frame, the arrival time of the newest parameter that
shaped it, and the times of its chunk (sampled, started, ended, decoded). All times are on the clock `now_ns`.
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
    """Sliding windows over the presented frames. No lock: Telemetry owns it and locks."""

    def __init__(self) -> None:
        self._control, self._parameter = Samples(), Samples()
        self._legs = {leg: Samples() for leg in LEGS}
        self._received_ns = 0

    def presented(self, now_ns: int, captured_ns: int, trace: Trace) -> None:
        """A frame was published for the first time. captured_ns: of the control frame it follows, 0 without control."""
        if captured_ns:
            self._control.add((now_ns - captured_ns) * _MS)
        if trace.received_ns > self._received_ns:
            # Once per change, with the first frame that shows it.
            self._received_ns = trace.received_ns
            self._parameter.add((now_ns - trace.received_ns) * _MS)
        moments = (captured_ns, trace.sampled_ns, trace.started_ns, trace.ended_ns, trace.decoded_ns, now_ns)
        for leg, before, after in zip(LEGS, moments, moments[1:], strict=False):
            if before and after:
                self._legs[leg].add((after - before) * _MS)

    def samples(self) -> dict[str, NDArray[np.float64]]:
        """Milliseconds by name: `latency` (control to output), `parameter` (to output), `leg_wait` and so on."""
        legs = {f"leg_{leg}": window.samples() for leg, window in self._legs.items()}
        return {"latency": self._control.samples(), "parameter": self._parameter.samples(), **legs}
