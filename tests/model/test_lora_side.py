"""A LoRA beside the weights does what merging it does, can be limited to tokens, and at strength 0 is not there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from streamvace.model.blocks import Bidirectional
from streamvace.model.lora import Delta, Lora, merge_lora
from streamvace.model.lora_side import SideLoras
from streamvace.model.rope import rotary_table
from streamvace.model.transformer import CausalWan
from streamvace.system.errors import UserError
from tests.networks import SMALL, small_lora

GRID = (2, 3, 4)
TOKENS = GRID[0] * GRID[1] * GRID[2]


def wan() -> CausalWan:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return CausalWan(SMALL).eval().requires_grad_(False)


def forward(model: CausalWan) -> Tensor:
    """A whole pass, text included."""
    draw = torch.Generator().manual_seed(5)
    tokens, grid = model.embed(torch.randn(1, 16, GRID[0], GRID[1] * 2, GRID[2] * 2, generator=draw))
    text = model.text_kv(model.embed_text(torch.randn(1, SMALL.text_len, SMALL.text_dim, generator=draw)))
    time = model.embed_time(torch.full((1, GRID[0]), 500.0))
    memory = Bidirectional(rotary_table(range(GRID[0]), GRID[1], GRID[2], SMALL.head_dim, torch.device("cpu")))
    return model.run(tokens, grid, time, text, memory)


@pytest.mark.parametrize("strength", [1.0, 0.3, -0.5])
def test_beside_equals_merged_at_the_same_strength(strength: float) -> None:
    """Every linear layer of the network, text and time embedding and head included."""
    merged, beside = wan(), wan()
    lora = small_lora(merged)
    merge_lora(merged, lora, strength)
    SideLoras(beside, [lora], [strength])
    torch.testing.assert_close(forward(beside), forward(merged), atol=1e-5, rtol=0)
    assert (forward(beside) - forward(wan())).abs().max() > 1e-3


def test_two_loras_add_up_each_at_its_own_strength() -> None:
    merged, beside = wan(), wan()
    loras = [small_lora(merged, seed) for seed in (3, 4)]
    for lora, strength in zip(loras, (0.5, -0.2), strict=True):
        merge_lora(merged, lora, strength)
    side = SideLoras(beside, loras)
    side.set((0.5, -0.2))
    assert side.strengths == (0.5, -0.2)
    torch.testing.assert_close(forward(beside), forward(merged), atol=1e-5, rtol=0)


def test_strength_zero_is_the_base_bit_for_bit_and_so_is_taking_it_off() -> None:
    model, base = wan(), forward(wan())
    side = SideLoras(model, [small_lora(model)])
    assert not torch.equal(forward(model), base)
    side.set((0.0,))
    assert torch.equal(forward(model), base)
    side.set((1.0,))
    side.remove()
    assert torch.equal(forward(model), base)


def test_a_region_limits_the_change_to_its_tokens_exactly() -> None:
    model = wan()
    layer, name = model.blocks[0].ffn[0], "blocks.0.ffn.0"
    x = torch.randn(1, TOKENS, SMALL.dim)
    lora = small_lora(model, names=[name])
    base = layer(x)
    side = SideLoras(model, [lora], [0.8])
    full = layer(x) - base
    region = torch.zeros(1, TOKENS, 1)
    region[:, 5:9] = 1.0
    region[:, 9] = 0.5
    side.limit(region)
    limited = layer(x)
    outside = [*range(5), *range(10, TOKENS)]
    assert torch.equal(limited[:, outside], base[:, outside])
    torch.testing.assert_close(limited[:, 5:9] - base[:, 5:9], full[:, 5:9], atol=1e-6, rtol=0)
    torch.testing.assert_close(limited[:, 9] - base[:, 9], 0.5 * full[:, 9], atol=1e-6, rtol=0)
    side.limit(None)
    torch.testing.assert_close(layer(x) - base, full, atol=1e-6, rtol=0)


def test_with_a_region_announced_the_text_stays_the_bases() -> None:
    """Text keys and values belong to all tokens; a style in them would leak out of its region."""
    model = wan()
    text = torch.randn(1, SMALL.text_len, SMALL.text_dim)
    base = model.text_kv(model.embed_text(text))
    side = SideLoras(model, [small_lora(model)])
    assert not torch.equal(model.text_kv(model.embed_text(text))[0][0], base[0][0])
    side.set((1.0,), regional=True)
    for ours, theirs in zip(model.text_kv(model.embed_text(text)), base, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_a_region_everywhere_is_no_region_and_nowhere_is_no_lora() -> None:
    model = wan()
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and "self_attn" in n]
    base = forward(model)
    side = SideLoras(model, [small_lora(model, names=names)])
    full = forward(model)
    side.limit(torch.ones(1, TOKENS, 1))
    torch.testing.assert_close(forward(model), full, atol=1e-6, rtol=0)
    side.limit(torch.zeros(1, TOKENS, 1))
    assert torch.equal(forward(model), base)


def test_a_strength_is_written_in_place_so_compiled_steps_stay_valid() -> None:
    model = wan()
    side = SideLoras(model, [small_lora(model)])
    region = torch.ones(1, TOKENS, 1)
    side.limit(region)
    (dial,) = side._dials
    before = dial.tokens
    side.set((0.4,), regional=True)
    side.limit(region * 0.5)
    assert dial.tokens is before
    assert before is not None
    assert torch.allclose(before, torch.tensor(0.2))


def test_names_and_weights_of_the_model_stay_as_they_were() -> None:
    model, before = wan(), wan().state_dict()
    SideLoras(model, [small_lora(model)])
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_what_is_no_low_rank_pair_is_refused_before_anything_changes() -> None:
    model, base = wan(), forward(wan())
    weight = "blocks.0.ffn.0.weight"
    odd = Lora("odd.safetensors", {weight: Delta(torch.ones_like(model.get_parameter(weight)))})
    with pytest.raises(
        UserError, match=r"odd.safetensors changes 1 \(blocks.0.ffn.0.weight\).*only merging"
    ) as refusal:
        SideLoras(model, [small_lora(model), odd])
    assert "\n" not in str(refusal.value)
    assert torch.equal(forward(model), base)


def test_a_wrong_number_of_strengths_is_an_error() -> None:
    model = wan()
    side = SideLoras(model, [small_lora(model)])
    with pytest.raises(ValueError, match="2 strengths for 1 LoRAs"):
        side.set((1.0, 1.0))


def test_no_change_of_strength_or_region_compiles_anything_again() -> None:
    """One compiled step with a region and one without; every value a show can take runs through these."""
    from torch._dynamo.testing import CompileCounter

    model = wan()
    side = SideLoras(model, [small_lora(model)])
    layers, counter, x = model.blocks[0].ffn, CompileCounter(), torch.randn(1, TOKENS, SMALL.dim)
    compiled = torch.compile(layers, backend=counter, fullgraph=True)
    for regional, expected in ((False, 1), (True, 2), (False, 2)):
        for strength in (1.0, 0.5, -0.2):
            side.set((strength,), regional)
            side.limit(torch.rand(1, TOKENS, 1) if regional else None)
            torch.testing.assert_close(compiled(x), layers(x), atol=1e-6, rtol=0)
        assert counter.frame_count == expected
