"""The noise of a stream: which numbers a seed stands for."""

from __future__ import annotations

import hashlib
import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import torch
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


class StreamNoise:
    """The noise of a stream, chunk by chunk: a function of seed and position only.

    share: share of the noise's power that is the same in all frames of the stream, drawn once per denoising step; 0 in
    Wan's pipelines.
    """

    def __init__(self, device: torch.device | str, share: float) -> None:
        self._own, self._common = torch.Generator(device), torch.Generator(device)
        self._share = share

    def begin_chunk(self, seed: int, position: int, rule: str = "hash") -> None:
        """See `seed_noise`."""
        seed_noise(self._own, rule, seed, position, Use.CHUNK)
        if self._share:
            seed_noise(self._common, rule, seed, 0, Use.STREAM)

    def draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """The next noise `[B, C, T, H, W]` of this chunk."""
        noise = draw_noise(shape, self._own, dtype)
        if self._share:
            common = draw_noise((*shape[:2], 1, *shape[3:]), self._common, dtype)
            noise = mix_noise(noise, common, self._share)
        return noise

    def draw_later(self, start: Tensor, steps: int) -> list[Tensor]:
        """The noise of the denoising steps after the first, like `start`; drawn before the first of `steps` begins."""
        return [self.draw(tuple(start.shape), start.dtype) for _ in range(steps - 1)]
