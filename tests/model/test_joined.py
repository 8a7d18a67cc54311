"""q, k and v as one product: the same numbers, whatever LoRAs do to the weights."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn

from streamvace.model import joined
from streamvace.model.blocks import Bidirectional, modulations
from streamvace.model.context import ContextBranch
from streamvace.model.joined import join_projections
from streamvace.model.lora import Delta, Lora, MergedLoras
from streamvace.model.lora_side import SideLoras
from streamvace.model.rope import rotary_table
from streamvace.model.transformer import CausalWan
from tests.networks import SMALL, small_lora

FRAMES, ROWS, COLUMNS = 2, 3, 4


def wan() -> CausalWan:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = CausalWan(SMALL).eval().requires_grad_(False)
        for block in model.blocks:
            block.self_attn.norm_q.weight.uniform_(0.5, 1.5)
            block.self_attn.norm_k.weight.uniform_(0.5, 1.5)
    return model


@torch.inference_mode()
def forward(model: CausalWan, t: Tensor) -> Tensor:
    draw = torch.Generator().manual_seed(5)
    tokens, grid = model.embed(torch.randn(1, 16, FRAMES, ROWS * 2, COLUMNS * 2, generator=draw))
    text = model.text_kv(model.embed_text(torch.randn(1, SMALL.text_len, SMALL.text_dim, generator=draw)))
    memory = Bidirectional(rotary_table(range(FRAMES), ROWS, COLUMNS, SMALL.head_dim, "cpu"))
    return model.run(tokens, grid, model.embed_time(t), text, memory)


def size_of(model: nn.Module) -> int:
    return sum(each.nbytes for each in model.parameters())


T = torch.full((1, 1), 500.0)


def test_joined_projections_give_the_same_and_take_no_more_memory() -> None:
    apart, together = wan(), wan()
    before = size_of(together)
    assert join_projections(together) == SMALL.num_layers
    torch.testing.assert_close(forward(together, T), forward(apart, T), atol=1e-5, rtol=0)
    assert size_of(together) == before


def test_the_context_branch_is_joined_too() -> None:
    branch = ContextBranch(SMALL)
    assert join_projections(branch) == len(SMALL.vace_layers)


def test_a_merged_lora_reaches_the_joined_weights_at_every_strength() -> None:
    """And the norms and biases, which a file with full differences changes."""
    apart, together = wan(), wan()
    draw = torch.Generator().manual_seed(2)
    full = {
        f"blocks.1.self_attn.{name}": Delta(torch.randn(shape, generator=draw))
        for name, shape in {"norm_q.weight": 24, "norm_k.weight": 24, "q.bias": 24, "k.bias": 24, "v.bias": 24}.items()
    }
    lora = small_lora(apart)
    lora = Lora(lora.name, {**lora.deltas, **full})
    merged = [MergedLoras(model, [lora], [0.3]) for model in (apart, together)]
    join_projections(together)
    for strength in (0.3, 1.0, 0.0):
        for each in merged:
            each.set([strength])
        torch.testing.assert_close(forward(together, T), forward(apart, T), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["q", "k", "v"])
def test_a_block_with_a_side_path_on_one_of_the_three_is_left_as_it_is(name: str) -> None:
    apart, together = wan(), wan()
    lora = small_lora(apart, names=[f"blocks.1.self_attn.{name}"])
    for model in (apart, together):
        SideLoras(model, [lora], [1.0])
    assert join_projections(together) == SMALL.num_layers - 1
    torch.testing.assert_close(forward(together, T), forward(apart, T), atol=1e-5, rtol=0)


def test_a_shape_that_the_processor_multiplies_wrong_is_not_joined() -> None:
    model = wan().bfloat16()
    with patch.object(joined, "relative_error", lambda layer: 1.17):
        assert join_projections(model) == 0
    assert join_projections(model) == SMALL.num_layers


def test_one_timestep_for_all_frames_is_what_the_same_timestep_in_each_is() -> None:
    model = wan()
    torch.testing.assert_close(forward(model, T), forward(model, T.expand(1, FRAMES)), atol=1e-5, rtol=0)
    other = torch.tensor([[500.0, 0.0]])
    assert (forward(model, other) - forward(model, T)).abs().max() > 1e-3


def test_every_block_is_modulated_by_its_own_parameters() -> None:
    """Wan2.1: shift, scale and gate of both parts; a scale multiplies with 1 + itself."""
    model = wan()
    e0 = torch.randn(2, 3, 6, SMALL.dim)
    for block, made in zip(model.blocks, modulations(model.blocks, e0), strict=True):
        expected = block.modulation.unsqueeze(1) + e0
        expected[:, :, [1, 4]] += 1
        assert torch.equal(made, expected)


def test_joined_layers_are_linear_layers_for_the_quantiser() -> None:
    model = wan()
    join_projections(model)
    names = [name for name, each in model.named_modules() if isinstance(each, nn.Linear) and "self_attn" in name]
    assert names == [f"blocks.{i}.self_attn.{part}" for i in range(SMALL.num_layers) for part in ("o", "joined.qkv")]
