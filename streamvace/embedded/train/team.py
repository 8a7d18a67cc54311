"""A team of single-threaded processes that train one network together.

On a busy machine, the threads of one process wait for each other at every small operation; processes synchronise only
once per step. Each process renders its own samples. Gradients are averaged, and Muon's work is divided.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def rank() -> int:
    """This process's number; 0 is the leader."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def add(values: Tensor) -> None:
    """Sum over the team, in place."""
    if dist.is_initialized():
        dist.all_reduce(values)


def average_gradients(parameters: Sequence[Tensor], clock: float) -> float:
    """Average all gradients over the team, in place. Returns the team's mean `clock`, so that learning rates agree."""
    if not dist.is_initialized():
        return clock
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([*(each.flatten() for each in gradients), torch.tensor([clock])])
    dist.all_reduce(flat)
    flat /= size()
    offset = 0
    for each in gradients:
        each.copy_(flat[offset : offset + each.numel()].view_as(each))
        offset += each.numel()
    return float(flat[-1])


def _join(number: int, count: int, meeting: str, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=count)
    try:
        return work(*arguments)
    finally:
        dist.destroy_process_group()


def together(count: int, folder: Path, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run `work(*arguments)` in `count` processes, of which this one is the leader; returns the leader's result."""
    if count <= 1:
        return work(*arguments)
    folder.mkdir(parents=True, exist_ok=True)
    meeting = folder / f"meeting-{os.getpid()}"
    meeting.unlink(missing_ok=True)
    spawn = get_context("spawn")
    threads = torch.get_num_threads()
    members = [
        spawn.Process(target=_join, args=(n, count, str(meeting.resolve()), work, arguments), daemon=False)
        for n in range(1, count)
    ]
    for member in members:
        member.start()
    try:
        return _join(0, count, str(meeting.resolve()), work, arguments)
    finally:
        for member in members:
            member.join(60)
            if member.is_alive():
                member.terminate()
        torch.set_num_threads(threads)
        meeting.unlink(missing_ok=True)
