"""RAFT, the small one (Teed and Deng 2020): dense optical flow from the likeness of all pairs of places, step by step.

Parameters are named and used as in torchvision's `raft_small`, whose weights it takes. torchvision itself is no
dependency: each of its packages fits one build of torch, and beside another (PyPI's beside a torch for processors)
importing it fails, and transformers, which finds it installed, with it: the show would lose its text encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

CELL = 8
"""Pixels a side of what one feature describes: both sides of a picture are multiples of it."""

SMALLEST = 128
"""Pixels a side below which the coarsest likeness has a single row, which can't be read between rows."""

_LEVELS, _RADIUS = 4, 3
"""Likeness is kept at that many halvings, and read in a square of that radius around where a place has come so far."""

_FEATURES, _HIDDEN, _CONTEXT, _MOTION = 128, 96, 64, 82
"""Channels: of what is compared; of the state that steps carry on; of what they know of the picture; of the motion."""


class Seen(NamedTuple):
    """One picture, encoded. features: `[1, 128, h, w]`; context: `[1, 160, h, w]`, state and context of the steps."""

    features: Tensor
    context: Tensor


Norm = Callable[[int], nn.Module]


def _nothing(_width: int) -> nn.Module:
    return nn.Identity()


def _conv(inputs: int, outputs: int, size: int, stride: int, *behind: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2), *behind)


class _Bottleneck(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm) -> None:
        super().__init__()
        inner = outputs // 4
        self.convnormrelu1 = _conv(inputs, inner, 1, 1, norm(inner), nn.ReLU())
        self.convnormrelu2 = _conv(inner, inner, 3, stride, norm(inner), nn.ReLU())
        self.convnormrelu3 = _conv(inner, outputs, 1, 1, norm(outputs), nn.ReLU())
        self.downsample = nn.Identity() if stride == 1 else _conv(inputs, outputs, 1, stride, norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.downsample(x) + self.convnormrelu3(self.convnormrelu2(self.convnormrelu1(x))))


