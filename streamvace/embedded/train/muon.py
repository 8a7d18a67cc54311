"""Muon: momentum, made orthogonal, for matrices and convolutions (Jordan et al. 2024).

torch.optim.Muon makes the same update, but refuses convolutions and lets every process of a team do all of the work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

from streamvace.embedded.train import team


def orthogonalise(batch: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz in bfloat16: `[N, rows, columns]` -> the nearest half-orthogonal matrices, roughly."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = batch.shape[1] > batch.shape[2]
    x = (batch.transpose(1, 2) if tall else batch).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    x = x.float()
    out: Tensor = x.transpose(1, 2) if tall else x
    return out


class Muon(torch.optim.Optimizer):
    """One step for all matrices of a shape at once; a convolution is the matrix [out, in * height * width].

    lr is scaled by 0.2 sqrt(max dim), so that an update is about as large as AdamW's.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; a team of processes shares the work."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    shapes[p.shape].append(p)
            for shape, members in shapes.items():
                rows = shape[0]
                updates = torch.zeros(len(members), rows, shape.numel() // rows)
                mine = slice(team.rank(), None, team.size())
                directions = []
                for p in members:
                    state = self.state[p]
                    assert p.grad is not None
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(p)
                    state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                    directions.append(torch.lerp(p.grad, state["momentum"], group["momentum"]).reshape(rows, -1))
                if directions[mine]:
                    updates[mine] = orthogonalise(torch.stack(directions[mine]))
                team.add(updates)
                scale = group["lr"] * 0.2 * max(updates.shape[1:]) ** 0.5
                for p, update in zip(members, updates, strict=True):
                    p.add_(update.view(shape), alpha=-scale)
