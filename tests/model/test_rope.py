"""Rotary positions are relative and unlimited."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.rope import axis_dims, rotary_table


@pytest.mark.parametrize(("head_dim", "split"), [(128, (44, 42, 42)), (64, (24, 20, 20)), (32, (12, 10, 10))])
def test_a_head_is_split_as_wan_splits_it(head_dim: int, split: tuple[int, int, int]) -> None:
    assert axis_dims(head_dim) == split


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
