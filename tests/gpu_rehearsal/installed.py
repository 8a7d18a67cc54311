"""A published pipeline loaded onto a fake card by the code that ships, from files that have shapes and no values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from streamvace.model.context import ContextBranch
from streamvace.model.specs import PipelineSpec
from streamvace.model.transformer import CausalWan
from streamvace.models.check import CODECS
from tests.gpu_rehearsal.networks import NoText

VARIANTS = {"taehv": "taehv", "lighttae": "taehv-raw", "wan-vae": "wan", "lightvae": "wan-light"}
"""The variant of each codec of the manifest."""


def stored(spec: PipelineSpec, variant: str) -> dict[str, dict[str, tuple[int, ...]]]:
    """Shapes by name of every file of a pipeline. variant: of the codec. Call it outside of a FakeCard."""
    with torch.device("meta"):
        parts = {"transformer": CausalWan(spec.size), "context": ContextBranch(spec.size), "codec": CODECS[variant]()}
    return {kind: {name: tuple(each.shape) for name, each in part.state_dict().items()} for kind, part in parts.items()}


class Shapes:
    """`StoredTensors` without a file: every tensor is bf16 and empty."""

    def __init__(self, files: Mapping[str, Mapping[str, tuple[int, ...]]], path: Path, device: Any = "cpu") -> None:
        self.name, self.shapes, self._device = path.name, files[path.name], device

    def get(self, name: str) -> Tensor:
        return torch.empty(self.shapes[name], dtype=torch.bfloat16, device=self._device)

    def __enter__(self) -> Shapes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class EightBit(nn.Linear):
    """What torchao makes of a linear layer: a weight of one byte, and a scale for each row.

    Kernels that unpack a weight for its product are left out: one matrix at a time, below 1 % of a whole network.
    """

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = x.new_empty((*x.shape[:-1], self.out_features)) * self.scale + self.bias  # type: ignore[operator]
        return made


def quantize_(module: nn.Module, config: torch.dtype, filter_fn: Callable[[nn.Module, str], bool]) -> None:
    """torchao's function, one layer after the other. config: the dtype of the weights."""
    for name, each in module.named_modules():
        if filter_fn(each, name):
            each.scale = nn.Parameter(each.weight.abs().amax(1), requires_grad=False)
            each.weight = nn.Parameter(each.weight.to(config), requires_grad=False)
            each.__class__ = EightBit


TORCHAO = SimpleNamespace(
    quantize_=quantize_,
    Int8WeightOnlyConfig=lambda: torch.int8,
    PerRow=lambda: "row",
    PerTensor=lambda: "tensor",
    Float8DynamicActivationFloat8WeightConfig=lambda granularity: torch.float8_e4m3fn,
)


def to(module: nn.Module, *where: Any) -> nn.Module:
    """`nn.Module.to`, which swaps the contents of fake parameters and fails when anything else knows them."""
    for owner in module.modules():
        for name, each in owner.named_parameters(recurse=False):
            setattr(owner, name, nn.Parameter(each.to(*where), requires_grad=False))
    return module


@contextmanager
def installed(spec: PipelineSpec, files: Mapping[str, Mapping[str, tuple[int, ...]]]) -> Iterator[None]:
    """Within it, `load_generator(spec.name, ...)` finds these files. Enter it inside of a FakeCard."""
    names = ("transformer", "context", "codec", "text", "tokenizer")

    def module(name: str) -> Any:
        return TORCHAO if name == "torchao.quantization" else import_module(name)

    replaced = {
        "streamvace.stream.loading.pipeline": lambda name: spec,
        "streamvace.stream.loading.set_up_cuda": lambda dtype: None,
        "streamvace.stream.loading.prove_quantised": lambda *_: None,
        "streamvace.models.manifest.installed": lambda name, codec: {kind: Path(kind) for kind in names},
        "streamvace.stream.wan_loading.StoredTensors": lambda path: Shapes(files, path),
        "streamvace.stream.wan_loading.UMT5TextEncoder": lambda *_, **__: NoText(spec.size),
        "streamvace.model.checkpoint.StoredTensors": lambda path, device="cpu": Shapes(files, path, device),
        "streamvace.model.quantize.import_module": module,
        "streamvace.model.home.Home._lock": lambda home: None,
        "torch.nn.Module.to": to,
    }
    with ExitStack() as stack:
        for place, stand_in in replaced.items():
            stack.enter_context(patch(place, stand_in))
        yield
