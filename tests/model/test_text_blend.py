"""Promises of blended text embeddings."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from streamvace.model.text_blend import blend_linear, blend_slerp, slerp

BLENDS = [blend_linear, blend_slerp]


def embeddings(count: int = 3, rows: int = 5, dim: int = 8) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(count)
    made = [torch.randn(1, rows, dim, generator=draw) for _ in range(count)]
    made[1][:, 3:] = 0  # a shorter prompt
    return made


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("alone", [0, 1, 2])
def test_all_the_weight_on_one_prompt_is_that_prompt(blend: object, alone: int) -> None:
    parts = embeddings()
    weights = [float(index == alone) for index in range(3)]
    # A leading part without weight has none to be turned from.
    kept = [(part, weight) for part, weight in zip(parts, weights, strict=True) if weight]
    mixed = blend([part for part, _ in kept], [weight for _, weight in kept])  # type: ignore[operator]
    torch.testing.assert_close(mixed, parts[alone])


@given(st.floats(0.01, 0.99))
def test_a_linear_blend_is_as_long_as_its_parts_are_on_average(share: float) -> None:
    one, other, _ = embeddings()
    mixed = blend_linear([one, other], [1 - share, share])
    assert float(mixed.norm()) == pytest.approx(float((1 - share) * one.norm() + share * other.norm()), rel=1e-4)
    straight = torch.lerp(one, other, share)
    assert float(torch.cosine_similarity(mixed.flatten(), straight.flatten(), dim=0)) == pytest.approx(1.0, abs=1e-5)


@given(st.floats(0.0, 1.0), st.integers(0, 50))
def test_a_spherical_blend_turns_each_row_by_its_share_of_the_angle(share: float, seed: int) -> None:
    one, other = torch.nn.functional.normalize(
        torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(seed)), dim=-1
    )
    turned = slerp(one, other, share)
    torch.testing.assert_close(turned.norm(dim=-1), torch.ones(4), atol=1e-4, rtol=0)
    whole = (one * other).sum(-1).clamp(-1, 1).acos()
    torch.testing.assert_close((one * turned).sum(-1).clamp(-1, 1).acos(), whole * share, atol=2e-3, rtol=0)


def test_parallel_opposite_and_empty_rows_are_blended_linearly_and_stay_finite() -> None:
    row = torch.tensor([3.0, 4.0, 0.0])
    one = torch.stack([row, row, row, torch.zeros(3)])
    other = torch.stack([2 * row, -row, torch.zeros(3), torch.zeros(3)])
    assert torch.equal(slerp(one, other, 0.25), torch.lerp(one, other, 0.25))


def test_opposite_embeddings_cancel_to_nothing_without_a_nan() -> None:
    one = torch.ones(1, 2, 4)
    assert not blend_linear([one, -one], [0.5, 0.5]).any()


def test_three_prompts_on_a_sphere_meet_where_their_weights_say() -> None:
    axes = [torch.eye(3)[index].view(1, 1, 3) for index in range(3)]
    third = blend_slerp(axes, [0.25, 0.25, 0.5])
    assert third.flatten().tolist() == pytest.approx([0.5, 0.5, math.sqrt(0.5)], abs=1e-6)


@pytest.mark.parametrize("blend", BLENDS)
def test_half_precision_comes_back_as_it_went_in(blend: object) -> None:
    parts = [each.bfloat16() for each in embeddings(2)]
    assert blend(parts, [0.5, 0.5]).dtype is torch.bfloat16  # type: ignore[operator]
