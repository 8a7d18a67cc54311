"""Rotary positions are relative and unlimited."""

from __future__ import annotations

import cmath

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from streamvace.model.rope import axis_dims, rotary_table, rotation_for_compiler


@pytest.mark.parametrize(("head_dim", "split"), [(128, (44, 42, 42)), (64, (24, 20, 20)), (32, (12, 10, 10))])
def test_a_head_is_split_as_wan_splits_it(head_dim: int, split: tuple[int, int, int]) -> None:
    assert axis_dims(head_dim) == split


def turns(frame: int, row: int, column: int, split: tuple[int, int, int]) -> list[complex]:
    """What a token at this place multiplies its channel pairs with, by the paper's formula: pair k of an axis of d
    channels is a complex number, turned by exp(i position 10000^(-2k/d))."""
    axes = zip((frame, row, column), split, strict=True)
    return [cmath.exp(1j * at * 10000.0 ** (-2 * k / d)) for at, d in axes for k in range(d // 2)]


@pytest.mark.parametrize(("head_dim", "split"), [(128, (44, 42, 42)), (64, (24, 20, 20)), (32, (12, 10, 10))])
def test_a_token_is_turned_by_complex_exponentials_of_its_place(head_dim: int, split: tuple[int, int, int]) -> None:
    """Frames in any order and far away; rows and columns are not the same."""
    frames, rows, columns = (7, 0, 1021, 2), 2, 3
    places = [(frame, row, column) for frame in frames for row in range(rows) for column in range(columns)]
    x = torch.randn(1, len(places), 2, head_dim, generator=torch.Generator().manual_seed(0))
    turn = torch.tensor([turns(*place, split) for place in places], dtype=torch.complex128)
    expected = torch.view_as_real(torch.view_as_complex(x.double().unflatten(-1, (-1, 2))) * turn[:, None]).flatten(-2)
    ours = rotary_table(frames, rows, columns, head_dim, "cpu").rotate(x)
    torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


def test_scores_depend_on_relative_position_only() -> None:
    q, k = torch.randn(2, 1, 8, 1, 32).unbind(0)
    scores = []
    for offset in (0, 5000):
        table = rotary_table(range(offset, offset + 2), 2, 2, 32, "cpu")
        scores.append(torch.einsum("bnhd,bmhd->nm", table.rotate(q), table.rotate(k)))
    torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=0)


def test_half_precision_is_rotated_in_fp32_and_keeps_its_dtype() -> None:
    table = rotary_table(range(3), 2, 2, 32, "cpu")
    x = torch.randn(1, 12, 2, 32).bfloat16()
    assert table.rotate(x).dtype is torch.bfloat16
    torch.testing.assert_close(table.rotate(x), table.rotate(x.float()).bfloat16(), atol=0, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_compiler_gets_the_same_rotation_without_complex_numbers(dtype: torch.dtype) -> None:
    table = rotary_table((7, 0, 1021), 2, 3, 32, "cpu")
    x = torch.randn(1, 18, 2, 32, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = table.rotate(x)
    with rotation_for_compiler():
        traced = make_fx(lambda each: table.rotate(each))(x)
        torch.testing.assert_close(table.rotate(x), expected, atol=1e-6, rtol=0)
    assert not [node for node in traced.graph.nodes if "complex" in str(node.target)]
