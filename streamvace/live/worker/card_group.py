"""A stream made by several processes, one card each. The worker is the first; it starts and watches the others.

`--device cuda:0,cuda:1`: the worker runs on the first card and talks to the stage. The others follow it, step by step.
If one of them ends, the worker ends too, and the supervisor starts a new group.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import FileStore

from streamvace.live.worker.messages import WorkerSetup
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.stream.chunk_check import check_chunk
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.part import Shared, check_group, part_of
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.telemetry.logs import log_to_console

ARRIVAL_S = 60.0
"""How long the processes wait for each other at the start. They load their weights afterwards."""

IDLE = timedelta(days=365)
"""How long a process waits for the next message: a show may pause for hours."""

END = "end"
"""What the first process tells the others when it ends in order."""

log = logging.getLogger(__name__)


def join_group(rank: int, devices: Sequence[str], folder: Path, wait_s: float = ARRIVAL_S) -> None:
    """Meet the other processes. folder: private to the group; the same for all.

    Raises UserError, with the numbers of those that are missing, after `wait_s`.
    """
    count = len(devices)
    store = FileStore(str(folder / "store"), count)
    here = [f"process {each}" for each in range(count)]
    store.set(here[rank], "")
    try:
        store.wait(here, timedelta(seconds=wait_s))
    except RuntimeError:
        missing = [str(each) for each in range(count) if not store.check([here[each]])]
        raise UserError(
            f"of {count} processes ({', '.join(devices)}), number {', '.join(missing)} did not come within "
            f"{wait_s:g} s; start with one --device"
        ) from None
    backend = "gloo" if devices[0] == "cpu" else "cpu:gloo,cuda:nccl"
    if "nccl" in backend and not dist.is_nccl_available():
        raise UserError(
            f"devices {', '.join(devices)}: this torch ({torch.__version__}) has no NCCL; give one --device"
        )
    if sys.platform != "win32":
        # Otherwise the processes would be reachable from the network.
        for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
            os.environ.setdefault(name, "lo0" if sys.platform == "darwin" else "lo")
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=IDLE)


def _load(setup: WorkerSetup, device: str) -> Generator:
    """This process's generator, after `join_group`."""
    if setup.model.compile != "off":
        raise UserError("--compile works on one card; give one --device, or leave it out")
    place = torch.device(device)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    # Not captured: if one process could not capture a pass, the others would wait for its collectives for ever.
    first = device == setup.model.first_device
    kept = setup.model.for_controls if first else 0
    options = replace(setup.model, device=device, cuda_graphs="off", for_controls=kept)
    return load_generator(setup.pipeline, setup.size, options, part=part_of(place))


class CardGroup:
    """The first process's end of the group: a `ChunkMaker` that all processes follow.

    The first exception within a step leaves the processes at different places, so no further step is possible; only a
    picture that is not finite is seen after all have finished.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        """setup: with several devices. Raises UserError for heads that cannot be divided and processes that fail."""
        devices = setup.model.device.split(",")
        check_group(setup.pipeline, len(devices))
        self._broken = ""
        folder = Path(tempfile.mkdtemp(prefix="streamvace-group-"))
        self._ending = threading.Event()
        self._others = [_start(setup, rank, folder, self._ending) for rank in range(1, len(devices))]
        join_group(0, devices, folder)
        self._generator = _load(setup, devices[0])
        self._shared = Shared(self._generator.device)
        atexit.register(self._end)
        self.about = self._generator.about | {"device": ", ".join(devices)}
        self.size, self.warms_up, self.device = setup.size, self._generator.warms_up, self._generator.device

    def frames_wanted(self) -> int:
        """See Generator."""
        return self._generator.frames_wanted()

    def step(self, inputs: ChunkInput) -> Chunk:
        """See Generator."""
        if self._broken:
            raise RuntimeError(self._broken)
        made = self._generator
        wanted = made.frames_wanted()
        if inputs.reset:
            self.reset()
            wanted, inputs = made.frames_wanted(), replace(inputs, reset=False)
        check_chunk(inputs, wanted, made.size, len(made.spec.size.vace_layers))
        chunk: Chunk = self._together("step", lambda: made.step(inputs), inputs)
        return chunk

    def warm_up(self, progress: Callable[..., None]) -> None:
        """See Generator."""
        self._together("warm_up", lambda: self._generator.warm_up(progress))

    def reset(self) -> None:
        """See Generator."""
        self._together("reset", self._generator.reset)

    def _end(self) -> None:
        """This process ends in order: so do the others, instead of finding a broken connection."""
        self._ending.set()
        if not self._broken:
            self._shared.tell((END, ()))

    def _together(self, what: str, ours: Callable[[], Any], *given: Any) -> Any:
        if self._broken:
            return None
        self._shared.tell((what, given))
        try:
            return ours()
        except FloatingPointError:
            raise
        except Exception as error:
            self._broken = f"the processes of the group no longer agree after: {error}"
            raise


def _start(setup: WorkerSetup, rank: int, folder: Path, ending: threading.Event) -> subprocess.Popen[bytes]:
    """Start a process of the group. If it ends before `ending`, so does this one."""
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "streamvace.live.worker.card_group", str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.send((setup, rank, folder))

    def watch() -> None:
        # Meanwhile the pipe stays open: its end tells the process that this one is gone.
        with ours:
            code = process.wait()
        if ending.is_set():
            return
        device = setup.model.device.split(",")[rank]
        log.error("process %d of the group (%s) ended with code %d; the group ends", rank, device, code)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, name=f"process {rank} watch", daemon=True).start()
    return process


def follow(pipe: Connection[Any, Any]) -> None:
    """Entry point of every process but the first. pipe: to the process that started this one."""
    log_to_console(verbose=False)
    setup, rank, folder = pipe.recv()

    def end() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    def end_with_the_first() -> None:
        wait([pipe])
        end()

    threading.Thread(target=end_with_the_first, name="first process watch", daemon=True).start()
    devices = setup.model.device.split(",")
    try:
        join_group(rank, devices, folder)
        generator = _load(setup, devices[rank])
        shared = Shared(generator.device)
        while True:
            what, given = shared.tell()
            if what == END:
                end()
            getattr(generator, what)(*given)  # pictures are black here
    except Exception as error:  # noqa: BLE001 - the first process ends the group; this line says why
        time.sleep(1.0)  # if the first process is gone, the end of its pipe ends this one meanwhile
        log.error("process %d of the group (%s): %s", rank, devices[rank], one_line(error))
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


if __name__ == "__main__":
    follow(Connection(int(sys.argv[1])))
