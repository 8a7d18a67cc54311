"""Loads and runs a pipeline at its real size with random weights of the real names and shapes.

    python benchmarks/full_size.py [--pipeline longlive] [--size 576x320] [--chunks 1] [--network small]

Shows that such a checkpoint loads, the loading time, the peak memory, and the time of a chunk with VACE control. The
pictures are noise. Writes 4.3 GB for a 1.3B pipeline or 34 GB for the 14B pipeline into a temporary folder.
`--network small` runs the same code in seconds.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from common import spec_of
from safetensors.torch import save_file
from torch import nn

from streamvace.bench.networks import RandomText
from streamvace.doctor.hardware import hardware_line
from streamvace.live.options import parse_size
from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.context import ContextBranch
from streamvace.model.quantize import native_dtype
from streamvace.model.specs import PipelineSpec, WanSize
from streamvace.model.transformer import CausalWan
from streamvace.model.wan_checkpoint import load_context, load_wan
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from streamvace.stream.loading import resolve_device
from streamvace.stream.stream_state import Networks

SMALL = WanSize(dim=24, ffn_dim=48, num_layers=2, num_heads=2, vace_layers=(0,), text_len=6, text_dim=8, freq_dim=16)


def write_random(module: type[CausalWan] | type[ContextBranch], size: WanSize, path: Path) -> int:
    """Write a file with a network's names and shapes in bf16, as published. Returns its size in bytes."""
    with torch.device("meta"):
        shapes = {name: each.shape for name, each in module(size).state_dict().items()}
    draw = torch.Generator().manual_seed(0)
    tensors = {
        f"model.{name}" if module is CausalWan else name: (0.02 * torch.randn(shape, generator=draw)).bfloat16()
        for name, shape in shapes.items()
    }
    save_file(tensors, path)
    return path.stat().st_size


def peak_bytes() -> int | None:
    """Peak main memory of this process; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def elapsed(seconds: float, before: int | None) -> str:
    """The time, and the growth of peak memory since `before`."""
    after = peak_bytes()
    grown = "" if before is None or after is None else f", peak memory +{(after - before) / 1e9:.2f} GB"
    return f"{seconds:.1f} s{grown}"


def load(spec: PipelineSpec, folder: Path, place: torch.device, dtype: torch.dtype) -> dict[str, nn.Module]:
    """The networks in `folder`, each timed separately."""
    made: dict[str, nn.Module] = {}
    for name, loader in (("transformer", load_wan), ("context", load_context)):
        before, begin = peak_bytes(), time.perf_counter()
        made[name] = loader(spec.size, folder / f"{name}.safetensors", place, dtype)
        # Memory-mapped pages count only when they are read, so read all of them, as a first chunk would.
        total = sum(float(parameter.sum()) for parameter in made[name].parameters())
        print(f"{name}: loaded and read in {elapsed(time.perf_counter() - begin, before)} (sum {total:.3g})")
    return made


def measure(
    given: argparse.Namespace, spec: PipelineSpec, place: torch.device, dtype: torch.dtype, folder: Path
) -> None:
    """Write random weights into the folder, load them, and run the chunks, each timed."""
    written = write_random(CausalWan, spec.size, folder / "transformer.safetensors")
    written += write_random(ContextBranch, spec.size, folder / "context.safetensors")
    print(f"{spec.name} and its VACE branch: {written / 1e9:.2f} GB of random weights written")
    networks = load(spec, folder, place, dtype)
    codec = TAEHV().to(place, dtype).eval().requires_grad_(False)
    wan, branch = networks["transformer"], networks["context"]
    assert isinstance(wan, CausalWan)
    assert isinstance(branch, ContextBranch)
    parts = Networks(wan=wan, branch=branch, codec=codec, text=RandomText(spec.size))
    size = parse_size(given.size) if given.size else spec.default_size
    generator = Generator(spec, parts, size, place, dtype)
    width, height = generator.size
    for index in range(given.chunks):
        control = np.zeros((generator.frames_wanted(), height, width, 3), np.uint8)
        control[:, height // 4 : height // 2] = 255
        before = peak_bytes()
        chunk = generator.step(ChunkInput("noise", control=control if given.control == "on" else None))
        stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in chunk.seconds.items() if stage != "total")
        total = elapsed(chunk.seconds["total"], before)
        print(f"chunk {index}: {len(chunk.frames)} frames of {width}x{height} in {total} ({stages})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="longlive", help="a pipeline, or self-forcing")
    parser.add_argument("--size", metavar="WxH")
    parser.add_argument("--chunks", type=int, default=1)
    parser.add_argument("--control", choices=("on", "off"), default="on")
    parser.add_argument("--network", choices=("real", "small"), default="real")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", choices=("native", "bf16"), default="bf16", help="bf16 halves memory on a CPU")
    given = parser.parse_args(arguments)

    spec, place = spec_of(given.pipeline), resolve_device(given.device)
    spec = spec if given.network == "real" else replace(spec, size=SMALL)
    dtype = torch.bfloat16 if given.dtype == "bf16" else native_dtype(place)
    print(hardware_line(place))
    with tempfile.TemporaryDirectory() as name:
        measure(given, spec, place, dtype, Path(name))
        gc.collect()  # the networks map their files, and Windows removes none that is mapped


if __name__ == "__main__":
    main()
