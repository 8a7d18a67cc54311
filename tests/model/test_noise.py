"""Which noise a seed stands for."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.model.noise import NOISE_RULES, StreamNoise, Use, draw_noise, seed_noise
from streamvace.records.chunk import NOISE_RULES as NAMES
from streamvace.records.chunk import ChunkInput

SHAPE = (1, 8, 3, 64, 64)


def drawn(share: float, position: int, seed: int = 5, rule: str = "hash") -> list[torch.Tensor]:
    noise = StreamNoise("cpu", share)
    noise.begin_chunk(seed, position, rule)
    return [noise.draw(SHAPE, torch.float32) for _ in range(2)]


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one * other).mean())


def first_numbers(seed: int, position: int, use: Use = Use.CHUNK) -> tuple[int, ...]:
    """128 bits of a chunk's noise, before they are made normal."""
    generator = torch.Generator()
    seed_noise(generator, "hash", seed, position, use)
    return tuple(torch.randint(1 << 32, (4,), generator=generator).tolist())


def test_by_the_old_rule_the_noise_is_what_the_originals_draw() -> None:
    generator = torch.Generator().manual_seed(5 + 6)
    for noise in drawn(0.0, 6, rule="sum"):
        assert torch.equal(noise, draw_noise(SHAPE, generator, torch.float32))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_frames_of_a_stream_share_so_much_of_their_noise_and_steps_share_none(share: float) -> None:
    first, second = drawn(share, 0)
    later, _ = drawn(share, 3)
    assert float(first.square().mean()) == pytest.approx(1, abs=0.03)
    assert alike(first[:, :, 0], first[:, :, 2]) == pytest.approx(share, abs=0.03)
    assert alike(first[:, :, 0], later[:, :, 1]) == pytest.approx(share, abs=0.03)
    assert alike(first, second) == pytest.approx(0, abs=0.03)


def test_noise_is_a_function_of_seed_and_position() -> None:
    assert all(map(torch.equal, drawn(0.5, 3), drawn(0.5, 3)))
    for other in (drawn(0.5, 6), drawn(0.5, 3, seed=6)):
        assert not torch.equal(drawn(0.5, 3)[0], other[0])
    assert alike(drawn(0.9, 3)[0], drawn(0.9, 3, seed=6)[0]) == pytest.approx(0, abs=0.03)


def test_neighbouring_seeds_share_nothing_at_any_time() -> None:
    """By the old rule, seed 42 shows a chunk later what seed 45 shows now."""
    assert torch.equal(drawn(0.0, 3, 42, "sum")[0], drawn(0.0, 0, 45, "sum")[0])
    chunks = {first_numbers(seed, position) for seed in range(40, 60) for position in range(0, 300, 3)}
    assert len(chunks) == 20 * 100
    chunks |= {first_numbers(seed, position, use) for seed in range(40, 60) for position, use in REFERENCED}
    assert len(chunks) == 20 * (100 + len(REFERENCED))


REFERENCED = [(0, Use.STREAM), *((position, Use.REFERENCES) for position in range(0, 30, 3))]

SEEDS = st.integers(0, (1 << 64) - 1)
POSITIONS = st.integers(0, 1 << 30)


@settings(max_examples=300)
@given(SEEDS, SEEDS, POSITIONS, POSITIONS)
def test_no_two_chunks_have_the_same_number(one: int, other: int, here: int, there: int) -> None:
    key = NOISE_RULES["hash"].key
    same = (one, here) == (other, there)
    assert (key(one, here, Use.CHUNK) == key(other, there, Use.CHUNK)) == same
    assert key(one, here, Use.CHUNK) != key(one, here + 1, Use.CHUNK)
    assert key(one, here, Use.CHUNK) != key(one ^ 1 << 63, here, Use.CHUNK)
    assert key(one - (1 << 64), here, Use.CHUNK) == key(one, here, Use.CHUNK), "a negative seed is its 64 bits"


@pytest.mark.parametrize("bit", [0, 31, 32, 63])
def test_every_bit_of_the_number_changes_the_noise(bit: int) -> None:
    """torch's own CPU generator reads 32 bits. The truth is the Mersenne twister of the standard library."""
    key, twister, generator = 1 << bit, random.Random(1 << bit), torch.Generator()
    NOISE_RULES["hash"].start(generator, key)
    # torch builds a number from two draws and keeps the low bits: the second draw.
    wanted = [(twister.getrandbits(32), twister.getrandbits(32))[1] for _ in range(700)]
    assert torch.randint(1 << 31, (700,), generator=generator).tolist() == [number % (1 << 31) for number in wanted]


@pytest.mark.parametrize("seed", [0, 42, (1 << 64) - 1])
def test_noise_is_normal(seed: int) -> None:
    (noise, _) = drawn(0.5, 0, seed)
    values = noise.flatten().sort().values
    quantiles = (torch.arange(len(values)) + 0.5) / len(values)
    normal = torch.distributions.Normal(0, 1).cdf(values)
    # Kolmogorov's distance; the frames share noise, so fewer numbers are independent than there are.
    assert float((normal - quantiles).abs().max()) < 2 / (len(values) / 3) ** 0.5


def test_another_process_draws_the_same() -> None:
    program = (
        "import torch; from streamvace.model.noise import *; noise = StreamNoise('cpu', 0.5);"
        "noise.begin_chunk(42, 6); print(noise.draw((1, 2, 1, 2, 2), torch.float32).double().flatten().tolist())"
    )
    noise = StreamNoise("cpu", 0.5)
    noise.begin_chunk(42, 6)
    here = noise.draw((1, 2, 1, 2, 2), torch.float32).double().flatten().tolist()
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert there.strip() == str(here)


def test_every_rule_has_its_row_and_the_newest_is_the_default() -> None:
    assert tuple(NOISE_RULES) == NAMES
    assert ChunkInput("").noise_rule == NAMES[0]
