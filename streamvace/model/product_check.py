"""16-bit matrix products and convolutions of a processor, compared with fp32 before they are used.

oneDNN in torch 2.13 computes some bf16 convolutions wrong on processors with AMX: 12 -> 32 channels, kernel 16, stride
16 is off by 117 %. Most shapes are right, so every distinct layer is tried once, when the weights are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from streamvace.model.patches import PatchEmbedding

LIMIT = 0.02
"""Largest relative error (root mean square) of a right layer. Rounding the result to bf16 gives 0.002, fp16 less; the
wrong kernels are off by more than a half."""

ROWS = 64
"""Rows of a linear layer's trial input: enough for the blocked kernels, and quick with the widest layers."""

Layer = nn.Linear | nn.Conv2d | nn.Conv3d


def use_right_products(*modules: nn.Module) -> list[str]:
    """Make the 16-bit layers that differ from fp32 compute in fp32. Returns a description of each distinct one.

    Changes the modules in place. For processors: on a GPU the fp32 copies might not fit beside the model.
    """
    verdicts: dict[tuple[Any, ...], float] = {}
    wrong: dict[str, float] = {}
    for layer in _layers(modules):
        key = _kind(layer)
        if key not in verdicts:
            verdicts[key] = relative_error(layer)
        if verdicts[key] > LIMIT:
            compute_in_fp32(layer)
            wrong[_words(layer)] = verdicts[key]
    return [f"{words} differs by {error:.0%} and runs in fp32" for words, error in wrong.items()]


def relative_error(layer: Layer) -> float:
    """Root mean square of the layer's error against fp32, relative to the right result; on normal input."""
    source = torch.Generator().manual_seed(0)
    given = torch.randn(_trial_shape(layer), generator=source).to(layer.weight.dtype)
    with torch.inference_mode():
        found = layer(given).float()
        right: Tensor = deepcopy(layer).float()(given.float())
    return float((found - right).norm() / right.norm().clamp_min(1e-12))


def compute_in_fp32(layer: Layer) -> None:
    """Convert the layer to fp32 behind an interface that takes and returns its 16-bit dtype."""
    dtype = layer.weight.dtype
    layer.float()
    layer.register_forward_pre_hook(lambda _, inputs: tuple(each.float() for each in inputs))
    layer.register_forward_hook(lambda _, __, output: output.to(dtype))


def _layers(modules: tuple[nn.Module, ...]) -> Iterator[Layer]:
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, Layer) and layer.weight.dtype in (torch.bfloat16, torch.float16):
                yield layer


def _kind(layer: Layer) -> tuple[Any, ...]:
    """What chooses the kernel."""
    common = (type(layer), tuple(layer.weight.shape), layer.weight.dtype, layer.weight.stride(), layer.bias is None)
    if isinstance(layer, nn.Linear):
        return common
    return (*common, layer.stride, layer.padding, layer.dilation, layer.groups)


def _trial_shape(layer: Layer) -> tuple[int, ...]:
    if isinstance(layer, nn.Linear):
        return (ROWS, layer.in_features)
    # Four positions of the kernel on each axis.
    sides = (k + 3 * s for k, s in zip(layer.kernel_size, layer.stride, strict=True))
    return (1, layer.in_channels, *sides)


def _words(layer: Layer) -> str:
    if isinstance(layer, nn.Linear):
        return f"linear {layer.in_features} -> {layer.out_features}"
    if isinstance(layer, PatchEmbedding):
        return f"patch embedding {layer.in_channels} -> {layer.out_channels}"
    sizes = "kernel {}, stride {}".format(*("x".join(map(str, each)) for each in (layer.kernel_size, layer.stride)))
    return f"convolution {layer.in_channels} -> {layer.out_channels}, {sizes}"
