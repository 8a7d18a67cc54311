"""`/streamvace/model/reload`: reloads the model, or loads the pipeline and the latency chosen since.

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
from streamvace.records.model_options import ModelOptions
from streamvace.system.errors import UserError

PIPELINE: Final = "/streamvace/pipeline"
LATENCY: Final = "/streamvace/latency"
RELOAD: Final = "/streamvace/model/reload"


class ModelSwitch:
    """Passes reloads from the parameters to the supervisor, and their outcome back."""

    def __init__(
        self,
        parameters: Parameters,
        refusals: Refusals,
        setup: WorkerSetup,
        reload: Callable[[WorkerSetup], None],
        check_latency: Callable[[str, str], None],
    ) -> None:
        """setup: of the show's start. A reload keeps its size, LoRAs, and model options but the latency.

        check_latency: raises UserError if a pipeline does not have a latency.
        """
        self._parameters = parameters
        self._refusals = refusals
        self._setup = setup
        self._reload = reload
        self._check_latency = check_latency
        self._went_back = 0

    def follow(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """A listener of the parameters."""
        if RELOAD not in changed:
            return
        name = snapshot.text(PIPELINE)
        model = replace(self._setup.model, latency=self._latency(name, snapshot.text(LATENCY)))
        if name != self._setup.pipeline:
            # The autoencoder was chosen for the pipeline of the start; another pipeline has its own.
            model = replace(model, codec=None)
        self._reload(replace(self._setup, pipeline=name, model=model))

    def _latency(self, name: str, asked: str) -> str:
        """The latency to load a pipeline with: as asked, or normal where it does not have that."""
        try:
            self._check_latency(name, asked)
        except UserError as error:
            self._parameters.set(LATENCY, (ModelOptions.latency,), writer="model")
            self._refusals.note(LATENCY, asked, str(error))
            return ModelOptions.latency
        return asked

    def settle(self, status: Status) -> None:
        """A listener of the supervisor: when it went back to the previous model, set the parameters to that."""
        if status.went_back > self._went_back:
            self._went_back = status.went_back
            snapshot = self._parameters.snapshot()
            for address, runs in ((PIPELINE, status.pipeline), (LATENCY, status.latency)):
                asked = snapshot.text(address)
                self._parameters.set(address, (runs,), writer="model")
                if address == PIPELINE or asked != runs:
                    self._refusals.note(address, asked, status.error)
