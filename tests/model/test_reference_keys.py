"""References in the base attention against attention written out: read-only keys just before the frames held."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.cache import KVCache
from streamvace.model.fixed import FixedBuffers
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.rope import rotary_table
from streamvace.model.specs import CacheRule, WanSize

SIZE = WanSize(dim=24, ffn_dim=48, num_layers=1, num_heads=2, vace_layers=(0,))
GRID = (2, 3)
TOKENS = 6
RULES = {
    "absolute": CacheRule(window=5, sink=0),
    "sink": CacheRule(window=5, sink=1),
    "window": CacheRule(window=5, sink=1, positions="window"),
    "rewind": CacheRule(window=5, sink=1, positions="rewind", rewind=(6, 2)),
}


def draw(frames: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    q, k, v = (torch.randn(1, frames * TOKENS, 2, 12, generator=generator) for _ in range(3))
    return q, k, v


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("bias", [1.0, 0.3])
def test_a_chunk_sees_references_just_before_the_first_cached_frame(name: str, bias: float) -> None:
    """Every rule of positions, over rolling chunks; what the past's bias weighs down are never the references."""
    generator = torch.Generator().manual_seed(0)
    rule = RULES[name]
    cache, plain = KVCache(SIZE, rule, *GRID), KVCache(SIZE, rule, *GRID)
    references = ReferenceKeys(2, *GRID, SIZE.head_dim, "cpu")
    q, reference_k, reference_v = draw(2, generator)
    references.attend(0, q, reference_k, reference_v)
    for start in range(0, 12, 2):
        q, k, v = draw(2, generator)
        ours = cache.chunk(start, 2, bias, references).attend(0, q, k, v)
        beside = plain.chunk(start, 2, bias)
        beside.attend(0, q, k, v)
        keys = (plain.rotated or plain.k)[0][:, beside.seen].flatten(1, 2)
        values = plain.v[0][:, beside.seen].flatten(1, 2)
        held = plain.frames if rule.positions == "absolute" else plain._positions(range(start, start + 2))[0]
        first = min(held)
        before = rotary_table(range(first - 2, first), *GRID, SIZE.head_dim, "cpu").rotate(reference_k)
        # A bias on the score is a factor on the weight.
        past = torch.ones(keys.shape[1]) if beside.bias is None else beside.bias[0].exp()
        scores = torch.einsum("bqhd,bkhd->bhqk", beside.rotary.rotate(q), torch.cat((keys, before), dim=1)) / 12**0.5
        shares = scores.exp() * torch.cat((past, torch.ones(2 * TOKENS)))
        shares = shares / shares.sum(dim=-1, keepdim=True)
        theirs = torch.einsum("bhqk,bkhd->bqhd", shares, torch.cat((values, reference_v), dim=1))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_references_do_not_change_the_cache() -> None:
    generator = torch.Generator().manual_seed(1)
    with_them, without = (KVCache(SIZE, RULES["sink"], *GRID) for _ in range(2))
    references = ReferenceKeys(3, *GRID, SIZE.head_dim, "cpu")
    references.attend(0, *draw(3, generator))
    for start in range(0, 8, 2):
        q, k, v = draw(2, generator)
        with_them.chunk(start, 2, references=references).attend(0, q, k, v)
        without.chunk(start, 2).attend(0, q, k, v)
        assert with_them.frames == without.frames
        for ours, theirs in zip(with_them.in_order(0), without.in_order(0), strict=True):
            torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


@pytest.mark.parametrize(("count", "kept"), [(1, True), (2, False), (8, False)])
def test_only_the_keys_of_a_single_reference_stay_when_it_is_gone(count: int, kept: bool) -> None:
    """A captured pass reads those at their address; passes with several references run eagerly."""
    fixed = FixedBuffers()
    made = []
    for seed in (0, 1):
        references = ReferenceKeys(count, *GRID, SIZE.head_dim, "cpu")
        references.attend(0, *draw(count, torch.Generator().manual_seed(seed)))
        made.append(references.before(0, fixed)[0])
    assert [one is other for one, other in zip(*made, strict=True)] == [kept, kept]
    assert fixed.nbytes == (sum(each.nbytes for each in made[0]) if kept else 0)


def test_their_keys_do_not_keep_the_whole_pass() -> None:
    """q, k and v of a pass are views of one tensor."""
    q, k, v = torch.randn(3, 1, 2 * TOKENS, 2, 12).unbind(0)
    references = ReferenceKeys(2, *GRID, SIZE.head_dim, "cpu")
    references.attend(0, q, k, v)
    (_, held), *_ = references.before(0, FixedBuffers())
    assert held.untyped_storage().nbytes() == v.nbytes


def test_with_a_sink_their_keys_are_rotated_once() -> None:
    references = ReferenceKeys(1, *GRID, SIZE.head_dim, "cpu")
    references.attend(0, *draw(1, torch.Generator().manual_seed(2)))
    fixed = FixedBuffers()
    (turned, _), *_ = references.before(0, fixed)
    made, first = turned._version, turned.clone()
    references.before(0, fixed)
    assert turned._version == made
    assert references.before(3, fixed)[0][0] is turned
    assert not torch.equal(turned, first)