class _Encoder(nn.Module):
    def __init__(self, outputs: int, norm: Norm) -> None:
        super().__init__()

        def two(inputs: int, width: int, stride: int) -> nn.Sequential:
            return nn.Sequential(_Bottleneck(inputs, width, stride, norm), _Bottleneck(width, width, 1, norm))

        self.convnormrelu = _conv(3, 32, 7, 2, norm(32), nn.ReLU())
        self.layer1, self.layer2, self.layer3 = two(32, 32, 1), two(32, 64, 2), two(64, 96, 2)
        self.conv = nn.Conv2d(96, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        encoded: Tensor = self.conv(self.layer3(self.layer2(self.layer1(self.convnormrelu(x)))))
        return encoded


class _MotionEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convcorr1 = _conv(_LEVELS * (2 * _RADIUS + 1) ** 2, 96, 1, 1, nn.ReLU())
        self.convflow1 = _conv(2, 64, 7, 1, nn.ReLU())
        self.convflow2 = _conv(64, 32, 3, 1, nn.ReLU())
        self.conv = _conv(96 + 32, _MOTION - 2, 3, 1, nn.ReLU())

    def forward(self, flow: Tensor, likeness: Tensor) -> Tensor:
        both = torch.cat([self.convcorr1(likeness), self.convflow2(self.convflow1(flow))], 1)
        return torch.cat([self.conv(both), flow], 1)


class _ConvGru(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inputs = _HIDDEN + _CONTEXT + _MOTION
        self.convz = nn.Conv2d(inputs, _HIDDEN, 3, padding=1)
        self.convr = nn.Conv2d(inputs, _HIDDEN, 3, padding=1)
        self.convq = nn.Conv2d(inputs, _HIDDEN, 3, padding=1)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        both = torch.cat([state, x], 1)
        renewed, kept = torch.sigmoid(self.convz(both)), torch.sigmoid(self.convr(both))
        return torch.lerp(state, torch.tanh(self.convq(torch.cat([kept * state, x], 1))), renewed)


class _FlowHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_HIDDEN, 128, 3, padding=1)
        self.conv2 = nn.Conv2d(128, 2, 3, padding=1)

    def forward(self, state: Tensor) -> Tensor:
        step: Tensor = self.conv2(functional.relu(self.conv1(state)))
        return step


class _Update(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.motion_encoder = _MotionEncoder()
        self.recurrent_block = nn.ModuleDict({"convgru1": _ConvGru()})
        self.flow_head = _FlowHead()

    def forward(self, state: Tensor, context: Tensor, likeness: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([context, self.motion_encoder(flow, likeness)], 1)
        state = self.recurrent_block["convgru1"](state, x)
        return state, self.flow_head(state)


class RaftSmall(nn.Module):
    """The network, untrained."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_encoder = _Encoder(_FEATURES, nn.InstanceNorm2d)
        self.context_encoder = _Encoder(_HIDDEN + _CONTEXT, _nothing)
        self.update_block = _Update()

    def encode(self, picture: Tensor) -> Seen:
        """picture: `[1, 3, H, W]` in -1..1, both sides at least 128 and multiples of 8."""
        return Seen(self.feature_encoder(picture), self.context_encoder(picture))

    def flow(self, first: Seen, second: Seen, steps: int) -> Tensor:
        """Where everything of the first picture is in the second: `[1, 2, H, W]` pixels, x to the right, y down."""
        pyramid = _likeness(first.features, second.features)
        state, context = torch.tanh(first.context[:, :_HIDDEN]), functional.relu(first.context[:, _HIDDEN:])
        height, width = state.shape[-2:]
        rows = torch.arange(height, device=state.device, dtype=state.dtype)
        columns = torch.arange(width, device=state.device, dtype=state.dtype)
        start = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))[None]
        flow = torch.zeros_like(start)
        for _ in range(steps):
            state, step = self.update_block(state, context, _read(pyramid, start + flow), flow)
            flow = flow + step
        return CELL * functional.interpolate(flow, scale_factor=CELL, mode="bilinear", align_corners=True)


def _likeness(first: Tensor, second: Tensor) -> list[Tensor]:
    """How much each place of the first picture is like each of the second: `[h*w, 1, h, w]`, and its halvings."""
    _, channels, height, width = first.shape
    every = first.flatten(2)[0].T @ second.flatten(2)[0] / channels**0.5
    pyramid = [every.reshape(height * width, 1, height, width)]
    for _ in range(_LEVELS - 1):
        pyramid.append(functional.avg_pool2d(pyramid[-1], 2))
    return pyramid


def _read(pyramid: list[Tensor], places: Tensor) -> Tensor:
    """The likeness around each place `[1, 2, h, w]`, of every level: `[1, 4 * 49, h, w]`."""
    height, width = places.shape[-2:]
    steps = torch.arange(-_RADIUS, _RADIUS + 1, device=places.device, dtype=places.dtype)
    around = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)
    middle = places[0].permute(1, 2, 0).reshape(-1, 1, 1, 2)
    read = []
    for level, likeness in enumerate(pyramid):
        size = torch.tensor([likeness.shape[3] - 1, likeness.shape[2] - 1], device=places.device, dtype=places.dtype)
        at = 2 * (middle / 2**level + around) / size - 1
        sampled = functional.grid_sample(likeness, at, mode="bilinear", align_corners=True)
        read.append(sampled.reshape(height, width, -1))
    return torch.cat(read, -1).permute(2, 0, 1)[None].contiguous()


def load_raft(path: Path, device: str) -> RaftSmall:
    """The network with the weights of a safetensors file, ready to look. Raises UserError for another network's."""
    network = RaftSmall()
    try:
        network.load_state_dict(load_file(str(path)), strict=True)
    except (SafetensorError, OSError, RuntimeError) as error:
        first = " ".join(str(error).split())[:200]
        raise UserError(
            f"{path} is not RAFT's small network: {first}; `{command('models pull vision --again')}`"
        ) from error
    return network.to(device).eval()
