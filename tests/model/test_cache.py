"""The cache against a brute-force oracle: the whole history kept, attended through the policy's definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.cache import KVCache
from streamvace.model.rope import rotary_table
from streamvace.model.specs import CacheRule, WanSize

SIZE = WanSize(dim=24, ffn_dim=24, num_layers=1, num_heads=2, vace_layers=())
HEIGHT, WIDTH = 2, 3
TOKENS = HEIGHT * WIDTH


class Oracle:
    """Keeps every frame ever written; attends to the sink and to the newest frames that fill the window."""

    def __init__(self, rule: CacheRule) -> None:
        self.rule = rule
        self.k: dict[int, Tensor] = {}
        self.v: dict[int, Tensor] = {}

    def attend(self, start: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        count = q.shape[1] // TOKENS
        rotary = rotary_table(range(start, start + count), HEIGHT, WIDTH, SIZE.head_dim, "cpu")
        for index, frame in enumerate(range(start, start + count)):
            self.k[frame] = rotary.rotate(k)[:, index * TOKENS : (index + 1) * TOKENS]
            self.v[frame] = v[:, index * TOKENS : (index + 1) * TOKENS]
        sink = [frame for frame in range(self.rule.sink) if frame in self.k]
        rest = [frame for frame in range(start + count) if frame >= self.rule.sink]
        room = self.rule.window - self.rule.sink
        seen = sink + rest[-room:]
        return sdpa(rotary.rotate(q), torch.cat([self.k[f] for f in seen], 1), torch.cat([self.v[f] for f in seen], 1))


def random_qkv(frames: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = (torch.randn(1, frames * TOKENS, SIZE.num_heads, SIZE.head_dim, generator=generator) for _ in range(3))
    return q, k, v


@settings(max_examples=25, deadline=None)
@given(
    window=st.integers(2, 9),
    sink=st.integers(0, 3),
    chunk=st.integers(1, 4),
    first=st.integers(1, 4),
    passes=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_a_rolling_window_attends_to_what_its_definition_says(
    window: int, sink: int, chunk: int, first: int, passes: int, seed: int
) -> None:
    """60 chunks, any window, sink and chunk size; every denoising pass of a chunk rewrites its frames."""
    if max(chunk, first) + sink > window:
        return
    generator = torch.Generator().manual_seed(seed)
    rule = CacheRule(window=window, sink=sink)
    cache, oracle = KVCache(SIZE, rule, HEIGHT, WIDTH), Oracle(rule)
    start = 0
    for number in range(60):
        frames = chunk if number else first
        memory = cache.chunk(start, frames)
        for _ in range(passes):
            q, k, v = random_qkv(frames, generator)
            torch.testing.assert_close(memory.attend(0, q, k, v), oracle.attend(start, q, k, v), atol=2e-5, rtol=0)
        start += frames


def filled(rule: CacheRule, frames: int, chunk: int = 3) -> KVCache:
    cache = KVCache(SIZE, rule, HEIGHT, WIDTH)
    generator = torch.Generator().manual_seed(5)
    for start in range(0, frames, chunk):
        cache.chunk(start, chunk).attend(0, *random_qkv(chunk, generator))
    return cache


def test_a_replay_rewrites_the_window_and_leaves_the_sink() -> None:
    cache = filled(CacheRule(window=9, sink=3), frames=15)
    old = cache.in_order(0)[0].clone()
    cache.replay(6, 9).attend(0, *random_qkv(9, torch.Generator().manual_seed(6)))
    new = cache.in_order(0)[0]
    assert cache.frames == [0, 1, 2, 9, 10, 11, 12, 13, 14]
    assert torch.equal(new[:, : 3 * TOKENS], old[:, : 3 * TOKENS])
    assert not torch.isclose(new[:, 3 * TOKENS :], old[:, 3 * TOKENS :]).all(dim=-1).any()


def test_a_replay_that_reaches_into_the_sink_leaves_it() -> None:
    cache = filled(CacheRule(window=9, sink=3), frames=10, chunk=1)
    old = cache.in_order(0)[0].clone()
    cache.replay(1, 9).attend(0, *random_qkv(9, torch.Generator().manual_seed(6)))
    changed = ~torch.isclose(cache.in_order(0)[0], old).all(dim=(0, 2, 3))
    assert changed.tolist() == [False] * 3 * TOKENS + [True] * 6 * TOKENS


def test_a_replay_from_the_beginning_rewrites_the_sink_too() -> None:
    cache = filled(CacheRule(window=9, sink=3), frames=6)
    old = cache.in_order(0)[0].clone()
    cache.replay(0, 6).attend(0, *random_qkv(6, torch.Generator().manual_seed(6)))
    assert not torch.isclose(cache.in_order(0)[0], old).all(dim=-1).any()


def test_without_a_kept_sink_the_replayed_frames_become_the_whole_cache() -> None:
    cache = filled(CacheRule(window=9, sink=3, keep_sink_on_switch=False), frames=15)
    cache.replay(6, 9).attend(0, *random_qkv(9, torch.Generator().manual_seed(6)))
    assert cache.frames == list(range(6, 15))
    cache.chunk(15, 3)
    assert cache.frames == [6, 7, 8, 12, 13, 14, 15, 16, 17]


def test_positions_have_no_limit() -> None:
    """Half a year at 4 latent frames a second: attention equals the same window at the stream's beginning."""
    rule = CacheRule(window=6, sink=0)
    results = []
    for offset in (0, 60_000_000):
        cache, generator = KVCache(SIZE, rule, HEIGHT, WIDTH), torch.Generator().manual_seed(1)
        for start in (0, 3):
            out = cache.chunk(offset + start, 3).attend(0, *random_qkv(3, generator))
        results.append(out)
    torch.testing.assert_close(results[0], results[1], atol=2e-5, rtol=0)


def test_after_a_reset_nothing_old_is_attended() -> None:
    used, fresh = filled(CacheRule(window=9, sink=3), frames=12), KVCache(SIZE, CacheRule(9, 3), HEIGHT, WIDTH)
    used.reset()
    qkv = random_qkv(3, torch.Generator().manual_seed(2))
    assert torch.equal(used.chunk(0, 3).attend(0, *qkv), fresh.chunk(0, 3).attend(0, *qkv))


def test_buffers_are_written_in_place_and_never_grow() -> None:
    cache = filled(CacheRule(window=9, sink=3), frames=9)
    before = (cache.k[0].data_ptr(), cache.v[0].data_ptr(), cache.nbytes)
    for start in range(9, 60, 3):
        cache.chunk(start, 3).attend(0, *random_qkv(3, torch.Generator().manual_seed(start)))
    assert (cache.k[0].data_ptr(), cache.v[0].data_ptr(), cache.nbytes) == before


def test_a_chunk_larger_than_the_window_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"chunk of 7 .*window of 9 .*sink of 3"):
        filled(CacheRule(window=9, sink=3), frames=9).chunk(9, 7)
