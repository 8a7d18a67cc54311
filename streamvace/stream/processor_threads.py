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

TWO_CORES = 2


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


def choose_threads(asked: int | None, spec: PipelineSpec, device: torch.device, dtype: torch.dtype) -> ProcessorThreads:
    """Set the number of threads and return it. asked: by the user, for everything; None: chosen here.

    The embedded model's products of 192 channels are short. On two cores, a second thread gains up to a fifth on a
    quiet machine, and costs a quarter to a half beside one busy program, such as TouchDesigner: one thread is the
    better choice for a show. Its decoder's convolutions are long enough to share. All that is measured by
    benchmarks/precision.py; fp32 with more than two cores is not, and keeps PyTorch's number.

    Raises UserError for more threads than the machine can use.
    """
    if asked is not None:
        most = THREADS_A_PROCESSOR * (os.cpu_count() or 1)
        if asked > most:
            raise UserError(f"--threads {asked}: this machine's {os.cpu_count()} processors take at most {most}")
    own = asked or own_threads()
    short = spec.name == "embedded" and device.type == "cpu" and (dtype.itemsize == 2 or own <= TWO_CORES)
    chosen = ProcessorThreads(networks=1 if short and asked is None else own, decoder=own)
    torch.set_num_threads(chosen.networks)
    return chosen
