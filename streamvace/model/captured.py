"""Passes of the networks as CUDA graphs: one launch instead of thousands, so the host never limits the speed.

A pass is captured in the warm-up, where its kind first occurs, and replayed whenever the kind occurs again. It reads
fixed addresses (`FixedBuffers`, the cache's buffers, the weights); only the latents and the timestep are copied in.
Kinds that the warm-up does not meet run eagerly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Kind = Hashable | None
"""Equal for passes that run the same operations at the same addresses. None: the pass is not to be captured."""

Mark = Callable[[str], None]
"""See `StageClock.mark`."""

Body = Callable[[Tensor, Tensor, Mark], Tensor]
"""A pass: latents `[B, C, T, h, w]` and timesteps `[B, 1]` -> the network's output `[B, C, T, h, w]`."""

RunPass = Callable[[Kind, Body, Tensor, Tensor, Mark], Tensor]
"""Runs a pass of a kind."""


def run_eagerly(kind: Kind, body: Body, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
    """A RunPass that captures nothing."""
    return body(x, t, mark)


class PreparedPasses(Protocol):
    """A RunPass that prepares passes in the warm-up, and none in a show.

    capturing: set during the warm-up. about: lines of the log about what it has prepared, by subject.
    """

    capturing: bool

    @property
    def about(self) -> dict[str, str]: ...

    def __call__(self, kind: Kind, body: Body, x: Tensor, t: Tensor, mark: Mark) -> Tensor: ...


@dataclass(frozen=True)
class _Captured:
    """A graph, where it reads latents and timesteps, and where it writes its output."""

    graph: torch.cuda.CUDAGraph
    x: Tensor
    t: Tensor
    output: Tensor

    def replay(self, x: Tensor, t: Tensor) -> Tensor:
        self.x.copy_(x)
        self.t.copy_(t)
        self.graph.replay()
        # The memory of the output is shared with the other graphs.
        return self.output.clone()


class CapturedPasses:
    """A RunPass with CUDA graphs. All graphs share one pool of memory, because only one runs at a time.

    capturing: set during the warm-up. fault: why no more passes are captured; empty while all is well.
    """

    def __init__(self) -> None:
        self.capturing = False
        self.fault = ""
        self._graphs: dict[Hashable, _Captured] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, kind: Kind, body: Body, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        """See RunPass."""
        key = (kind, x.shape, x.dtype)
        held = self._graphs.get(key)
        if held is not None:
            return held.replay(x, t)
        output = body(x, t, mark)
        if kind is not None and self.capturing and not self.fault:
            self._capture(key, body, x, t)
        return output

    @property
    def about(self) -> dict[str, str]:
        """See PreparedPasses."""
        return {"cuda graphs": f"{len(self._graphs)} passes captured{self.fault and f'; {self.fault}'}"}

    def _capture(self, key: Hashable, body: Body, x: Tensor, t: Tensor) -> None:
        """Record the pass without running it."""
        graph, given, at = torch.cuda.CUDAGraph(), x.clone(), t.clone()
        try:
            # Another thread may encode a prompt on the device at the same time; in the default mode that would end it.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = body(given, at, unmarked)
        except RuntimeError as error:
            line = next(iter(str(error).strip().splitlines()), type(error).__name__)
            self.fault = f"a pass cannot be captured and runs eagerly, which is slower: {line}"
            log.warning("CUDA graphs: %s", self.fault)
            return
        self._graphs[key] = _Captured(graph, given, at, output)


def unmarked(stage: str) -> None:
    """Within a graph there are no times of stages."""
