"""q, k and v of self-attention as one matrix product: fewer and larger operations, the same numbers.

The joined weights take the place of the three, so memory stays the same. Whoever holds one of the old parameters, such
as `MergedLoras`, then holds a part of the joined one: what is written to it still arrives.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from streamvace.model.blocks import Attention, JoinedProjections, WanBlock
from streamvace.model.checkpoint import on_meta
from streamvace.model.product_check import LIMIT, relative_error


@torch.no_grad()
def join_projections(*modules: nn.Module) -> int:
    """Join the projections of self-attention in these networks' blocks, in place. Returns the number of blocks joined.

    Call it after loading LoRAs and before quantising. Blocks stay as they are where a layer has a hook (a LoRA as a
    side path, or a layer that computes in fp32), and where this processor multiplies the joined shape wrong in 16 bits.
    """
    joined, right = 0, dict[torch.Size, bool]()
    for block in _blocks(modules):
        attention = block.self_attn
        if any(layer._forward_hooks for layer in (attention.q, attention.k, attention.v)):
            continue
        made = _joined(attention)
        weight = made.qkv.weight
        if weight.shape not in right:
            right[weight.shape] = not _checked(weight) or relative_error(made.qkv) <= LIMIT
        if right[weight.shape]:
            _replace(attention, made)
            joined += 1
    return joined


def _blocks(modules: tuple[nn.Module, ...]) -> Iterator[WanBlock]:
    for module in modules:
        for each in module.modules():
            if isinstance(each, WanBlock):
                yield each


def _checked(weight: Tensor) -> bool:
    """Whether the product is compared with fp32, as in `product_check`."""
    return weight.device.type == "cpu" and weight.dtype in (torch.bfloat16, torch.float16)


def _joined(attention: Attention) -> JoinedProjections:
    layers = (attention.q, attention.k, attention.v)
    qkv = on_meta(lambda: nn.Linear(attention.q.in_features, 3 * attention.q.out_features))
    qkv.weight = nn.Parameter(torch.cat([layer.weight for layer in layers]), requires_grad=False)
    qkv.bias = nn.Parameter(torch.cat([layer.bias for layer in layers]), requires_grad=False)
    norms = torch.stack((attention.norm_q.weight, attention.norm_k.weight))
    return JoinedProjections(qkv, nn.Parameter(norms, requires_grad=False), attention.num_heads, attention.norm_q.eps)


def _replace(attention: Attention, made: JoinedProjections) -> None:
    layers = (attention.q, attention.k, attention.v)
    for part, layer in enumerate(layers):
        layer.weight.data = made.qkv.weight.data.unflatten(0, (3, -1))[part]
        layer.bias.data = made.qkv.bias.data.unflatten(0, (3, -1))[part]
    attention.norm_q.weight.data, attention.norm_k.weight.data = made.norm.data.unbind(0)
    attention.joined = made
    del attention.q, attention.k, attention.v, attention.norm_q, attention.norm_k
