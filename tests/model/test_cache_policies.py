"""The named policies against brute force: decaying sink, window-relative positions, memory bank, score bias."""

from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.cache import KVCache
from streamvace.model.memory_bank import saliency
from streamvace.model.rope import rotary_table
from streamvace.model.specs import CacheRule
from tests.model.test_cache import HEIGHT, SIZE, TOKENS, WIDTH, random_qkv

DECAY = 0.9


def rotated(k: Tensor, positions: range) -> Tensor:
    return rotary_table(positions, HEIGHT, WIDTH, SIZE.head_dim, "cpu").rotate(k)


def per_frame(x: Tensor) -> list[Tensor]:
    return list(x.split(TOKENS, dim=1))


class DecayingOracle:
    """Reward Forcing by its definition: raw K and V in lists, the window rolled by hand, positions by rank."""

    def __init__(self, window: int, sink: int) -> None:
        self.window, self.sink = window, sink
        self.frames: list[int] = []
        self.k: list[Tensor] = []
        self.v: list[Tensor] = []

    def attend(self, start: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        for frame, new_k, new_v in zip(range(start, start + 99), per_frame(k), per_frame(v), strict=False):
            if frame in self.frames:
                at = self.frames.index(frame)
                self.k[at], self.v[at] = new_k, new_v
            else:
                self.frames.append(frame)
                self.k.append(new_k)
                self.v.append(new_v)
        surplus = len(self.frames) - self.window
        if surplus > 0:
            for rows in (self.k, self.v):
                evicted = rows[self.sink : self.sink + surplus]
                for index, old in enumerate(evicted[: self.sink]):
                    blend = DECAY * rows[index] + (1 - DECAY) * old
                    rows[index] = blend if surplus == self.sink else old
                del rows[self.sink : self.sink + surplus]
            del self.frames[self.sink : self.sink + surplus]
        held, count = len(self.frames), q.shape[1] // TOKENS
        keys = rotated(torch.cat(self.k, 1), range(held))
        return sdpa(rotated(q, range(held - count, held)), keys, torch.cat(self.v, 1))


@settings(max_examples=20, deadline=None)
@given(
    room=st.integers(0, 5),
    sink=st.integers(0, 3),
    chunk=st.integers(1, 4),
    passes=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_what_leaves_the_window_is_blended_into_the_sink(
    room: int, sink: int, chunk: int, passes: int, seed: int
) -> None:
    window = sink + chunk + room
    generator = torch.Generator().manual_seed(seed)
    rule = CacheRule(window=window, sink=sink, positions="window", sink_decay=DECAY)
    cache, oracle = KVCache(SIZE, rule, HEIGHT, WIDTH), DecayingOracle(window, sink)
    for start in range(0, 60 * chunk, chunk):
        memory = cache.chunk(start, chunk)
        for _ in range(passes):
            q, k, v = random_qkv(chunk, generator)
            torch.testing.assert_close(memory.attend(0, q, k, v), oracle.attend(start, q, k, v), atol=3e-5, rtol=0)


def test_in_bf16_a_thousandth_still_moves_the_sink() -> None:
    """The reference blends in the cache's dtype, where 0.001 is lost; the exact sink is kept beside it."""
    rule = CacheRule(window=2, sink=1, positions="window", sink_decay=0.999)
    cache = KVCache(SIZE, rule, HEIGHT, WIDTH, dtype=torch.bfloat16)
    ones = torch.ones(1, TOKENS, SIZE.num_heads, SIZE.head_dim, dtype=torch.bfloat16)
    cache.chunk(0, 1).attend(0, ones, ones, ones)
    for frame in range(1, 400):
        cache.chunk(frame, 1).attend(0, ones, ones, ones * 0)
    expected = 0.999**398
    torch.testing.assert_close(cache.v[0][:, 0].float(), (ones * expected).float(), atol=0.01, rtol=0)


class BankOracle:
    """MemFlow by its definition: sink, bank and window as plain lists of frames."""

    def __init__(self, rule: CacheRule) -> None:
        self.rule = rule
        self.k: dict[int, Tensor] = {}
        self.v: dict[int, Tensor] = {}
        self.bank: list[tuple[Tensor, Tensor]] = []
        self.newest: tuple[Tensor, Tensor] | None = None
        self.records = 0

    def record(self, frame: int) -> None:
        self.newest = (self.k[frame].clone(), self.v[frame].clone())
        self.records += 1

    def consolidate(self, text: Tensor) -> None:
        if self.newest is None:
            return
        if self.records <= self.rule.bank:
            self.bank = [*self.bank[: self.records - 1], self.newest]
            return
        scores = [float(torch.einsum("bnhd,blhd->bhnl", k, text).mean()) for k, _ in self.bank]
        best = sorted(range(len(self.bank)), key=lambda i: -scores[i])[: self.rule.bank - 1]
        self.bank = [*(self.bank[i] for i in best), self.newest]

    def attend(self, start: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        count = q.shape[1] // TOKENS
        positions = range(start, start + count)
        for frame, new_k, new_v in zip(positions, per_frame(rotated(k, positions)), per_frame(v), strict=True):
            self.k[frame], self.v[frame] = new_k, new_v
        rest = list(range(self.rule.sink, start + count))[self.rule.sink - self.rule.window :]
        seen = list(range(min(self.rule.sink, start + count))) + rest
        keys = torch.cat([*(k for k, _ in self.bank), *(self.k[f] for f in seen)], 1)
        values = torch.cat([*(v for _, v in self.bank), *(self.v[f] for f in seen)], 1)
        return sdpa(rotated(q, positions), keys, values)


@settings(max_examples=20, deadline=None)
@given(
    room=st.integers(0, 4),
    sink=st.integers(0, 3),
    chunk=st.integers(1, 3),
    bank=st.integers(2, 4),
    every=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_the_memory_bank_keeps_the_frames_nearest_to_the_text(
    room: int, sink: int, chunk: int, bank: int, every: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    rule = CacheRule(window=sink + chunk + room, sink=sink, bank=bank, record_every=every)
    cache, oracle = KVCache(SIZE, rule, HEIGHT, WIDTH), BankOracle(rule)
    text = torch.randn(1, 5, SIZE.num_heads, SIZE.head_dim, generator=generator)
    for number in range(60):
        cache.bank.consolidate([text])
        oracle.consolidate(text)
        memory = cache.chunk(number * chunk, chunk)
        for _ in range(2):
            q, k, v = random_qkv(chunk, generator)
            ours, theirs = memory.attend(0, q, k, v), oracle.attend(number * chunk, q, k, v)
            torch.testing.assert_close(ours, theirs, atol=3e-5, rtol=0)
        if number % every == 0:
            cache.record(number * chunk)
            oracle.record(number * chunk)


class RewindOracle:
    """StreamDiffusionV2 by its definition: the whole history kept raw, positions moved back together, sink excepted."""

    def __init__(self, rule: CacheRule) -> None:
        self.rule = rule
        self.back = 0
        self.k: dict[int, Tensor] = {}
        self.v: dict[int, Tensor] = {}

    def attend(self, start: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        frames = range(start, start + q.shape[1] // TOKENS)
        while start - self.back >= self.rule.rewind[0]:
            self.back += self.rule.rewind[0] - self.rule.rewind[1]
        for frame, new_k, new_v in zip(frames, per_frame(k), per_frame(v), strict=True):
            self.k[frame], self.v[frame] = new_k, new_v
        rest = list(range(self.rule.sink, frames.stop))[self.rule.sink - self.rule.window :]
        seen = list(range(min(self.rule.sink, frames.stop))) + rest
        place = {frame: frame if frame < self.rule.sink else frame - self.back for frame in [*seen, *frames]}
        keys = torch.cat([rotated(self.k[f], range(place[f], place[f] + 1)) for f in seen], 1)
        queries = torch.cat(
            [rotated(part, range(place[f], place[f] + 1)) for f, part in zip(frames, per_frame(q), strict=True)], 1
        )
        return sdpa(queries, keys, torch.cat([self.v[f] for f in seen], 1))


@settings(max_examples=20, deadline=None)
@given(
    room=st.integers(1, 4),
    sink=st.integers(0, 3),
    chunk=st.integers(1, 2),
    limit=st.integers(12, 30),
    restart=st.integers(5, 8),
    seed=st.integers(0, 999),
)
def test_a_rewinding_position_moves_the_window_and_leaves_the_sink(
    room: int, sink: int, chunk: int, limit: int, restart: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    rule = CacheRule(window=sink + chunk + room, sink=sink, positions="rewind", rewind=(limit, restart))
    cache, oracle = KVCache(SIZE, rule, HEIGHT, WIDTH), RewindOracle(rule)
    for start in range(0, 60 * chunk, chunk):
        memory = cache.chunk(start, chunk)
        for _ in range(2):
            q, k, v = random_qkv(chunk, generator)
            torch.testing.assert_close(memory.attend(0, q, k, v), oracle.attend(start, q, k, v), atol=3e-5, rtol=0)


def test_the_sink_never_lies_further_back_than_the_limit() -> None:
    rule = CacheRule(window=6, sink=3, positions="rewind", rewind=(50, 5))
    cache = KVCache(SIZE, rule, HEIGHT, WIDTH)
    for frame in range(500):
        cache.chunk(frame, 1)
        of_slot, (newest,) = cache._positions(range(frame, frame + 1))
        assert newest < 50
        assert of_slot[:3] == list(range(min(3, len(of_slot))))


def test_saliency_is_the_mean_of_all_scores() -> None:
    keys, text = torch.randn(2, 3, 7, 2, 8), torch.randn(2, 5, 2, 8)
    scores = torch.einsum("bfnhd,blhd->bfhnl", keys, text).mean(dim=(2, 3, 4)) / math.sqrt(8)
    torch.testing.assert_close(saliency(keys, text), scores)


def test_a_reset_empties_the_bank_too() -> None:
    rule = CacheRule(window=4, sink=0, bank=2)
    cache = KVCache(SIZE, rule, HEIGHT, WIDTH)
    cache.chunk(0, 2).attend(0, *random_qkv(2, torch.Generator().manual_seed(0)))
    cache.record(0)
    cache.bank.consolidate(None)
    assert cache.bank.held == 1
    cache.reset()
    cache.bank.consolidate(None)
    assert cache.bank.held == 0


@settings(max_examples=15, deadline=None)
@given(past=st.integers(1, 6), chunk=st.integers(1, 3), bias=st.floats(0.05, 1.0), seed=st.integers(0, 99))
def test_the_score_bias_weighs_the_past_but_not_the_first_frame_nor_the_chunk(
    past: int, chunk: int, bias: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    cache = KVCache(SIZE, CacheRule(window=past + chunk, sink=0), HEIGHT, WIDTH)
    history = random_qkv(past, generator)
    cache.chunk(0, past).attend(0, *history)
    q, k, v = random_qkv(chunk, generator)
    positions = range(past, past + chunk)
    keys = torch.cat((rotated(history[1], range(past)), rotated(k, positions)), 1)
    scores = torch.einsum("bnhd,bmhd->bhnm", rotated(q, positions), keys) / math.sqrt(SIZE.head_dim)
    weights = scores.exp()
    weights[..., TOKENS : past * TOKENS] *= bias
    weights = weights / weights.sum(-1, keepdim=True)
    truth = torch.einsum("bhnm,bmhd->bnhd", weights, torch.cat((history[2], v), 1))
    ours = cache.chunk(past, chunk, past_bias=bias).attend(0, q, k, v)
    torch.testing.assert_close(ours, truth, atol=3e-5, rtol=0)
