"""Remarks of the model about a parameter, such as unknown words in the prompt, shown beside its control."""

from __future__ import annotations

from streamvace.control.refusals import Refusals
from streamvace.live.worker.status import Status


class Remarks:
    """A listener of the supervisor, on the engine thread."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._newest = ""

    def settle(self, status: Status) -> None:
        """Bind the newest remark to its parameter. The terminal hears it elsewhere."""
        if status.error == self._newest:
            return
        self._newest = status.error
        address, colon, why = status.error.partition(": ")
        if colon:
            self._refusals.remark(address, why)
