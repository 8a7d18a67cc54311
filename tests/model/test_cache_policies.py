"""The named policies against brute force: decaying sink, window-relative positions, memory bank, score bias."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cosine_similarity as cosine

from streamvace.model.attention import sdpa
from streamvace.model.cache import KVCache
from streamvace.model.memory_bank import saliency
from streamvace.model.rope import RotaryTable, rotary_table
from streamvace.model.specs import CacheRule
from tests.model.test_cache import HEIGHT, SIZE, TOKENS, WIDTH, random_qkv

DECAY = 0.9


@functools.cache
def table(positions: range) -> RotaryTable:
    return rotary_table(positions, HEIGHT, WIDTH, SIZE.head_dim, "cpu")


def rotated(k: Tensor, positions: range) -> Tensor:
    return table(positions).rotate(k)


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


@pytest.mark.parametrize(("by", "largest"), [(1024, 2e-6), (1_000_000, 2e-6), (1_000_000_000, 2e-6)])
def test_a_memflow_stream_far_out_is_the_one_at_its_beginning(by: int, largest: float) -> None:
    """Sink, bank and window together: rotary attention sees differences, and the tables come from the formula."""
    rule = CacheRule(window=6, sink=2, bank=3, record_every=2)
    worst = 0.0
    caches = [KVCache(SIZE, rule, HEIGHT, WIDTH), KVCache(SIZE, rule, HEIGHT, WIDTH)]
    generator = torch.Generator().manual_seed(4)
    text = torch.randn(1, 5, SIZE.num_heads, SIZE.head_dim, generator=generator)
    for number in range(60):
        q, k, v = random_qkv(2, generator)
        outputs = []
        for cache, offset in zip(caches, (0, by), strict=True):
            # Saliency compares rotated keys with the text, which has no position: it alone sees where a stream is.
            cache.bank.consolidate([text * 0])
            outputs.append(cache.chunk(offset + 2 * number, 2).attend(0, q, k, v))
            if number % 2 == 0:
                cache.record(offset + 2 * number)
        worst = max(worst, float((outputs[0] - outputs[1]).abs().max()))
    assert worst < largest


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


class AdaptiveOracle:
    """StreamDiffusionV2 by its definition, one a layer: every frame kept raw, every decision a Python branch."""

    def __init__(self, rule: CacheRule, limit: int) -> None:
        self.rule, self.limit = rule, limit
        self.back = 0
        self.frames: dict[int, tuple[Tensor, Tensor]] = {}
        self.slots: list[int] = []
        self.ring = list(range(rule.sink, rule.window))
        self.refreshed = 0

    def place(self, frame: int) -> range:
        at = frame if frame < self.rule.sink else frame - self.back
        return range(at, at + 1)

    def keys(self, frame: int) -> Tensor:
        return rotated(self.frames[frame][0], self.place(frame))

    def likeness(self, held: int, k: Tensor, v: Tensor) -> float:
        pairs = ((self.keys(held), k), (self.frames[held][1], v))
        return sum(float(cosine(one.mean(1).flatten(), other.mean(1).flatten(), dim=0)) for one, other in pairs) / 2

    def attend(self, start: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        frames = range(start, start + q.shape[1] // TOKENS)
        while start - self.back >= self.rule.rewind[0]:
            self.back += self.rule.rewind[0] - self.rule.rewind[1]
        for frame, new_k, new_v in zip(frames, per_frame(k), per_frame(v), strict=True):
            if frame not in self.frames:
                if len(self.slots) < self.rule.window:
                    self.slots.append(frame)
                else:
                    turned = rotated(new_k, self.place(frame))
                    like = [self.likeness(held, turned, new_v) for held in self.slots[: self.rule.sink]]
                    if like and min(like) < self.limit / 10:
                        self.slots[like.index(min(like))] = frame
                        self.refreshed += 1
                    else:
                        self.ring.append(self.ring.pop(0))
                        self.slots[self.ring[-1]] = frame
            self.frames[frame] = (new_k, new_v)
        queries = [rotated(part, self.place(frame)) for frame, part in zip(frames, per_frame(q), strict=True)]
        keys = torch.cat([self.keys(frame) for frame in self.slots], 1)
        return sdpa(torch.cat(queries, 1), keys, torch.cat([self.frames[frame][1] for frame in self.slots], 1))


@settings(max_examples=20, deadline=None)
@given(
    room=st.integers(1, 4),
    sink=st.integers(1, 3),
    first=st.integers(1, 2),
    limit=st.integers(12, 30),
    restart=st.integers(5, 8),
    threshold=st.integers(-10, 10),
    passes=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_a_frame_unlike_the_sink_takes_its_place_layer_by_layer(
    room: int, sink: int, first: int, limit: int, restart: int, threshold: int, passes: int, seed: int
) -> None:
    """60 chunks through rewinds; each layer sees other keys, so each has its own slots. From never to always."""
    generator = torch.Generator().manual_seed(seed)
    rule = CacheRule(
        window=sink + 1 + room, sink=sink, positions="rewind", rewind=(limit, restart), sink_refresh=threshold / 10
    )
    cache = KVCache(replace(SIZE, num_layers=2), rule, HEIGHT, WIDTH)
    oracles = [AdaptiveOracle(rule, threshold), AdaptiveOracle(rule, threshold)]
    start, scene = 0, torch.zeros(())
    for number in range(60):
        count = 1 if number else first
        if number % 9 == 0:
            # What lasts in a picture lasts for a while, so that some frames are like the sink and some are not.
            scene = 1.5 * torch.randn(1, 1, SIZE.num_heads, SIZE.head_dim, generator=generator)
        for _ in range(passes):
            memory = cache.chunk(start, count)
            for layer, oracle in enumerate(oracles):
                q, k, v = (part + scene for part in random_qkv(count, generator))
                torch.testing.assert_close(
                    memory.attend(layer, q, k, v), oracle.attend(start, q, k, v), atol=5e-5, rtol=0
                )
        start += count
    if threshold == 10:
        assert all(oracle.refreshed for oracle in oracles)
    if threshold == -10:
        assert not any(oracle.refreshed for oracle in oracles)


@pytest.mark.parametrize(
    "rule",
    [
        CacheRule(window=4, sink=2, positions="rewind", rewind=(12, 5), sink_refresh=0.9),
        CacheRule(window=4, sink=2, positions="window", sink_decay=0.5),
    ],
    ids=["adaptive", "decaying"],
)
def test_after_a_reset_the_sink_is_the_new_stream_s_own(rule: CacheRule) -> None:
    """In bf16, where a decaying sink is kept exactly beside the cache."""
    used, fresh = (KVCache(SIZE, rule, HEIGHT, WIDTH, dtype=torch.bfloat16) for _ in range(2))
    generator = torch.Generator().manual_seed(1)

    def frame() -> tuple[Tensor, ...]:
        return tuple(part.bfloat16() for part in random_qkv(1, generator))

    for start in range(20):
        used.chunk(start, 1).attend(0, *frame())
    used.reset()
    for start in range(20):
        qkv = frame()
        assert torch.equal(used.chunk(start, 1).attend(0, *qkv), fresh.chunk(start, 1).attend(0, *qkv))


def test_an_adaptive_sink_takes_one_frame_at_a_time() -> None:
    cache = KVCache(SIZE, CacheRule(window=6, sink=2, sink_refresh=0.2), HEIGHT, WIDTH)
    cache.chunk(0, 2)
    cache.chunk(2, 4)
    with pytest.raises(ValueError, match="a chunk of 2 latent frames: an adaptive sink takes one frame at a time"):
        cache.chunk(6, 2)


def test_turning_the_held_keys_again_and_again_in_bf16_costs_no_more_than_rounding() -> None:
    """A frame that an adaptive sink took in is turned at every rewind; after 1,000 of them it is still itself."""
    rule = CacheRule(window=4, sink=1, positions="rewind", rewind=(12, 5))
    cache = KVCache(SIZE, rule, HEIGHT, WIDTH, dtype=torch.bfloat16)
    key = torch.randn(1, TOKENS, SIZE.num_heads, SIZE.head_dim, generator=torch.Generator().manual_seed(2))
    cache.k[0][:, 3] = rotated(key, range(7_011, 7_012)).bfloat16()
    for rewinds in range(1, 1001):
        cache._rewind(5 + 7 * rewinds)
    truth = rotated(key, range(11, 12))
    error = (cache.k[0][:, 3].float() - truth).norm() / truth.norm()
    assert error < 0.06


def test_saliency_is_the_mean_of_all_scores() -> None:
    keys, text = torch.randn(2, 3, 7, 2, 8), torch.randn(2, 5, 2, 8)
    scores = torch.einsum("bfnhd,blhd->bfhnl", keys, text).mean(dim=(2, 3, 4)) / math.sqrt(8)
    torch.testing.assert_close(saliency(keys.mean(dim=2), text), scores)


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


@pytest.mark.parametrize("bank", [0, 2])
@settings(max_examples=15, deadline=None)
@given(past=st.integers(1, 6), chunk=st.integers(1, 3), since=st.integers(0, 6), bias=st.sampled_from([1.0, 0.3]))
def test_a_soft_cut_halves_what_came_before_it_in_the_window_and_in_long_term_memory(
    bank: int, past: int, chunk: int, since: int, bias: float
) -> None:
    generator = torch.Generator().manual_seed(past)
    cache = KVCache(SIZE, CacheRule(window=past + chunk, sink=0, bank=bank), HEIGHT, WIDTH)
    history = random_qkv(past, generator)
    cache.chunk(0, past).attend(0, *history)
    for frame in range(min(bank, past)):
        cache.record(frame)
        cache.bank.consolidate(None)
    q, k, v = random_qkv(chunk, generator)
    cut = past - since
    made = cache.chunk(past, chunk, past_bias=bias, cut=cut)
    ours = made.attend(0, q, k, v)
    held = cache.bank.held
    weight = torch.ones(held + past + chunk)
    weight[held + 1 : held + past] = bias
    weight[: held + max(0, cut)] *= 0.5
    seen = made.seen
    scores = torch.einsum("bnhd,bmhd->bhnm", made.rotary.rotate(q), stored_keys(cache, seen)) / math.sqrt(SIZE.head_dim)
    weights = scores.exp() * weight.repeat_interleave(TOKENS)
    weights = weights / weights.sum(-1, keepdim=True)
    truth = torch.einsum("bhnm,bmhd->bnhd", weights, cache.v[0][:, seen].flatten(1, 2))
    torch.testing.assert_close(ours, truth, atol=3e-5, rtol=0)


def stored_keys(cache: KVCache, seen: slice) -> torch.Tensor:
    """The rotated keys of a layer as the last pass read them."""
    return (cache.rotated or cache.k)[0][:, seen].flatten(1, 2)
