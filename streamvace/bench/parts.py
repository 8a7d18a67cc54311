"""The parts of a measurement, most valuable first. Each runs in a process of its own, with a limit."""

from __future__ import annotations

import platform
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from streamvace.bench.fidelity import CHUNKS, fidelity_rows
from streamvace.bench.networks import make_generator, random_lora
from streamvace.bench.setup import Figures, Setup, SkippedPart
from streamvace.bench.timing import chunk_figures, measure_pipeline, profile, run_chunks, settle
from streamvace.doctor.hardware import hardware_line
from streamvace.model.attention import KERNELS, AttentionShape, Kernel, fault_of, sdpa
from streamvace.model.specs import WAN_1_3B, pipeline
from streamvace.parity.report import HALF_TOLERANCE, Report
from streamvace.records.model_options import LoraChoice, ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.lane import SameLane
from streamvace.stream.loading import captured_passes

LIBRARIES = ("torch", "triton", "triton-windows", "torchao", "sageattention", "flash-attn", "numpy")


@dataclass(frozen=True)
class Part:
    """One part.

    limit_s: seconds after which it is ended. pipeline, size: instead of the setup's. options: fields of ModelOptions.
    others: fields of ChunkInput. card: it runs on CUDA cards only. for_users: `streamvace bench` runs it too.
    """

    name: str
    title: str
    run: Callable[[Part, Setup], Figures]
    limit_s: float = 900
    pipeline: str = ""
    size: tuple[int, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    card: bool = False
    for_users: bool = False

    def model(self, setup: Setup, **more: Any) -> ModelOptions:
        """The part's options on the setup's device."""
        return replace(ModelOptions(device=setup.device), **dict(self.options), **more)

    def subject(self, setup: Setup) -> tuple[str, tuple[int, int]]:
        """Pipeline and size."""
        name = self.pipeline or setup.pipeline
        return name, self.size or (pipeline(name).default_size if self.pipeline else setup.size)


def table_7(part: Part, setup: Setup) -> Figures:
    """Fidelity of depth control and inpainting."""
    name, size = part.subject(setup)
    generator, weights = make_generator(name, size, part.model(setup))
    return {"rows": fidelity_rows(generator, weights, setup.device), "chunks": CHUNKS, "weights": weights}


def versions(part: Part, setup: Setup) -> Figures:
    """Hardware and libraries."""
    device = torch.device(setup.device)
    found: Figures = {"hardware": hardware_line(device), "system": platform.platform()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    found["torch"] = str(torch.__version__)  # names the build (+cpu), which the package's own number may leave out
    if setup.on_card:
        card = torch.cuda.get_device_properties(device)
        found |= {"CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
        found |= {"capability": f"{card.major}.{card.minor}", "multiprocessors": card.multi_processor_count}
    return found


def parity(part: Part, setup: Setup) -> Figures:
    """Recorded tensors replayed on the device."""
    from streamvace.parity.cli import replay_file

    if setup.goldens is None:
        raise SkippedPart("no folder of recorded tensors: give one with --goldens")
    rows: list[Figures] = []
    sidecars = sorted(path for path in Path(setup.goldens).glob("*.json") if path.with_suffix(".safetensors").exists())
    if not sidecars:
        raise SkippedPart(f"no recorded tensors in {setup.goldens}")
    for dtype in (torch.float32, torch.bfloat16):
        for path in sidecars:
            try:
                report = replay_file(path, torch.device(setup.device), dtype)
            except RuntimeError as error:  # an operation that the device lacks in 16 bits; the other recordings go on
                rows.append({"recording": path.stem, "precision": str(dtype).removeprefix("torch."),
                             "verdict": f"does not run here: {' '.join(str(error).split())[:80]}"})  # fmt: skip
                continue
            if report is None or report.defect or not report.compared:
                continue
            rows.append({"recording": path.stem, "precision": str(dtype).removeprefix("torch.")}
                        | (_exact(report) if dtype == torch.float32 else _rounded(report)))  # fmt: skip
    return {"rows": rows}


def _exact(report: Report) -> Figures:
    """The largest absolute difference in fp32."""
    kind, difference, tolerance = report.closest()
    verdict = "equal" if report.passed else "DIFFERS"
    return {"of": kind, "difference": difference, "tolerance": tolerance, "verdict": verdict}


def _rounded(report: Report) -> Figures:
    """The largest difference in 16 bits, relative to the size of the values."""
    kind = max(report.relative, key=lambda each: report.relative[each])
    verdict = "equal but for rounding" if report.near else "DIFFERS"
    found = f"{report.relative[kind]:.2%} of the values"
    return {"of": kind, "difference": found, "tolerance": f"{HALF_TOLERANCE:.0%}", "verdict": verdict}


def synchronisations(part: Part, setup: Setup) -> Figures:
    """Places that wait for the card within one steady chunk."""
    name, size = part.subject(setup)
    generator, _ = measure_pipeline(name, size, part.model(setup), 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run_chunks(generator, 1)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    seen: dict[str, int] = {}
    for each in caught:
        if "synchroniz" in str(each.message):
            place = f"{Path(each.filename).name}:{each.lineno}"
            seen[place] = seen.get(place, 0) + 1
    return {"count": sum(seen.values()), "rows": [{"line": line, "times": times} for line, times in seen.items()]}


SHAPE = AttentionShape(2760, 11040, WAN_1_3B.num_heads, WAN_1_3B.head_dim)
"""Of a steady LongLive chunk at 640x368."""

SMALL_SHAPE = AttentionShape(192, 384, 3, 64)
"""Of the embedded model, for processors."""


def attention(part: Part, setup: Setup) -> Figures:
    """Every backend of PyTorch and every optional kernel, on one shape."""
    device = torch.device(setup.device)
    shape, dtype = (SHAPE, torch.bfloat16) if setup.on_card else (SMALL_SHAPE, torch.float32)
    backends = (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    rows = []
    for backend in backends:
        rows.append({"kernel": f"SDPA, {backend.name.lower()}"} | _tried(_only(backend), device, dtype, shape, 0.01))
    for row in KERNELS:
        entry: Figures = {"kernel": row.name}
        capability = torch.cuda.get_device_capability(device)[0] if setup.on_card else 0
        if capability not in row.capabilities:
            entry["verdict"] = f"not for capability {capability}.x" if setup.on_card else "needs a CUDA card"
        else:
            try:
                entry |= _tried(row.load(), device, dtype, shape, row.limit)
            except ImportError:
                entry["verdict"] = "not installed"
        rows.append(entry)
    return {"shape": f"{shape.queries} x {shape.keys}, {shape.heads} heads of {shape.head_dim}", "rows": rows}


def _only(backend: SDPBackend) -> Kernel:
    def kernel(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        with sdpa_kernel(backend):
            return sdpa(q, k, v)

    return kernel


def _tried(
    kernel: Kernel, device: torch.device, dtype: torch.dtype, shape: AttentionShape, limit: float
) -> dict[str, Any]:
    """Milliseconds (median of 20) and TFLOP/s of a kernel, and whether it agrees with SDPA."""
    try:
        fault = fault_of(kernel, device, dtype, shape, limit)
        q = torch.randn(1, shape.queries, shape.heads, shape.head_dim, device=device, dtype=dtype)
        k, v = torch.randn(2, 1, shape.keys, shape.heads, shape.head_dim, device=device, dtype=dtype).unbind(0)
        spent = []
        for _ in range(23):
            _wait(device)
            begun = time.perf_counter()
            kernel(q, k, v)
            _wait(device)
            spent.append(time.perf_counter() - begun)
    except RuntimeError as error:
        return {"verdict": f"does not run here: {' '.join(str(error).split())[:80]}"}
    seconds = statistics.median(spent[3:])
    flops = 4 * shape.queries * shape.keys * shape.heads * shape.head_dim
    return {"ms": round(1000 * seconds, 4), "tflops": round(flops / seconds / 1e12, 3), "verdict": fault or "agrees"}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def chunk(part: Part, setup: Setup) -> Figures:
    """Steady chunks with control."""
    name, size = part.subject(setup)
    return measure_pipeline(name, size, part.model(setup), setup.chunks, part.others)[1]


def profiled(part: Part, setup: Setup) -> Figures:
    """One steady chunk by operation."""
    name, size = part.subject(setup)
    generator, _ = measure_pipeline(name, size, part.model(setup), 1)
    return profile(generator)


def hint_reuse(part: Part, setup: Setup) -> Figures:
    """Hints computed at every step, every second step, and once."""
    name, size = part.subject(setup)
    generator, _ = measure_pipeline(name, size, part.model(setup), 1)
    rows = []
    for every in (1, 2, len(generator.spec.steps)):
        run_chunks(generator, 1, others={"hint_reuse": every})
        figures = chunk_figures(run_chunks(generator, setup.chunks, others={"hint_reuse": every}))
        rows.append({"hints every N steps": every} | _flat(figures))
    return {"rows": rows}


def streams(part: Part, setup: Setup) -> Figures:
    """Pictures encoded and decoded on a stream beside the networks, and in one order with them.

    median_ms: until a chunk's pictures are here. throughput_ms: a chunk's share of the time of all, with the passes
    that go on behind its pictures.
    """
    name, size = part.subject(setup)
    loaded, _ = make_generator(name, size, part.model(setup))
    rows = []
    for words, lane in (("two streams", None), ("one stream", SameLane())):
        graphs = captured_passes(loaded.device, part.model(setup))
        generator = Generator(loaded.spec, loaded.networks, size, loaded.device, loaded.dtype, graphs=graphs, lane=lane)
        if generator.warms_up:
            generator.warm_up()
        settle(generator)
        _wait(loaded.device)
        begun = time.perf_counter()
        figures = chunk_figures(run_chunks(generator, setup.chunks))
        _wait(loaded.device)
        whole = round(1000 * (time.perf_counter() - begun) / setup.chunks, 2)
        rows.append({"order": words, "throughput_ms": whole} | _flat(figures))
    return {"rows": rows}


def offload(part: Part, setup: Setup) -> Figures:
    """A chunk without the context branch on the card, the first chunk after control returns, and the next ones."""
    name, size = part.subject(setup)
    generator, figures = measure_pipeline(name, size, part.model(setup), 1)
    rows: list[Figures] = []
    away = run_chunks(generator, setup.chunks, ())
    rows.append({"state": "branch in main memory"} | _flat(chunk_figures(away[-max(1, len(away) - 5) :])))
    begun = time.perf_counter()
    run_chunks(generator, 1)
    rows.append({"state": "the chunk that fetches it", "median_ms": round(1000 * (time.perf_counter() - begun), 2)})
    rows.append({"state": "branch on the card"} | _flat(chunk_figures(run_chunks(generator, setup.chunks))))
    return {"rows": rows, "peak_gb": figures.get("peak_gb")}


@dataclass(frozen=True)
class Mode:
    """A row of the paper's tables 5 and 6: pictures of each chunk. lora: with a side LoRA under the mask."""

    name: str
    pictures: tuple[str, ...]
    lora: bool = False


MODES = (
    Mode("no control", ()),
    Mode("depth or scribble", ("control",)),
    Mode("layout or trajectory", ("control",)),
    Mode("inpainting", ("control", "mask")),
    Mode("extension (first frame)", ("first_frame",)),
    Mode("references", ("references",)),
    Mode("inpainting + LoRA", ("control", "mask"), lora=True),
)
"""What makes the controls (depth, scribble, boxes) runs in another process and is not in these clocks. So a layout is
the same work as depth here. The paper's takes longer, and this row is there to be compared with it."""


def modes(part: Part, setup: Setup) -> Figures:
    """The paper's configurations: mean time of a chunk, mean and peak frames per second."""
    name, size = part.subject(setup)
    with TemporaryDirectory() as folder:
        lora = LoraChoice(random_lora(pipeline(name), Path(folder) / "lora.safetensors"), mode="side")
        rows = []
        for with_lora in (False, True):
            loras = (lora,) if with_lora else ()
            generator, _ = measure_pipeline(name, size, part.model(setup, loras=loras), 1)
            for mode in (each for each in MODES if each.lora == with_lora):
                region = {"lora_region": "mask"} if with_lora else {}
                run_chunks(generator, 2, mode.pictures, region)
                figures = chunk_figures(run_chunks(generator, setup.chunks, mode.pictures, region))
                rows.append({"configuration": mode.name, "mean_ms": round(1000 * figures["frames"] / figures["fps"], 1)}
                            | _flat(figures))  # fmt: skip
            del generator
    return {"rows": rows, "pipeline": name, "size": "{}x{}".format(*size)}


def _flat(figures: Figures) -> Figures:
    return {name: figures[name] for name in ("median_ms", "p95_ms", "fps", "peak_fps")}


COMPILED = {"compile": "blocks"}
OFF = {"cuda_graphs": "off"}
KREA_SIZE = (576, 320)
"""Of the paper's table 6."""

PARTS = (
    Part("versions", "Versions", versions, 300, for_users=True),
    Part("parity", "Recorded tensors on the device", parity, 1800),
    Part("synchronisations", "Synchronisations in a steady chunk", synchronisations, card=True),
    Part("attention", "Attention", attention, 600, for_users=True),
    Part("chunk", "Steady chunk with control", chunk, for_users=True),
    Part("profile", "Profile of a chunk, without graphs", profiled, options=OFF),
    Part("modes", "Table 5: configurations", modes, 1800, for_users=True),
    Part("fidelity", "Table 7: fidelity of depth control and inpainting", table_7),
    Part("eager", "Without CUDA graphs", chunk, options=OFF, card=True),
    Part("compiled", "Blocks compiled", chunk, 1800, options=COMPILED, card=True),
    Part("compiled step", "Passes compiled", chunk, 1800, options={"compile": "step"}, card=True),
    Part("int8", "8-bit weights (int8)", chunk, options={"precision": "int8"}, for_users=True),
    Part("fp8", "8-bit products (fp8)", chunk, options={"precision": "fp8"}, card=True, for_users=True),
    Part("fp8 compiled", "fp8, compiled", chunk, 1800, options={"precision": "fp8"} | COMPILED, card=True),
    Part("wan vae", "Wan VAE instead of TAEHV", chunk, options={"codec": "wan-vae"}, card=True),
    Part("streams", "Second stream on and off", streams, card=True),
    Part("hint reuse", "Hint reuse", hint_reuse),
    Part("offload", "Context branch offloaded", offload, options={"offload": "context"}, card=True),
    Part("memflow", "MemFlow", chunk, pipeline="memflow", card=True),
    Part("reward-forcing", "Reward Forcing", chunk, pipeline="reward-forcing", card=True),
    Part("streamdiffusionv2", "StreamDiffusionV2", chunk, pipeline="streamdiffusionv2", card=True),
    Part("krea-realtime", "Krea Realtime 14B", chunk, 1800, pipeline="krea-realtime", size=KREA_SIZE, card=True),
    Part("krea modes", "Table 6: configurations of Krea Realtime 14B", modes, 2700, pipeline="krea-realtime",
         size=KREA_SIZE, card=True),
    Part("krea int8", "Krea Realtime 14B, int8", chunk, 1800, pipeline="krea-realtime", size=KREA_SIZE, card=True,
         options={"precision": "int8"}),
)  # fmt: skip
"""In this order: what runs first is worth most if the time ends early."""


def part_named(name: str) -> Part:
    """The part of this name."""
    return next(part for part in PARTS if part.name == name)


def run_part(name: str, setup: Setup) -> Figures:
    """Raises SkippedPart where it cannot run, and whatever the measured code raises."""
    part = part_named(name)
    if part.card:
        setup.need_card()
    return part.run(part, setup)
