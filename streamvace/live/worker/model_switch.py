"""`/streamvace/model/reload`: reloads the model, or loads the pipeline chosen since.

Threads: `follow` runs on the thread that wrote the parameters, `settle` on the engine thread; neither waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.refusals import Refusals
from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.status import Status

PIPELINE: Final = "/streamvace/pipeline"
RELOAD: Final = "/streamvace/model/reload"


class ModelSwitch:
    """Passes reloads from the parameters to the supervisor, and their outcome back."""

    def __init__(
        self,
        parameters: Parameters,
        refusals: Refusals,
        setup: WorkerSetup,
        reload: Callable[[WorkerSetup], None],
    ) -> None:
        """setup: of the show's start. A reload keeps its size, model options and LoRAs."""
        self._parameters = parameters
        self._refusals = refusals
        self._setup = setup
        self._reload = reload
        self._went_back = 0

    def follow(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """A listener of the parameters."""
        if RELOAD not in changed:
            return
        pipeline = snapshot.text(PIPELINE)
        # The autoencoder was chosen for the pipeline of the start; another pipeline has its own.
        model = self._setup.model if pipeline == self._setup.pipeline else replace(self._setup.model, codec=None)
        self._reload(replace(self._setup, pipeline=pipeline, model=model))

    def settle(self, status: Status) -> None:
        """A listener of the supervisor: when it went back to the previous pipeline, set the parameter to that."""
        if status.went_back > self._went_back:
            self._went_back = status.went_back
            asked = self._parameters.snapshot().text(PIPELINE)
            self._parameters.set(PIPELINE, (status.pipeline,), writer="model")
            self._refusals.note(PIPELINE, asked, status.error)
