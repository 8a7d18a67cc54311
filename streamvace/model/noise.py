"""The noise of a stream: which numbers a seed stands for."""

from __future__ import annotations

import hashlib
import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Use(IntEnum):
    """What noise is for. Each use has noise of its own, so that a reference does not change the chunk's.

    The values are the distances of their seeds in the rule `sum`.
    """

    CHUNK = 0
    REFERENCES = 1 << 20
    STREAM = 1 << 31


_WORDS = slice(24, 24 + 8 * 624)
"""Bytes of the Mersenne twister's words, 64 bits each, in the state of torch's CPU generator."""


def _sum(seed: int, position: int, use: Use) -> int:
    return seed + position + use


def _hash(seed: int, position: int, use: Use) -> int:
    """64 bits that depend on every bit of all three. Of a seed beyond 64 bits, the lowest 64 count."""
    message = struct.pack("<QQQ", seed % (1 << 64), position, use)
    return int.from_bytes(hashlib.blake2b(message, digest_size=8).digest(), "little")


def _set_seed(generator: torch.Generator, key: int) -> None:
    """Seed a generator; on a CPU with the lowest 32 bits."""
    generator.manual_seed(key)


def _set_state(generator: torch.Generator, key: int) -> None:
    """Seed a generator with all 64 bits.

    torch's Mersenne twister reads 32 bits of a seed, too few for streams that share nothing: among 65,000 chunks, two
    are likely to be equal. The one of the standard library reads all bits, so its state is used.
    """
    generator.manual_seed(key)
    if generator.device.type == "cpu":
        state = generator.get_state()
        _, words, _ = random.Random(key).getstate()  # the last word is the index, which is as after seeding in both
        state[_WORDS].view(torch.int64).copy_(torch.tensor(words[:-1]))
        generator.set_state(state)


@dataclass(frozen=True)
class NoiseRule:
    """How noise follows from seed, position and use.

    key: the number of all three, the same on every device. start: seeds a generator with it.
    """

    key: Callable[[int, int, Use], int]
    start: Callable[[torch.Generator, int], None]


NOISE_RULES = {
    "hash": NoiseRule(_hash, _set_state),
    # As in the originals, and in shows logged by earlier versions. Seeds 42 and 45 are one stream, a chunk apart.
    "sum": NoiseRule(_sum, _set_seed),
}
"""By the names of `records.chunk.NOISE_RULES`."""


def seed_noise(generator: torch.Generator, rule: str, seed: int, position: int, use: Use) -> None:
    """Seed a generator for a chunk. rule: one of NOISE_RULES. position: latent frames generated so far."""
    how = NOISE_RULES[rule]
    how.start(generator, how.key(seed, position, use))


def draw_noise(shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Normal noise `[B, C, T, H, W]`, drawn frame by frame (`[B, T, C, H, W]`) as in the originals."""
    batch, channels, frames, height, width = shape
    noise = torch.randn(
        (batch, frames, channels, height, width), generator=generator, device=generator.device, dtype=dtype
    )
    return noise.transpose(1, 2)


def mix_noise(own: Tensor, common: Tensor, share: float) -> Tensor:
    """Normal noise with `share` of its power from `common` (broadcast to `own`): frames then agree on details that
    neither control nor prompt determines (PYoCo's mixed noise, Ge et al. 2023)."""
    return own * math.sqrt(1 - share) + common * math.sqrt(share)


@lru_cache(maxsize=4)
def noise_tile(channels: int, side: int) -> NDArray[np.float32]:
    """A fixed tile of normal noise `[C, side, side]`, the same for every stream and for training.

    A texture's place in the picture follows from neither control nor prompt. A network that starts from any noise
    would paint the mean of all places, which is flat. So the world's textures and this tile move together, and the
    network reads from the noise where in the texture a place is.
    """
    # RandomState is frozen by NumPy's policy (NEP 19): the same numbers in every version, unlike torch's.
    return np.random.RandomState(_TILE_SEED).standard_normal((channels, side, side)).astype(np.float32)


_TILE_SEED = 20261130
STEP = 2
"""Cells by which the tile moves: the side of a transformer token."""


def tile_at(place: tuple[int, int], shape: tuple[int, int, int], side: int) -> Tensor:
    """The tile, repeated, as seen from `place` (cells down, right): `[C, h, w]` for shape = (C, h, w)."""
    channels, height, width = shape
    rows, columns = np.arange(height) + place[0], np.arange(width) + place[1]
    # A new tensor each time: one that outlives a rehearsal without memory would not belong to the next.
    return torch.tensor(noise_tile(channels, side)[:, rows[:, None] % side, columns[None, :] % side])


def place_of(seed: int, side: int, rule: str = "hash") -> tuple[int, int]:
    """The part of the tile that a seed stands for: cells down and right, multiples of STEP."""
    key, places = NOISE_RULES[rule].key(seed, 0, Use.STREAM), side // STEP
    return STEP * (key % places), STEP * (key // places % places)


class StreamNoise:
    """The noise of a stream, chunk by chunk: a function of seed and position only.

    share: share of the noise's power that is the same in all frames of the stream and in all denoising steps; 0 in
    Wan's pipelines. tile: side of the `noise_tile` that it comes from, in cells.
    """

    def __init__(self, device: torch.device | str, share: float, tile: int) -> None:
        self._own = torch.Generator(device)
        self._share, self._tile = share, tile
        self._place = (0, 0)
        self._common: tuple[object, Tensor] | None = None

    def begin_chunk(self, seed: int, position: int, rule: str = "hash") -> None:
        """See `seed_noise`."""
        seed_noise(self._own, rule, seed, position, Use.CHUNK)
        if self._share:
            self._place = place_of(seed, self._tile, rule)

    def draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """The next noise `[B, C, T, H, W]` of this chunk."""
        noise = draw_noise(shape, self._own, dtype)
        if self._share:
            noise = mix_noise(noise, self._common_part((shape[1], shape[3], shape[4]), noise), self._share)
        return noise

    def _common_part(self, shape: tuple[int, int, int], like: Tensor) -> Tensor:
        """The tile `[1, C, 1, H, W]`, copied to the device of `like` only when place, shape or dtype change."""
        key = (self._place, shape, like.dtype)
        if self._common is None or self._common[0] != key:
            self._common = (key, tile_at(self._place, shape, self._tile).to(like)[None, :, None])
        return self._common[1]

    def draw_later(self, start: Tensor, steps: int) -> list[Tensor]:
        """The noise of the denoising steps after the first, like `start`; drawn before the first of `steps` begins."""
        return [self.draw(tuple(start.shape), start.dtype) for _ in range(steps - 1)]
