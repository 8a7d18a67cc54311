"""Four processes that make the streams of every pipeline in groups of 4 and 2, and alone.

`python -m tests.stream.ranks FOLDER` writes found.json: by pipeline and number of processes, the largest difference of
the pictures and of the first layer's keys.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from streamvace.model.specs import PIPELINES, PipelineSpec
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.stream.generator import Generator
from streamvace.stream.part import WHOLE, Part, part_of
from streamvace.stream.user_loras import UserLoras
from tests.networks import SMALL, small_generator, small_lora

COUNT = 4
SIZE = (48, 32)
"""Six tokens a frame: 4 processes have unequal shares."""

WAIT = timedelta(seconds=60)
NAMES = [name for name in PIPELINES if name not in ("embedded", "self-forcing")]


def small(name: str) -> PipelineSpec:
    """The pipeline with four heads, which both groups can divide."""
    spec = PIPELINES[name]
    cache = replace(spec.cache, window=min(spec.cache.window, 9))
    return replace(spec, size=replace(SMALL, num_heads=COUNT), cache=cache, steps=spec.steps[:2])


def made(name: str, part: Part) -> Generator:
    whole = small_generator(small(name), SIZE)
    loras = UserLoras(whole.networks.wan, [], [(small_lora(whole.networks.wan), 0.5)])
    networks = part.networks(replace(whole.networks, loras=loras))
    generator = Generator(
        whole.spec, networks, whole.size, whole.device, whole.dtype, contexts=part.contexts, lane=None
    )
    generator.prompts = part.prompts(generator.prompts)
    return generator


def show(generator: Generator) -> Iterator[ChunkInput]:
    """Every input of VACE, a region, a switch of the prompt, and a memory that fills."""
    draw = np.random.default_rng(1)
    width, height = generator.size
    picture = draw.integers(0, 256, (2, height, width, 3), np.uint8)
    for index in range(10):
        count = generator.frames_wanted()
        frames = draw.integers(0, 256, (3, count, height, width, 3), np.uint8)
        mask = draw.integers(0, 256, (count, height, width), np.uint8)
        yield ChunkInput(
            prompt="red" if index < 6 else "blue",
            control=frames[0] if index not in (2, 5) else None,
            mask=mask if index in (3, 7) else None,
            scale_map=mask if index == 4 else None,
            second_control=frames[1] if index == 4 else None,
            source=frames[2] if index == 8 else None,
            references=picture if index in (5, 6, 7) else None,
            reference_mode="memory" if index == 7 else "joint",
            history_hints=index == 6,
            lora_region="mask" if index == 3 else "everywhere",
            first_frame=picture[0] if index == 9 else None,
        )


def chunks(generator: Generator) -> Iterator[tuple[Chunk, torch.Tensor]]:
    for given in show(generator):
        chunk = generator.step(given)
        k, _ = generator.state.cache.in_order(0)
        yield chunk, generator.networks.wan.exchange.all_heads(k, 2)


def compare(name: str, group: dist.ProcessGroup | None) -> tuple[float, float]:
    """The largest differences between this group's stream and that of one process: of a picture and of a key."""
    ours = list(chunks(made(name, part_of(torch.device("cpu"), group))))
    if dist.get_rank(group):
        return 0.0, 0.0
    pictures = keys = 0.0
    for (chunk, key), (other, other_key) in zip(ours, chunks(made(name, WHOLE)), strict=True):
        pictures = max(pictures, float(np.abs(chunk.frames.astype(int) - other.frames).max()))
        keys = max(keys, float((key - other_key).abs().max() / other_key.abs().max()))
    return pictures, keys


def rank(number: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", COUNT)
    dist.init_process_group("gloo", store=store, rank=number, world_size=COUNT, timeout=WAIT)
    pair = dist.new_group([0, 1])
    found: dict[str, tuple[float, float]] = {}
    for name in NAMES:
        found[f"{name} 4"] = compare(name, None)
        if number < 2:
            found[f"{name} 2"] = compare(name, pair)
    if number == 0:
        Path(folder, "found.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def main(folder: str) -> None:
    # Started by fork from a process without threads: PyTorch is imported once.
    context = multiprocessing.get_context("fork")
    ranks = [context.Process(target=rank, args=(number, folder)) for number in range(COUNT)]
    for each in ranks:
        each.start()
    for each in ranks:
        each.join()
    if any(each.exitcode for each in ranks):
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1])
