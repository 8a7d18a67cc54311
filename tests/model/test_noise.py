"""Which noise a seed stands for."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.model.noise import (
    NOISE_RULES,
    STEP,
    StreamNoise,
    Use,
    draw_noise,
    noise_tile,
    place_of,
    seed_noise,
    tile_at,
)
from streamvace.records.chunk import NOISE_RULES as NAMES
from streamvace.records.chunk import ChunkInput

SHAPE = (1, 8, 3, 64, 64)
TILE = 64
FIRST = [1.2615162, -0.1019405, 0.0928363]
"""The first numbers of the tile of the embedded model."""


def drawn(share: float, position: int, seed: int = 5, rule: str = "hash") -> list[torch.Tensor]:
    noise = StreamNoise("cpu", share, TILE)
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
def test_frames_and_steps_of_a_stream_share_so_much_of_their_noise(share: float) -> None:
    first, second = drawn(share, 0)
    later, _ = drawn(share, 3)
    assert float(first.square().mean()) == pytest.approx(1, abs=0.03)
    assert alike(first[:, :, 0], first[:, :, 2]) == pytest.approx(share, abs=0.03)
    assert alike(first[:, :, 0], later[:, :, 1]) == pytest.approx(share, abs=0.03)
    assert alike(first, second) == pytest.approx(share, abs=0.03)


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
        "import torch; from streamvace.model.noise import *; noise = StreamNoise('cpu', 0.5, 16);"
        "noise.begin_chunk(42, 6); print(noise.draw((1, 2, 1, 2, 2), torch.float32).double().flatten().tolist())"
    )
    noise = StreamNoise("cpu", 0.5, 16)
    noise.begin_chunk(42, 6)
    here = noise.draw((1, 2, 1, 2, 2), torch.float32).double().flatten().tolist()
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert there.strip() == str(here)


def test_the_tile_is_normal_and_the_same_for_ever() -> None:
    """Weights are trained with it: other numbers would shuffle every texture that they learned."""
    tile = noise_tile(32, 16)
    assert tile.shape == (32, 16, 16)
    assert float(tile.mean()) == pytest.approx(0, abs=0.03)
    assert float(tile.std()) == pytest.approx(1, abs=0.03)
    assert tile.flatten()[:3].tolist() == pytest.approx(FIRST, abs=1e-6)


def test_the_tile_repeats_and_moves_with_its_place() -> None:
    whole = tile_at((0, 0), (4, 32, 48), 16)
    assert (whole[:, :16, :16].numpy() == noise_tile(4, 16)).all()
    assert (whole[:, 16:, 32:].numpy() == noise_tile(4, 16)).all()
    assert torch.equal(tile_at((2, 6), (4, 8, 8), 16), whole[:, 2:10, 6:14])


@given(SEEDS)
def test_a_seed_stands_for_a_place_on_the_grid_of_tokens(seed: int) -> None:
    down, right = place_of(seed, 16)
    assert down in range(0, 16, STEP)
    assert right in range(0, 16, STEP)


def test_seeds_reach_every_place_and_a_stream_keeps_its_own() -> None:
    assert len({place_of(seed, 16) for seed in range(1000)}) == 64
    noise = StreamNoise("cpu", 0.9, 16)
    for position in (0, 3):
        noise.begin_chunk(7, position)
        drawn = noise.draw((1, 8, 3, 16, 16), torch.float32)
        here = tile_at(place_of(7, 16), (8, 16, 16), 16)
        assert alike(drawn[0, :, 1], here) == pytest.approx(0.9**0.5, abs=0.05)
    noise.begin_chunk(8, 0)
    assert alike(noise.draw((1, 8, 3, 16, 16), torch.float32)[0, :, 1], here) < 0.2, "another seed, another place"


def test_every_rule_has_its_row_and_the_newest_is_the_default() -> None:
    assert tuple(NOISE_RULES) == NAMES
    assert ChunkInput("").noise_rule == NAMES[0]
