"""How many threads of the processor the networks and the decoder use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch

from streamvace.model.specs import PipelineSpec
from streamvace.system.errors import UserError

THREADS_A_PROCESSOR = 4
"""More only wait for each other, and with tens of thousands the system ends the process without a word."""


@dataclass(frozen=True)
class ProcessorThreads:
    """Threads of the networks and of the decoder. PyTorch has one number for both, which changes twice a chunk."""

    networks: int
    decoder: int

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Use the decoder's number of threads meanwhile."""
        torch.set_num_threads(self.decoder)
        try:
            yield
        finally:
            torch.set_num_threads(self.networks)

    def __str__(self) -> str:
        if self.networks == self.decoder:
            return str(self.networks)
        return f"{self.networks}, {self.decoder} for decoding"


@cache
def own_threads() -> int:
    """PyTorch's own number: that of the machine's cores, or of OMP_NUM_THREADS. Read before it is changed here."""
    return torch.get_num_threads()


def choose_threads(asked: int | None, spec: PipelineSpec, device: torch.device) -> ProcessorThreads:
    """Set the number of threads and return it. asked: by the user, for everything; None: chosen here.

    Products of the embedded model's 192 channels are so short that waking a second thread costs what it gains, in fp32
    and bf16, up to 512x512, quiet and beside a busy program. Its decoder's convolutions are long enough to share
    (benchmarks/precision.py).

    Raises UserError for more threads than the machine can use.
    """
    if asked is not None:
        most = THREADS_A_PROCESSOR * (os.cpu_count() or 1)
        if asked > most:
            raise UserError(f"--threads {asked}: this machine's {os.cpu_count()} processors take at most {most}")
    own = asked or own_threads()
    alone = asked is None and spec.name == "embedded" and device.type == "cpu"
    chosen = ProcessorThreads(networks=1 if alone else own, decoder=own)
    torch.set_num_threads(chosen.networks)
    return chosen
