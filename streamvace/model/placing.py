"""Brings a network to the device where it runs, one block at a time.

The weights of a block arrive as loaded, its projections are joined, and an 8-bit precision quantises it before the next
block comes. So the device never holds more than one block in 16 bits beside the quantised ones.
"""

from __future__ import annotations

import torch

from streamvace.model.context import ContextBranch
from streamvace.model.joined import join_projections
from streamvace.model.quantize import Precision, quantise_linears
from streamvace.model.transformer import CausalWan


def place_blocks(
    network: CausalWan | ContextBranch,
    device: torch.device,
    precision: Precision,
    rests: torch.device | None = None,
) -> None:
    """Join and quantise the blocks on `device`, in place, and bring the whole network to `rests` (None: `device`).

    Call it after loading LoRAs: quantised weights cannot be added to. `prove_quantised` must have passed. A network
    that rests elsewhere is quantised on the device too, because the layout of 8-bit weights depends on it.
    """
    stays = device if rests is None else rests
    for block in network.blocks if isinstance(network, CausalWan) else network.vace_blocks:
        block.to(device)
        join_projections(block)
        quantise_linears(block, precision, device)
        block.to(stays)
    network.to(stays)
