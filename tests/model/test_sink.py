"""The decaying sink's work on the device. What it computes is tested in test_cache_policies.py."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from streamvace.model.sink import DecayingSink


class Indices(TorchDispatchMode):
    """Collects the index tensors of every selection."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket in (torch.ops.aten.index, torch.ops.aten.index_select):
            self.seen += [args[2]] if func.overloadpacket is torch.ops.aten.index_select else args[1]
        return func(*args, **(kwargs or {}))


def test_all_layers_share_one_index_so_the_host_waits_for_no_copy() -> None:
    layers = [torch.randn(1, 5, 2, 1, 4) for _ in range(6)]
    sink = DecayingSink(layers[:3], layers[3:], frames=2, decay=0.5)
    with Indices() as indices:
        sink.absorb([3, 2])
    (storage,) = {index.untyped_storage().data_ptr() for index in indices.seen if index is not None}
    assert storage
    assert indices.seen[0].tolist() == [3, 2]
