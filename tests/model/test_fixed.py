"""A buffer keeps its address, whoever fills it."""

from __future__ import annotations

import torch

from streamvace.model.fixed import FixedBuffers


def test_each_use_and_shape_has_one_address() -> None:
    fixed = FixedBuffers()
    first = fixed.put("a", torch.ones(2, 3))
    with torch.inference_mode():
        again = fixed.put("a", torch.full((2, 3), 5.0))
    others = [
        fixed.put("b", torch.ones(2, 3)),
        fixed.put("a", torch.ones(3, 2)),
        fixed.put("a", torch.ones(2, 3, dtype=torch.float64)),
    ]
    assert again is first
    assert torch.equal(first, torch.full((2, 3), 5.0))
    assert all(each.data_ptr() != first.data_ptr() for each in others)


def test_what_inference_mode_put_can_be_written_outside_it() -> None:
    fixed = FixedBuffers()
    with torch.inference_mode():
        held = fixed.put("a", torch.ones(2))
    assert fixed.put("a", torch.zeros(2)) is held
